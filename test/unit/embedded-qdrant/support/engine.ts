import fc from 'fast-check';
import { Engine } from '../../../../src/adapters/embedded-qdrant/engine/engine';
import type { Collection } from '../../../../src/adapters/embedded-qdrant/engine/collection';
import { write } from '../../../../src/adapters/embedded-qdrant/engine/write-points';
import type { Json, JsonObject } from '../../../../src/adapters/embedded-qdrant/json/json-value';
import { createCollection, createFieldIndex } from '../../../../src/adapters/embedded-qdrant/schema/collection.schema';
import { QueryRunner } from '../../../../src/adapters/embedded-qdrant/query/run-query';
import { Candidates } from '../../../../src/adapters/embedded-qdrant/query/candidates';
import { filter } from '../../../../src/adapters/embedded-qdrant/schema/filter.schema';
import { queryRequest } from '../../../../src/adapters/embedded-qdrant/schema/query.schema';
import { batchOperations } from '../../../../src/adapters/embedded-qdrant/schema/write.schema';
import { VectorMemory } from '../../../../src/adapters/embedded-qdrant/simd/vector-memory';
import { Store } from '../../../../src/adapters/embedded-qdrant/store/store';

/** The seed is part of a failure's message; `SEED` runs it again. */
export const property = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void | Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      await check(value);
    }),
    { numRuns: 60, ...(process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }) },
  );

/** An engine without a server. Close its store. */
export function openEngine(folder = ':memory:'): Engine {
  const store = new Store(folder);
  try {
    return new Engine(new VectorMemory(), store);
  } catch (error) {
    store.close(true);
    throw error;
  }
}

export function addCollection(engine: Engine, name: string, config: JsonObject, indexes: JsonObject = {}): Collection {
  engine.create(name, createCollection(config, ''));
  const collection = engine.find(name);
  for (const [key, schema] of Object.entries(indexes)) {
    const { path, index } = createFieldIndex({ field_name: key, field_schema: schema as Json }, '');
    collection.addIndex(path, index);
  }
  engine.saveConfig(collection);
  return collection;
}

/** Applies operations in their REST spelling. */
export function apply(engine: Engine, collection: Collection, operations: JsonObject[]): void {
  for (const operation of batchOperations({ operations }, '')) engine.writing(() => write(collection, operation));
}

export const upsert = (points: JsonObject[]): JsonObject => ({ upsert: { points } });

/** Ids and scores of a query in its REST spelling. */
export function ask(collection: Collection, body: JsonObject): { id: unknown; score: number }[] {
  const request = queryRequest(body, '');
  const hits = new QueryRunner(collection, () => collection).run(request.stage, request.offset);
  return hits.slice(request.offset).map(({ slot, score }) => ({ id: collection.idAt(slot), score }));
}

/** Ids that pass a filter in its REST spelling, sorted. */
export function idsPassing(collection: Collection, body: JsonObject): unknown[] {
  const slots = Candidates.matching(collection, filter(body, '')).slots();
  return [...slots].map((slot) => collection.idAt(slot)).sort();
}

/** Everything that a client could see of a collection, in id order. */
export function contents(collection: Collection): unknown[] {
  return collection.order.slots().map((slot) => ({
    id: collection.idAt(slot),
    version: collection.versions[slot],
    payload: collection.payloadText(slot, collection.payloads[slot] ?? {}),
    vectors: [...collection.config.vectors.keys()].map((name) => {
      const vector = collection.vectorAt(slot, name);
      if (vector === undefined) return undefined;
      return 'dense' in vector ? [...vector.dense] : [[...vector.sparse.indices], [...vector.sparse.values]];
    }),
  }));
}
