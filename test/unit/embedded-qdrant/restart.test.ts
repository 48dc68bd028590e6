import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { Engine } from '../../../src/adapters/embedded-qdrant/engine/engine';
import type { Json, JsonObject } from '../../../src/adapters/embedded-qdrant/json/json-value';
import { parseJson } from '../../../src/adapters/embedded-qdrant/json/parse-json';
import { addCollection, apply, ask, contents, idsPassing, openEngine, property, upsert } from './support/engine';
import { useFolders } from './support/folder';

const folder = useFolders();

const CONFIG = {
  vectors: { d: { size: 3, distance: 'Cosine' }, e: { size: 2, distance: 'Euclid' } },
  sparse_vectors: { s: { modifier: 'idf' } },
};

function reopen(engine: Engine, at: string): Engine {
  engine.store.close();
  return openEngine(at);
}

describe('a restart', () => {
  const component = fc.float({ min: -4, max: 4, noNaN: true });
  const id = fc.oneof(fc.nat(5), fc.constant('936da01f-9abd-4d9d-80c7-02af85c822a8'));
  const vectors = fc.record(
    {
      d: fc.array(component, { minLength: 3, maxLength: 3 }),
      e: fc.array(component, { minLength: 2, maxLength: 2 }),
      s: fc.constantFrom<Json>({ indices: [1, 9], values: [1, 2] }, { indices: [9], values: [0.5] }),
    },
    { requiredKeys: [] },
  );
  const payload = fc.dictionary(fc.constantFrom('k', 'n'), fc.oneof(fc.integer(), fc.string(), fc.constant([1, 'x'])));
  const operation = fc.oneof(
    fc.record({
      upsert: fc.record({ points: fc.array(fc.record({ id, vector: vectors, payload }), { maxLength: 3 }) }),
    }),
    fc.record({ delete: fc.record({ points: fc.array(id, { maxLength: 2 }) }) }),
    fc.record({ set_payload: fc.record({ payload, filter: fc.constant({}) }) }),
    fc.record({ clear_payload: fc.constant({ filter: { must: [{ key: 'k', match: { value: 'x' } }] } }) }),
    fc.record({ delete_vectors: fc.constant({ filter: {}, vector: ['s'] }) }),
  );

  it('keeps every point, vector, payload and version, whatever was written', () =>
    property(fc.array(operation, { maxLength: 12 }), (operations) => {
      const at = folder();
      let engine = openEngine(at);
      try {
        const collection = addCollection(engine, 'c', CONFIG, { k: 'keyword' });
        apply(engine, collection, operations as unknown as JsonObject[]);
        const before = { points: contents(collection), operation: collection.operation };
        const query = { query: { indices: [1, 9], values: [1, 1] }, using: 's' };
        const ranked = ask(collection, query).map(({ score }) => score);
        engine = reopen(engine, at);
        const after = engine.find('c');
        expect({ points: contents(after), operation: after.operation }).toEqual(before);
        expect(ask(after, query).map(({ score }) => score)).toEqual(ranked);
      } finally {
        engine.store.close();
      }
    }));

  it('keeps collections, aliases, indexes, settings and vector names', () => {
    const at = folder();
    let engine = openEngine(at);
    const collection = addCollection(
      engine,
      'c',
      { ...CONFIG, shard_number: 3, metadata: { by: 'me' } },
      { k: 'keyword' },
    );
    addCollection(engine, 'gone', CONFIG);
    apply(engine, collection, [upsert([{ id: 1, vector: { d: [1, 2, 3] }, payload: { k: 'a' } }])]);
    engine.writing(() =>
      collection.addVector('f', { kind: 'dense', column: 3, size: 2, distance: 'Dot', declared: {} }),
    );
    engine.writing(() => collection.removeVector('e'));
    engine.saveConfig(collection);
    apply(engine, collection, [upsert([{ id: 2, vector: { f: [1, 2] } }])]);
    engine.changeAliases([{ create: { alias: 'a', collection: 'c' } }, { create: { alias: 'b', collection: 'gone' } }]);
    engine.delete('gone');
    engine = reopen(engine, at);
    expect(engine.names()).toEqual(['c']);
    expect(engine.allAliases()).toEqual([{ alias: 'a', collection: 'c' }]);
    const after = engine.find('a');
    expect([...after.config.vectors.keys()]).toEqual(['d', 's', 'f']);
    expect(after.config.settings).toEqual({ shard_number: 3, metadata: { by: 'me' } });
    expect([...after.indexes.keys()]).toEqual(['k']);
    expect(idsPassing(after, { must: [{ key: 'k', match: { value: 'a' } }] })).toEqual([1]);
    expect(idsPassing(after, { must: [{ has_vector: 'f' }] })).toEqual([2]);
    engine.store.close();
  });

  it('keeps numbers as they were sent', () => {
    const at = folder();
    let engine = openEngine(at);
    const collection = addCollection(engine, 'c', { vectors: {} });
    const text = '{"float":3.0,"big":18446744073709551615,"list":[1e3]}';
    apply(engine, collection, [upsert([{ id: 1, vector: {}, payload: parseJson(text) }])]);
    engine = reopen(engine, at);
    const after = engine.find('c');
    expect(after.payloadText(0, after.payloads[0] as JsonObject)).toBe(text);
    engine.store.close();
  });

  it('uses slots of deleted points again', () => {
    const at = folder();
    let engine = openEngine(at);
    const collection = addCollection(engine, 'c', { vectors: { size: 1, distance: 'Dot' } });
    const points = (from: number): JsonObject =>
      upsert(Array.from({ length: 10 }, (_, n) => ({ id: from + n, vector: [n] })));
    apply(engine, collection, [points(0), { delete: { points: [0, 3, 9] } }]);
    engine = reopen(engine, at);
    apply(engine, engine.find('c'), [
      upsert([
        { id: 100, vector: [1] },
        { id: 101, vector: [2] },
      ]),
    ]);
    expect(engine.find('c').slotCount).toBe(9);
    engine = reopen(engine, at);
    expect(engine.find('c').pointCount).toBe(9);
    engine.store.close();
  });
});

describe('a failing write', () => {
  it('leaves memory as the store has it, and refuses whoever waited for the same commit', async () => {
    const at = folder();
    const engine = openEngine(at);
    const collection = addCollection(engine, 'c', { vectors: { size: 1, distance: 'Dot' } });
    apply(engine, collection, [upsert([{ id: 1, vector: [1] }])]);
    await engine.store.durable();
    apply(engine, collection, [upsert([{ id: 2, vector: [2] }])]);
    const waiting = expect(engine.store.durable()).rejects.toThrow('disk is full');
    const fail = (): never => {
      throw new Error('disk is full');
    };
    expect(() => engine.writing(fail)).toThrow('disk is full');
    await waiting;
    expect(contents(engine.find('c'))).toHaveLength(1);
    apply(engine, engine.find('c'), [upsert([{ id: 3, vector: [3] }])]);
    await engine.store.durable();
    engine.store.close();
    const again = openEngine(at);
    expect(idsPassing(again.find('c'), {})).toEqual([1, 3]);
    again.store.close();
  });
});

describe('the data folder', () => {
  it('is private to its owner', () => {
    const at = path.join(folder(), 'deeper', 'data');
    const engine = openEngine(at);
    addCollection(engine, 'c', CONFIG);
    engine.store.close();
    expect(fs.statSync(at).mode & 0o077).toBe(0);
  });
});
