import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '../../../src/adapters/embedded-qdrant/json/json-value';
import { parseJson } from '../../../src/adapters/embedded-qdrant/json/parse-json';
import { pointTest } from '../../../src/adapters/embedded-qdrant/engine/filter-mask';
import { parseDatetime } from '../../../src/adapters/embedded-qdrant/filter/datetime';
import { filter } from '../../../src/adapters/embedded-qdrant/schema/filter.schema';
import { addCollection, apply, idsPassing, openEngine, property, upsert } from './support/engine';

const VECTORS = { vectors: { size: 1, distance: 'Dot' } };

/** Whether one payload passes, asked in three ways that must agree: scanned, by index, and point by point. */
function passes(payload: string, body: JsonObject, index?: Json): boolean {
  const engine = openEngine();
  try {
    const point = parseJson(`{"id": 1, "vector": [1], "payload": ${payload}}`) as JsonObject;
    const plain = addCollection(engine, 'plain', VECTORS, index === undefined ? {} : { v: index });
    apply(engine, plain, [upsert([point])]);
    const scanned = idsPassing(plain, body).length === 1;
    expect(pointTest(filter(body, ''), plain)(0)).toBe(scanned);
    if (index === undefined) {
      const indexed = addCollection(engine, 'indexed', VECTORS, { v: 'keyword' });
      apply(engine, indexed, [upsert([point])]);
      expect(idsPassing(indexed, body).length === 1).toBe(scanned);
    }
    return scanned;
  } finally {
    engine.store.close();
  }
}

const field = (condition: JsonObject): JsonObject => ({ must: [{ key: 'v', ...condition }] });

