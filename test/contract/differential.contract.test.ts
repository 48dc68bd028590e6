import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { ANY_VECTOR, idsMatching } from './support/points';
import { expectRanking, ranked } from './support/ranking';
import {
  passes,
  type Condition,
  type Json,
  type ReferenceFilter,
  type ReferencePoint,
} from './support/reference-filter';
import { orderOf, score, sparseScore, withIdf, type Sparse } from './support/reference-scores';
import { DISTANCES } from './support/samples';

const server = useContractServer();

/** The seed of a failure is in fast-check's message; `CONTRACT_SEED` runs it again. */
const seed = process.env.CONTRACT_SEED ? Number(process.env.CONTRACT_SEED) : Date.now() % 2 ** 31;

const keyword = fc.constantFrom('red', 'green', 'blue', 'Red', '');
// No 1.0-like spelling can come from JavaScript, so a whole number is an integer on both sides.
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, -1.25));
const scalar: fc.Arbitrary<Json> = fc.oneof(keyword, number, fc.boolean(), fc.constant(null));
const value: fc.Arbitrary<Json> = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
const object = fc.dictionary(fc.constantFrom('a', 'b'), value, { maxKeys: 2 });
const payload: fc.Arbitrary<Record<string, Json>> = fc.record(
  { k: value, n: value, o: object, list: fc.array(fc.oneof(object, scalar), { maxLength: 3 }) },
  { requiredKeys: [] },
);

const topKey = fc.constantFrom('k', 'n', 'o.a', 'o.b', 'list[].a', 'absent');
const innerKey = fc.constantFrom('a', 'b');

function leaf(key: fc.Arbitrary<string>): fc.Arbitrary<Condition> {
  return fc.oneof(
    fc.record({
      key,
      match: fc.oneof(
        fc.record({ value: fc.oneof(keyword, fc.integer({ min: -3, max: 3 }), fc.boolean()) }),
        fc.record({ any: fc.array(keyword, { minLength: 1, maxLength: 3 }) }),
        fc.record({ except: fc.array(keyword, { minLength: 1, maxLength: 3 }) }),
      ),
    }),
    fc.record({
      key,
      range: fc.record({ gt: number, gte: number, lt: number, lte: number }, { requiredKeys: [] }).filter((range) => {
        return Object.keys(range).length > 0;
      }),
    }),
    fc.record({ is_empty: fc.record({ key }) }),
    fc.record({ is_null: fc.record({ key }) }),
  );
}

function filterOf(condition: fc.Arbitrary<Condition>): fc.Arbitrary<ReferenceFilter> {
  const list = fc.array(condition, { minLength: 1, maxLength: 3 });
  return fc.record(
    {
      must: list,
      should: list,
      must_not: list,
      min_should: fc.record({ conditions: list, min_count: fc.integer({ min: 1, max: 3 }) }),
    },
    { requiredKeys: [] },
  );
}

const nested: fc.Arbitrary<Condition> = fc.record({
  nested: fc.record({
    key: fc.constant('list'),
    filter: filterOf(leaf(innerKey)).filter((inner) => Object.keys(inner).length > 0),
  }),
});
const hasId: fc.Arbitrary<Condition> = fc.record({
  has_id: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }),
});
const simple = fc.oneof(
  { weight: 6, arbitrary: leaf(topKey) },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: hasId },
);
const filter = filterOf(
  fc.oneof(
    { weight: 4, arbitrary: simple },
    { weight: 1, arbitrary: filterOf(simple).filter((inner) => Object.keys(inner).length > 0) },
  ),
);

describe('any filter over any points', () => {
  it('selects what the rules say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(payload, { minLength: 5, maxLength: 30 }),
        fc.array(filter, { minLength: 20, maxLength: 20 }),
        async (payloads, filters) => {
          const name = await server.create({ vectors: ANY_VECTOR });
          const points: ReferencePoint[] = payloads.map((each, i) => ({ id: i + 1, payload: each }));
          await server.client.upsert(name, {
            wait: true,
            points: points.map((point) => ({ ...point, vector: [1, 1] })),
          });
          for (const each of filters) {
            const expected = points.filter((point) => passes(each, point)).map(({ id }) => id);
            const found = await idsMatching(server, name, each);
            expect({ filter: each, found }).toEqual({ filter: each, found: expected });
          }
          await server.client.deleteCollection(name);
        },
      ),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });
});

describe('any vectors', () => {
  const coordinate = fc.integer({ min: -64, max: 64 }).map((step) => step / 16);

  it.each(DISTANCES)('are ranked by the definition of %s, under a filter too', async (distance) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 17 }).chain((size) =>
          fc.record({
            vectors: fc.array(fc.array(coordinate, { minLength: size, maxLength: size }), {
              minLength: 1,
              maxLength: 40,
            }),
            query: fc.array(coordinate, { minLength: size, maxLength: size }),
            limit: fc.integer({ min: 1, max: 50 }),
            modulus: fc.integer({ min: 1, max: 4 }),
          }),
        ),
        async ({ vectors, query, limit, modulus }) => {
          const name = await server.create({ vectors: { size: query.length, distance } });
          const points = vectors.map((vector, i) => ({ id: i + 1, vector, payload: { rest: (i + 1) % modulus } }));
          await server.client.upsert(name, { wait: true, points });
          const answer = await server.client.query(name, {
            query,
            limit,
            filter: { must: [{ key: 'rest', match: { value: 0 } }] },
          });
          const reference = ranked(
            points
              .filter((point) => point.payload.rest === 0)
              .map(({ id, vector }) => ({ id, score: score(distance, query, vector) })),
            orderOf(distance),
          );
          expectRanking(answer.points, reference, Math.min(limit, reference.length));
          await server.client.deleteCollection(name);
        },
      ),
      { seed, numRuns: 12, endOnFailure: true },
    );
  });

  it('of few indices are ranked by dot product and rarity', async () => {
    const sparse: fc.Arbitrary<Sparse> = fc
      .uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 })
      .chain((indices) =>
        fc.record({
          indices: fc.constant(indices),
          values: fc.array(
            fc.integer({ min: 1, max: 64 }).map((step) => step / 8),
            { minLength: indices.length, maxLength: indices.length },
          ),
        }),
      );
    await fc.assert(
      fc.asyncProperty(fc.array(sparse, { minLength: 1, maxLength: 40 }), sparse, async (stored, query) => {
        const name = await server.create({ sparse_vectors: { s: { modifier: 'idf' } } });
        await server.client.upsert(name, {
          wait: true,
          points: stored.map((vector, i) => ({ id: i + 1, vector: { s: vector } })),
        });
        const { points } = await server.client.query(name, { query, using: 's', limit: 50 });
        const weighted = withIdf(query, stored);
        const reference = stored.flatMap((vector, i) => {
          const sum = sparseScore(weighted, vector);
          return sum === undefined ? [] : [{ id: i + 1, score: sum }];
        });
        expectRanking(points, ranked(reference));
        await server.client.deleteCollection(name);
      }),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });
});
