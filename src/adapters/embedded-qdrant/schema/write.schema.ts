import type { Filter } from '../filter/filter';
import { isObject, type Json, type JsonObject } from '../json/json-value';
import type { JsonPath } from '../payload/json-path';
import type { PointId } from '../point-id';
import { badInput, invalid } from '../qdrant-error';
import {
  expected,
  jsonObject,
  list,
  notSupported,
  object,
  oneOf,
  optional,
  record,
  tagged,
  text,
  withDefault,
  within,
  type Decoder,
} from './decode';
import { filter, optionalFilter, path, pointId } from './filter.schema';
import { rawVector, vectorStruct, type RawVector } from './vector.schema';

export interface PointWrite {
  id: PointId;
  vectors: Map<string, RawVector>;
  payload: JsonObject;
}

/** Which points a write touches: by id, or all that match. */
export type PointSelection = { ids: PointId[] } | { filter: Filter };

export type UpdateMode = 'upsert' | 'insert_only' | 'update_only';

export type WriteOperation =
  | { kind: 'upsert'; points: PointWrite[]; updateFilter: Filter | undefined; mode: UpdateMode }
  | { kind: 'delete'; selection: PointSelection }
  | { kind: 'set_payload'; selection: PointSelection; payload: JsonObject; key: JsonPath | undefined }
  | { kind: 'overwrite_payload'; selection: PointSelection; payload: JsonObject }
  | { kind: 'delete_payload'; selection: PointSelection; keys: JsonPath[] }
  | { kind: 'clear_payload'; selection: PointSelection }
  | {
      kind: 'update_vectors';
      points: { id: PointId; vectors: Map<string, RawVector> }[];
      updateFilter: Filter | undefined;
    }
  | { kind: 'delete_vectors'; selection: PointSelection; names: string[] };

export const shardKey = notSupported('`shard_key`: there are no custom shards in a single node');

const payload: Decoder<JsonObject> = withDefault(jsonObject, {});

const VECTOR_ALIASES = { vectors: 'vector' };

const pointStruct = object({ id: pointId, vector: vectorStruct, payload }, VECTOR_ALIASES);

const pointsList = object({
  points: list(pointStruct),
  shard_key: shardKey,
  update_filter: optionalFilter,
  update_mode: withDefault(oneOf('upsert', 'insert_only', 'update_only'), 'upsert'),
});

const batchParts = object({
  ids: list(pointId),
  vectors: (value: Json | undefined, at: string) => batchVectors(value, at),
  payloads: optional(list(payload)),
});

const pointsBatch = object({
  batch: batchParts,
  shard_key: shardKey,
  update_filter: optionalFilter,
  update_mode: withDefault(oneOf('upsert', 'insert_only', 'update_only'), 'upsert'),
});

function batchVectors(value: Json | undefined, at: string): (count: number) => Map<string, RawVector>[] {
  if (Array.isArray(value)) {
    const vectors = list(vectorStruct)(value, at);
    return (count) => sameLength(vectors, count, at);
  }
  if (!isObject(value)) return expected('a list of vectors, or lists by vector name', value, at);
  const named = record(list(rawVector))(value, at);
  return (count) => {
    for (const [name, vectors] of named) sameLength(vectors, count, within(at, name));
    return Array.from({ length: count }, (_, position) => {
      return new Map([...named].map(([name, vectors]) => [name, vectors[position] as RawVector]));
    });
  };
}

function sameLength<T>(items: T[], count: number, at: string): T[] {
  if (items.length === count) return items;
  throw invalid(at, `number of ids and ${at.split('.').at(-1)} must be equal (${count} != ${items.length})`);
}