describe('a field condition', () => {
  it.each<[string, JsonObject, boolean]>([
    ['{"v": 3}', { match: { value: 3 } }, true],
    ['{"v": 3.0}', { match: { value: 3 } }, false],
    ['{"v": 18446744073709551615}', { match: { value: 3 } }, false],
    ['{"v": true}', { match: { value: 1 } }, false],
    ['{"v": true}', { match: { value: true } }, true],
    ['{"v": "A"}', { match: { value: 'a' } }, false],
    ['{"v": "3"}', { match: { value: 3 } }, false],
    ['{"v": ["x", "a"]}', { match: { value: 'a' } }, true],
    ['{"v": [["a"]]}', { match: { value: 'a' } }, false],
    ['{"v": {"w": "a"}}', { match: { value: 'a' } }, false],
    ['{"v": 2}', { match: { any: [1, 2] } }, true],
    ['{"v": 2}', { match: { any: [] } }, false],
    ['{}', { match: { except: ['a'] } }, false],
    ['{"v": null}', { match: { except: ['a'] } }, false],
    ['{"v": "b"}', { match: { except: ['a'] } }, true],
    ['{"v": 5}', { match: { except: ['a'] } }, true],
    ['{"v": {"w": 1}}', { match: { except: ['a'] } }, true],
    ['{"v": "a"}', { match: { except: ['a'] } }, false],
    ['{"v": ["a", "b"]}', { match: { except: ['a'] } }, true],
    ['{"v": []}', { match: { except: ['a'] } }, false],
    ['{"v": 3.0}', { range: { gte: 3, lt: 4 } }, true],
    ['{"v": 18446744073709551615}', { range: { gt: 1e19 } }, true],
    ['{"v": "3"}', { range: { gte: 3 } }, false],
    ['{"v": [1, 9]}', { range: { gt: 8 } }, true],
    ['{"v": "2024-02-03T04:05:06Z"}', { range: { gte: '2024-02-03 04:05' } }, true],
    ['{"v": "2024-02-03T04:05:06+02:00"}', { range: { lt: '2024-02-03T02:05:07' } }, true],
    ['{"v": "2024-02-03"}', { range: { gt: '2024-02-03T00:00:00Z' } }, false],
    ['{"v": 1706932800}', { range: { gt: '2020-01-01' } }, false],
    ['{"v": "not a date"}', { range: { gt: '2020-01-01' } }, false],
    ['{}', { is_empty: true }, true],
    ['{"v": []}', { is_empty: true }, true],
    ['{"v": null}', { is_empty: true }, true],
    ['{"v": [null]}', { is_empty: true }, false],
    ['{"v": 0}', { is_empty: false }, true],
    ['{"v": null}', { is_null: true }, true],
    ['{}', { is_null: true }, false],
    ['{"v": [null]}', { is_null: true }, false],
    ['{}', { values_count: { lt: 5 } }, false],
    ['{"v": null}', { values_count: { lt: 1 } }, true],
    ['{"v": "x"}', { values_count: { gte: 1, lte: 1 } }, true],
    ['{"v": [1, 2, 3]}', { values_count: { gt: 2 } }, true],
    ['{"v": "Hello World"}', { match: { text: 'lo Wo' } }, true],
    ['{"v": "Hello World"}', { match: { text: 'hello' } }, false],
    ['{"v": {"lat": 52.5, "lon": 13.4}}', { geo_radius: { center: { lat: 52.52, lon: 13.405 }, radius: 3000 } }, true],
    ['{"v": {"lat": 52.5, "lon": 13.4}}', { geo_radius: { center: { lat: 52.52, lon: 13.405 }, radius: 2000 } }, false],
    [
      '{"v": {"lat": 0, "lon": 179.5}}',
      { geo_bounding_box: { top_left: { lat: 1, lon: 179 }, bottom_right: { lat: -1, lon: -179 } } },
      true,
    ],
  ])('%s with %j: %s', (payload, condition, expected) => {
    expect(passes(payload, field(condition))).toBe(expected);
  });

  it.each<[JsonObject, boolean]>([
    [{ text: 'quick FOX' }, true],
    [{ text: 'quick cat' }, false],
    [{ text: 'qui' }, false],
    [{ text_any: 'cat fox' }, true],
    [{ phrase: 'quick brown' }, true],
    [{ phrase: 'brown quick' }, false],
    [{ text: '...' }, false],
  ])('with a text index, %j: %s', (match, expected) => {
    const index = { type: 'text', phrase_matching: true };
    expect(passes('{"v": "The quick-brown Fox"}', field({ match }), index)).toBe(expected);
  });
});

describe('clauses', () => {
  const yes: JsonObject = { key: 'v', match: { value: 1 } };
  const no: JsonObject = { key: 'v', match: { value: 2 } };

  it.each<[JsonObject, boolean]>([
    [{}, true],
    [{ must: [] }, true],
    [{ should: [] }, false],
    [{ must_not: [] }, true],
    [{ must: yes }, true],
    [{ should: [no, yes] }, true],
    [{ should: [no] }, false],
    [{ must: [yes], should: [no] }, false],
    [{ must_not: [no] }, true],
    [{ must_not: [no, yes] }, false],
    [{ min_should: { conditions: [yes, no, yes], min_count: 2 } }, true],
    [{ min_should: { conditions: [yes, no], min_count: 2 } }, false],
    [{ min_should: { conditions: [], min_count: 0 } }, true],
    [{ must: [{ should: [no, { must_not: [no] }] }] }, true],
    [{ must: [{ has_id: [1, 2] }] }, true],
    [{ must: [{ has_id: [2] }] }, false],
    [{ must: [{ has_vector: '' }] }, true],
    [{ must: [{ has_vector: 'other' }] }, false],
    [{ must: [{ nested: { key: 'list', filter: { must: [{ key: 'a', match: { value: 1 } }] } } }] }, true],
    [
      {
        must: [
          {
            nested: {
              key: 'list',
              filter: {
                must: [
                  { key: 'a', match: { value: 1 } },
                  { key: 'b', match: { value: 2 } },
                ],
              },
            },
          },
        ],
      },
      false,
    ],
    [{ must: [{ nested: { key: 'list', filter: { must_not: [{ key: 'a', match: { value: 1 } }] } } }] }, true],
    [{ must: [{ nested: { key: 'v', filter: {} } }] }, false],
  ])('%j: %s', (body, expected) => {
    expect(passes('{"v": 1, "list": [{"a": 1, "b": 1}, {"a": 2, "b": 2}, 5]}', body)).toBe(expected);
  });
});

