import type { VectorParams } from '../engine/collection-config';
import { isObject, type JsonObject } from '../json/json-value';
import { writeJson } from '../json/write-json';
import { parsePath } from '../payload/json-path';
import { badInput, QdrantError } from '../qdrant-error';
import * as schema from '../schema/collection.schema';
import { collectionInfo } from './collection-info';
import { readBody, type Call, type Handler } from './request';
import { acknowledge } from './write-handlers';

export const collectionName = (call: Call): string => call.path['collection'] ?? '';

const done = async (call: Call, result: boolean): Promise<string> => {
  await call.engine.store.durable();
  return String(result);
};

export const listCollections: Handler = ({ engine }) =>
  JSON.stringify({ collections: engine.names().map((name) => ({ name })) });

export const getCollection: Handler = (call) => writeJson(collectionInfo(call.engine.find(collectionName(call))));

export const collectionExists: Handler = (call) => JSON.stringify({ exists: call.engine.has(collectionName(call)) });

export const createCollection: Handler = (call) => {
  const name = collectionName(call);
  schema.checkCollectionName(name);
  call.engine.create(name, readBody(call, schema.createCollection));
  return done(call, true);
};

export const updateCollection: Handler = (call) => {
  const collection = call.engine.find(collectionName(call));
  const { vectors, sparse_vectors: sparse, params, ...changes } = readBody(call, schema.updateCollection);
  for (const changed of [vectors, sparse]) {
    for (const [name, change] of Object.entries(isObject(changed) ? changed : {})) {
      const target = collection.paramsOf(name);
      target.declared = mergeSettings(target.declared, isObject(change) ? change : {});
      if (target.kind !== 'sparse') continue;
      target.hasIdf = target.declared['modifier'] === 'idf';
      const index = collection.sparse.get(name);
      if (index !== undefined) index.hasIdf = target.hasIdf;
    }
  }
  const { settings } = collection.config;
  Object.assign(settings, mergeSettings(settings, { ...changes, ...(isObject(params) ? params : {}) }));
  call.engine.saveConfig(collection);
  return done(call, true);
};

/** One level deep: a changed `hnsw_config` keeps the keys that the change leaves out. */
function mergeSettings(old: JsonObject, change: JsonObject): JsonObject {
  const merged = { ...old };
  for (const [key, value] of Object.entries(change)) {
    const before = merged[key];
    if (value === 'Disabled') delete merged[key];
    else
      merged[key] =
        isObject(before) && isObject(value) && key !== 'quantization_config' ? { ...before, ...value } : value;
  }
  return merged;
}

export const deleteCollection: Handler = (call) => done(call, call.engine.delete(collectionName(call)));

export const listAliases: Handler = ({ engine }) => writeAliases(engine.allAliases());

export const collectionAliases: Handler = (call) => {
  const { name } = call.engine.find(collectionName(call));
  return writeAliases(call.engine.allAliases().filter(({ collection }) => collection === name));
};

export const changeAliases: Handler = (call) => {
  call.engine.changeAliases(readBody(call, schema.aliasActions));
  return done(call, true);
};

export const createIndex: Handler = (call) => {
  const collection = call.engine.find(collectionName(call));
  const { path, index } = readBody(call, schema.createFieldIndex);
  collection.addIndex(path, index);
  call.engine.saveConfig(collection);
  return acknowledge(call, collection, nextOperation(collection));
};

export const deleteIndex: Handler = (call) => {
  const collection = call.engine.find(collectionName(call));
  const field = call.path['field'] ?? '';
  const path = parsePath(field);
  if (path === undefined)
    throw new QdrantError(400, `Deserialize error in path parameters: Invalid json path: '${field}'`);
  collection.removeIndex(path.text);
  call.engine.saveConfig(collection);
  return acknowledge(call, collection, nextOperation(collection));
};

export const createVector: Handler = (call) => {
  const collection = call.engine.find(collectionName(call));
  const name = call.path['vector'] ?? '';
  const place = readBody(call, schema.createVectorName);
  if (collection.config.vectors.has(name)) throw badInput(`Vector \`${name}\` already exists`);
  const params: VectorParams = place(collection.config.nextColumn);
  call.engine.writing(() => collection.addVector(name, params));
  collection.config.nextColumn += 1;
  call.engine.saveConfig(collection);
  return acknowledge(call, collection, nextOperation(collection));
};

export const deleteVector: Handler = (call) => {
  const collection = call.engine.find(collectionName(call));
  const name = call.path['vector'] ?? '';
  collection.paramsOf(name);
  call.engine.writing(() => collection.removeVector(name));
  call.engine.saveConfig(collection);
  return acknowledge(call, collection, nextOperation(collection));
};

const nextOperation = (collection: { operation: number }): number => {
  collection.operation += 1;
  return collection.operation - 1;
};

const writeAliases = (aliases: readonly { alias: string; collection: string }[]): string =>
  JSON.stringify({
    aliases: aliases.map(({ alias, collection }) => ({ alias_name: alias, collection_name: collection })),
  });