export const upsertOperation: Decoder<WriteOperation> = (value, at) => {
  if (isObject(value) && Object.hasOwn(value, 'batch')) {
    const { batch, update_filter: updateFilter, update_mode: mode } = pointsBatch(value, at);
    const vectors = batch.vectors(batch.ids.length);
    const payloads = batch.payloads && sameLength(batch.payloads, batch.ids.length, within(at, 'batch.payloads'));
    const points = batch.ids.map((id, position) => ({
      id,
      vectors: vectors[position] as Map<string, RawVector>,
      payload: payloads?.[position] ?? {},
    }));
    return { kind: 'upsert', points, updateFilter, mode };
  }
  const { points, update_filter: updateFilter, update_mode: mode } = pointsList(value, at);
  const writes = points.map(({ id, vector, payload: sent }) => ({ id, vectors: vector, payload: sent }));
  return { kind: 'upsert', points: writes, updateFilter, mode };
};

const selectorFields = { points: optional(list(pointId)), filter: optional(filter), shard_key: shardKey };

function selectionOf(source: { points: PointId[] | undefined; filter: Filter | undefined }): PointSelection {
  if (source.points !== undefined) return { ids: source.points };
  if (source.filter !== undefined) return { filter: source.filter };
  throw badInput('No points or filter specified');
}

export const deleteOperation: Decoder<WriteOperation> = (value, at) => ({
  kind: 'delete',
  selection: selectionOf(object(selectorFields)(value, at)),
});

export const clearPayloadOperation: Decoder<WriteOperation> = (value, at) => ({
  kind: 'clear_payload',
  selection: selectionOf(object(selectorFields)(value, at)),
});

const setPayloadFields = object({ ...selectorFields, payload: jsonObject, key: optional(path) });

export const setPayloadOperation: Decoder<WriteOperation> = (value, at) => {
  const decoded = setPayloadFields(value, at);
  return { kind: 'set_payload', selection: selectionOf(decoded), payload: decoded.payload, key: decoded.key };
};

/** Qdrant takes a `key` here too and ignores it: the whole payload is replaced. */
export const overwritePayloadOperation: Decoder<WriteOperation> = (value, at) => {
  const decoded = setPayloadFields(value, at);
  return { kind: 'overwrite_payload', selection: selectionOf(decoded), payload: decoded.payload };
};

const deletePayloadFields = object({ ...selectorFields, keys: list(path) });

export const deletePayloadOperation: Decoder<WriteOperation> = (value, at) => {
  const decoded = deletePayloadFields(value, at);
  return { kind: 'delete_payload', selection: selectionOf(decoded), keys: decoded.keys };
};

const updateVectorsFields = object({
  points: list(object({ id: pointId, vector: vectorStruct }, VECTOR_ALIASES)),
  shard_key: shardKey,
  update_filter: optionalFilter,
});

export const updateVectorsOperation: Decoder<WriteOperation> = (value, at) => {
  const { points, update_filter: updateFilter } = updateVectorsFields(value, at);
  if (points.length === 0) throw invalid(within(at, 'points'), 'must contain at least one point');
  return { kind: 'update_vectors', points: points.map(({ id, vector }) => ({ id, vectors: vector })), updateFilter };
};

const deleteVectorsFields = object({ ...selectorFields, vector: list(text) }, VECTOR_ALIASES);

export const deleteVectorsOperation: Decoder<WriteOperation> = (value, at) => {
  const decoded = deleteVectorsFields(value, at);
  if (decoded.vector.length === 0) throw invalid(within(at, 'vector'), 'must contain at least one name');
  return { kind: 'delete_vectors', selection: selectionOf(decoded), names: decoded.vector };
};

const only = (key: string, decoder: Decoder<WriteOperation>): Decoder<WriteOperation> => {
  return (value, at) => object({ [key]: decoder })(value, at)[key] as WriteOperation;
};

export const batchOperations: Decoder<WriteOperation[]> = (value, at) =>
  object({
    operations: list(
      tagged<WriteOperation>({
        upsert: only('upsert', upsertOperation),
        delete: only('delete', deleteOperation),
        set_payload: only('set_payload', setPayloadOperation),
        overwrite_payload: only('overwrite_payload', overwritePayloadOperation),
        delete_payload: only('delete_payload', deletePayloadOperation),
        clear_payload: only('clear_payload', clearPayloadOperation),
        update_vectors: only('update_vectors', updateVectorsOperation),
        delete_vectors: only('delete_vectors', deleteVectorsOperation),
      }),
    ),
  })(value, at).operations;
