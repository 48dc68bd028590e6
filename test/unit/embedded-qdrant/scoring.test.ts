import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/adapters/embedded-qdrant/json/json-value';
import { best } from '../../../src/adapters/embedded-qdrant/query/hit';
import { addCollection, apply, ask, openEngine, property, upsert } from './support/engine';

type Distance = 'Cosine' | 'Dot' | 'Euclid' | 'Manhattan';

const component = fc.float({ min: -8, max: 8, noNaN: true });
const distance = fc.constantFrom<Distance>('Cosine', 'Dot', 'Euclid', 'Manhattan');

/** Every length around the width of a SIMD register and of an unrolled loop. */
const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 70);

function naiveScore(kind: Distance, a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, v, at) => sum + v * (y[at] ?? 0), 0);
  const differences = a.map((v, at) => v - (b[at] ?? 0));
  if (kind === 'Dot') return dot(a, b);
  if (kind === 'Euclid') return Math.sqrt(dot(differences, differences));
  if (kind === 'Manhattan') return differences.reduce((sum, v) => sum + Math.abs(v), 0);
  const lengths = [a, b].map((v) => (dot(v, v) < 1.2e-7 ? 1 : Math.sqrt(dot(v, v)))) as [number, number];
  return dot(a, b) / (lengths[0] * lengths[1]);
}

describe('dense scores', () => {
  it('are those of a plain loop, filtered or not, alone or in a batch', () =>
    property(
      size.chain((length) =>
        fc.record({
          kind: distance,
          length: fc.constant(length),
          vectors: fc.array(fc.array(component, { minLength: length, maxLength: length }), {
            minLength: 1,
            maxLength: 40,
          }),
          query: fc.array(component, { minLength: length, maxLength: length }),
          removed: fc.array(fc.nat(39)),
        }),
      ),
      ({ kind, length, vectors, query, removed }) => {
        const engine = openEngine();
        try {
          const collection = addCollection(engine, 'c', { vectors: { d: { size: length, distance: kind } } });
          apply(engine, collection, [
            upsert(vectors.map((vector, id) => ({ id, vector: { d: vector }, payload: { even: id % 2 === 0 } }))),
            { delete: { points: removed } },
          ]);
          const isAscending = kind === 'Euclid' || kind === 'Manhattan';
          const expected = vectors
            .map((vector, id) => ({ id, score: naiveScore(kind, query, vector) }))
            .filter(({ id }) => !removed.includes(id));
          const check = (body: JsonObject, points: typeof expected): void => {
            const hits = ask(collection, { query, using: 'd', limit: 100, ...body });
            expect(hits.map(({ id }) => id).sort()).toEqual(points.map(({ id }) => id).sort());
            for (const { id, score } of hits) {
              const { score: reference } = points.find((point) => point.id === id) as { score: number };
              expect(Math.abs(score - reference)).toBeLessThan(2e-3 + Math.abs(reference) * 1e-5);
            }
            const scores = hits.map(({ score }) => score);
            expect(scores).toEqual([...scores].sort((a, b) => (isAscending ? a - b : b - a)));
          };
          check({}, expected);
          const even = { must: [{ key: 'even', match: { value: true } }] };
          check(
            { filter: even },
            expected.filter(({ id }) => id % 2 === 0),
          );
          const one = { must: [{ has_id: [0] }] };
          check(
            { filter: one },
            expected.filter(({ id }) => id === 0),
          );
        } finally {
          engine.store.close();
        }
      },
    ));

  it('rank what several blocks of memory hold', () => {
    const engine = openEngine();
    const collection = addCollection(engine, 'c', { vectors: { size: 384, distance: 'Dot' } });
    const vectorOf = (id: number): number[] => Array.from({ length: 384 }, (_, at) => (at === id % 384 ? id : 0));
    const ids = Array.from({ length: 1000 }, (_, id) => id);
    apply(engine, collection, [upsert(ids.map((id) => ({ id, vector: vectorOf(id) })))]);
    expect(ask(collection, { query: vectorOf(7), limit: 3 })).toEqual([
      { id: 775, score: 5425 },
      { id: 391, score: 2737 },
      { id: 7, score: 49 },
    ]);
    engine.store.close();
  });
});