describe('an index', () => {
  const scalar = fc.oneof(
    fc.constantFrom<Json>('a', 'b', '2024-01-01', null, true, 1.5),
    fc.integer({ min: 0, max: 3 }),
  );
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.record({ w: scalar }));
  const payload = fc.record({ v: value }, { requiredKeys: [] });
  const condition = fc.oneof(
    fc.record({ match: fc.record({ value: fc.constantFrom<Json>('a', 1, true) }) }),
    fc.record({ match: fc.record({ except: fc.constantFrom<Json>(['a'], [1, 2]) }) }),
    fc.record({ range: fc.constantFrom<Json>({ gt: 1 }, { lte: 1.5 }, { gte: '2023-01-01' }) }),
    fc.record({ is_empty: fc.boolean() }),
    fc.record({ is_null: fc.boolean() }),
    fc.record({ values_count: fc.constantFrom<Json>({ gt: 0 }, { lt: 2 }) }),
  );
  const clause = fc.constantFrom('must', 'should', 'must_not');

  it('changes no answer, whatever was written, overwritten and deleted before', () =>
    property(
      fc.record({
        writes: fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.option(payload, { nil: undefined })), {
          maxLength: 40,
        }),
        conditions: fc.array(fc.tuple(clause, condition), { minLength: 1, maxLength: 4 }),
      }),
      ({ writes, conditions }) => {
        const engine = openEngine();
        try {
          const collections = [
            addCollection(engine, 'plain', VECTORS),
            addCollection(engine, 'indexed', VECTORS, { v: 'keyword', 'v.w': 'integer' }),
          ];
          for (const [id, body] of writes) {
            const operation: JsonObject =
              body === undefined ? { delete: { points: [id] } } : upsert([{ id, vector: [1], payload: body }]);
            for (const collection of collections) apply(engine, collection, [operation]);
          }
          const body: JsonObject = {};
          for (const [name, item] of conditions) {
            const at = 'range' in item ? 'v.w' : 'v';
            body[name] = [...((body[name] as Json[] | undefined) ?? []), { key: at, ...(item as JsonObject) }];
          }
          const [plain, indexed] = collections.map((collection) => idsPassing(collection, body));
          expect(indexed).toEqual(plain);
        } finally {
          engine.store.close();
        }
      },
    ));
});

describe('a datetime', () => {
  it.each([
    ['2024-02-29T12:00:00Z', Date.UTC(2024, 1, 29, 12) * 1000],
    ['2024-02-29 12:00:00.5', Date.UTC(2024, 1, 29, 12, 0, 0, 500) * 1000],
    ['2024-02-29T12:00', Date.UTC(2024, 1, 29, 12) * 1000],
    ['2024-02-29', Date.UTC(2024, 1, 29) * 1000],
    ['2024-02-29T12:00:00.000001+01:30', Date.UTC(2024, 1, 29, 10, 30) * 1000 + 1],
    ['1969-12-31T23:59:59Z', -1_000_000],
    ['0001-01-01', new Date('0001-01-01T00:00:00Z').getTime() * 1000],
  ])('%s', (text, micros) => {
    expect(parseDatetime(text)).toBe(micros);
  });

  it.each(['2023-02-29', '2024-13-01', '2024-01-01T25:00', 'yesterday', '2024', '2024-01-01T', ''])(
    '%j is none',
    (text) => {
      expect(parseDatetime(text)).toBeUndefined();
    },
  );
});