describe('sparse scores', () => {
  const sparse = fc
    .uniqueArray(fc.tuple(fc.nat(12), fc.float({ min: Math.fround(0.125), max: 4, noNaN: true })), {
      selector: ([index]) => index,
      minLength: 1,
      maxLength: 6,
    })
    .map((entries) => ({ indices: entries.map(([index]) => index), values: entries.map(([, weight]) => weight) }));

  it('are dot products weighed by rarity, through any writes and deletes', () =>
    property(
      fc.record({
        writes: fc.array(fc.tuple(fc.nat(9), fc.option(sparse, { nil: undefined })), { maxLength: 40 }),
        query: sparse,
        hasIdf: fc.boolean(),
      }),
      ({ writes, query, hasIdf }) => {
        const engine = openEngine();
        try {
          const modifier = hasIdf ? 'idf' : 'none';
          const collection = addCollection(engine, 'c', { vectors: {}, sparse_vectors: { s: { modifier } } });
          const stored = new Map<number, { indices: number[]; values: number[] }>();
          for (const [id, vector] of writes) {
            if (vector === undefined) stored.delete(id);
            else stored.set(id, vector);
            const operation =
              vector === undefined ? { delete: { points: [id] } } : upsert([{ id, vector: { s: vector } }]);
            apply(engine, collection, [operation]);
          }
          const weight = (index: number): number => {
            if (!hasIdf) return 1;
            const df = [...stored.values()].filter(({ indices }) => indices.includes(index)).length;
            return Math.log((stored.size - df + 0.5) / (df + 0.5) + 1);
          };
          const expected = new Map<number, number>();
          for (const [id, { indices, values }] of stored) {
            const shared = query.indices.filter((index) => indices.includes(index));
            if (shared.length === 0) continue;
            const terms = shared.map(
              (index) =>
                (query.values[query.indices.indexOf(index)] ?? 0) *
                weight(index) *
                (values[indices.indexOf(index)] ?? 0),
            );
            expected.set(
              id,
              terms.reduce((sum, term) => sum + term, 0),
            );
          }
          const hits = ask(collection, { query, using: 's', limit: 100 });
          expect(hits.map(({ id }) => id).sort()).toEqual([...expected.keys()].sort());
          for (const { id, score } of hits) expect(score).toBeCloseTo(expected.get(id as number) ?? NaN, 3);
        } finally {
          engine.store.close();
        }
      },
    ));
});

describe('the best of many', () => {
  it('are the highest, best first', () =>
    property(
      fc.record({ values: fc.array(component, { maxLength: 60 }), limit: fc.nat(70), masked: fc.array(fc.nat(59)) }),
      ({ values, limit, masked }) => {
        const mask = Uint8Array.from(values, (_, at) => (masked.includes(at) ? 0 : 1));
        const found = best(Float32Array.from(values), limit, undefined, mask);
        const expected = values.filter((_, at) => mask[at] === 1).sort((a, b) => b - a);
        expect(found.map(({ score }) => score + 0)).toEqual(expected.slice(0, limit).map((score) => score + 0));
        for (const { slot, score } of found) expect(Math.fround(values[slot] ?? NaN) + 0).toBe(score + 0);
        expect(new Set(found.map(({ slot }) => slot)).size).toBe(found.length);
      },
    ));
});

describe('a formula', () => {
  it.each<[unknown, number]>([
    [{ sum: ['$score', 1] }, 3],
    [{ mult: ['$score', 'n'] }, 10],
    [{ mult: [0, 'absent'] }, 0],
    [{ div: { left: 'n', right: 2 } }, 2.5],
    [{ div: { left: 1, right: 0, by_zero_default: 7 } }, 7],
    [{ neg: { abs: -4 } }, -4],
    [{ pow: { base: 2, exponent: 3 } }, 8],
    [{ sqrt: 16 }, 4],
    [{ exp: 0 }, 1],
    [{ log10: 1000 }, 3],
    [{ ln: 1 }, 0],
    [{ key: 'n', match: { value: 5 } }, 1],
    [{ must: [{ key: 'n', match: { value: 6 } }] }, 0],
    ['missing', 11],
    [{ lin_decay: { x: 'n', target: 5 } }, 1],
    [{ lin_decay: { x: 'n', target: 7, scale: 4 } }, 0.75],
    [{ exp_decay: { x: 'n', target: 7, scale: 2 } }, 0.5],
    [{ gauss_decay: { x: 'n', target: 7, scale: 2, midpoint: 0.25 } }, 0.25],
    [{ sum: [{ datetime: '2024-01-01T00:00:01Z' }, { neg: { datetime_key: 't' } }] }, 1],
    [{ geo_distance: { origin: { lat: 0, lon: 0 }, to: 'p' } }, 111195.08],
  ])('%j', (formula, expected) => {
    const engine = openEngine();
    const collection = addCollection(engine, 'c', { vectors: { size: 1, distance: 'Dot' } });
    const payload = { n: 5, t: '2024-01-01', p: { lat: 0, lon: 1 } };
    apply(engine, collection, [upsert([{ id: 1, vector: [2], payload }])]);
    const body = { prefetch: { query: [1] }, query: { formula, defaults: { missing: 11 } } } as unknown as JsonObject;
    const [hit] = ask(collection, body);
    expect(hit?.score).toBeCloseTo(expected, 1);
    engine.store.close();
  });

  it.each([[{ ln: 0 }], ['nowhere'], [{ div: { left: 1, right: 0 } }], ['$other']])('refuses %j', (formula) => {
    const engine = openEngine();
    const collection = addCollection(engine, 'c', { vectors: { size: 1, distance: 'Dot' } });
    apply(engine, collection, [upsert([{ id: 1, vector: [2] }])]);
    const body = { prefetch: { query: [1] }, query: { formula } } as unknown as JsonObject;
    expect(() => ask(collection, body)).toThrow(expect.objectContaining({ status: 400 }));
    engine.store.close();
  });
});
