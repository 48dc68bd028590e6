import { describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { ANY_VECTOR, createWithPayloads, idsMatching, type Id } from './support/points';

const server = useContractServer();

interface Table {
  about: string;
  payloads: Record<number, Record<string, unknown>>;
  /** What it says, the one condition, who passes. */
  cases: [string, unknown, Id[]][];
}

const tables: Table[] = [
  {
    about: 'paths',
    payloads: {
      1: { a: { b: 1 } },
      2: { a: [{ b: 1 }, { b: 2 }] },
      3: { a: [{ b: 2 }, { b: 1 }] },
      4: { a: { b: [1, 2] } },
      5: { a: { b: [[1]] } },
      6: {},
    },
    cases: [
      ['a.b does not descend into an array', { key: 'a.b', match: { value: 1 } }, [1, 4]],
      ['a[].b does', { key: 'a[].b', match: { value: 1 } }, [2, 3]],
      ['a[0].b takes one element', { key: 'a[0].b', match: { value: 1 } }, [2]],
      ['a[1].b takes another', { key: 'a[1].b', match: { value: 1 } }, [3]],
      ['an index past the end is missing', { is_empty: { key: 'a[2].b' } }, [1, 2, 3, 4, 5, 6]],
    ],
  },
  {
    about: 'match any and except',
    payloads: {
      1: { c: 'x' },
      2: { c: 'y' },
      3: { c: 3 },
      4: { c: null },
      5: {},
      6: { c: ['x', 'y'] },
      7: { c: ['x'] },
      8: { c: true },
    },
    cases: [
      ['any', { key: 'c', match: { any: ['x', 'z'] } }, [1, 6, 7]],
      ['any of integers', { key: 'c', match: { any: [3, 4] } }, [3]],
      ['any of none', { key: 'c', match: { any: [] } }, []],
      ['except: missing and null fail, other types pass', { key: 'c', match: { except: ['x'] } }, [2, 3, 6, 8]],
      ['except of integers', { key: 'c', match: { except: [3] } }, [1, 2, 6, 7, 8]],
    ],
  },
  {
    about: 'numeric range',
    payloads: { 1: { r: 1 }, 2: { r: 2.5 }, 3: { r: '2' }, 4: { r: [0, 10] }, 5: { r: null }, 6: {}, 7: { r: true } },
    cases: [
      ['gt', { key: 'r', range: { gt: 1 } }, [2, 4]],
      ['gte', { key: 'r', range: { gte: 1 } }, [1, 2, 4]],
      ['lt', { key: 'r', range: { lt: 2.5 } }, [1, 4]],
      ['lte', { key: 'r', range: { lte: 2.5 } }, [1, 2, 4]],
      ['both bounds hold for one element', { key: 'r', range: { gte: 3, lte: 5 } }, []],
      ['both bounds', { key: 'r', range: { gt: 1, lt: 3 } }, [2]],
    ],
  },
  {
    about: 'datetime range',
    payloads: {
      1: { d: '2024-01-01T00:00:00Z' },
      2: { d: '2024-01-01T02:00:00+02:00' },
      3: { d: '2024-01-01 00:00' },
      4: { d: '2024-01-02' },
      5: { d: 1704067200 },
      6: { d: 'some day' },
      7: { d: '2023-12-31T23:59:59' },
      8: { d: ['2022-05-05', '2024-01-01T00:00:00.5Z'] },
    },
    cases: [
      [
        'zone, T or space, seconds and fractions are optional',
        { key: 'd', range: { gte: '2024-01-01T00:00:00Z', lt: '2024-01-01T00:00:01Z' } },
        [1, 2, 3, 8],
      ],
      ['a bare date is midnight in UTC', { key: 'd', range: { gt: '2024-01-01T12:00:00' } }, [4]],
      ['a bare date as the bound', { key: 'd', range: { lt: '2024-01-01' } }, [7, 8]],
      ['an offset in the bound', { key: 'd', range: { lte: '2024-01-01T01:00:00+01:00' } }, [1, 2, 3, 7, 8]],
    ],
  },
  {
    about: 'emptiness',
    payloads: { 1: {}, 2: { e: null }, 3: { e: [] }, 4: { e: [null] }, 5: { e: '' }, 6: { e: 0 }, 7: { e: {} } },
    cases: [
      ['is_empty: missing, null or []', { is_empty: { key: 'e' } }, [1, 2, 3]],
      ['is_null: null alone', { is_null: { key: 'e' } }, [2]],
    ],
  },
  {
    about: 'values_count',
    payloads: { 1: { v: [1, 2, 3] }, 2: { v: [] }, 3: { v: null }, 4: { v: 'x' }, 5: { v: [null] } },
    cases: [
      ['an array counts its elements', { key: 'v', values_count: { gte: 2 } }, [1]],
      ['a scalar is one', { key: 'v', values_count: { gt: 0, lt: 2 } }, [4, 5]],
      ['null and [] are none', { key: 'v', values_count: { lte: 0 } }, [2, 3]],
    ],
  },
  {
    about: 'nested',
    payloads: {
      1: {
        items: [
          { n: 'a', q: 1 },
          { n: 'b', q: 9 },
        ],
      },
      2: { items: [{ n: 'a', q: 9 }] },
      3: { items: ['a', { n: 'a', q: 9 }] },
      4: { items: [] },
      5: {},
    },
    cases: [
      [
        'one element satisfies the whole inner filter; others than objects are skipped',
        {
          nested: {
            key: 'items',
            filter: {
              must: [
                { key: 'n', match: { value: 'a' } },
                { key: 'q', range: { gte: 5 } },
              ],
            },
          },
        },
        [2, 3],
      ],
      [
        'must_not inside speaks of one element',
        { nested: { key: 'items', filter: { must_not: [{ key: 'n', match: { value: 'a' } }] } } },
        [1],
      ],
      [
        'should inside',
        {
          nested: {
            key: 'items',
            filter: {
              should: [
                { key: 'n', match: { value: 'b' } },
                { key: 'q', range: { lt: 0 } },
              ],
            },
          },
        },
        [1],
      ],
      [
        'without it, different elements may satisfy different conditions',
        {
          must: [
            { key: 'items[].n', match: { value: 'a' } },
            { key: 'items[].q', range: { gte: 5 } },
          ],
        },
        [1, 2, 3],
      ],
    ],
  },
];

describe.each(tables)('filter values: $about', ({ payloads, cases }) => {
  it('selects', async () => {
    const name = await createWithPayloads(server, payloads);
    const selected: Record<string, Id[]> = {};
    for (const [about, condition] of cases) {
      selected[about] = await idsMatching(server, name, { must: [condition] });
    }
    expect(selected).toEqual(Object.fromEntries(cases.map(([about, , ids]) => [about, ids])));
  });
});

describe('filter values: match', () => {
  it('is typed: 3.0 is no integer, a bool is no integer, keywords are case-sensitive', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const spelled = ['3', '3.0', 'true', '"3"', '[1, 3]', '"A"', '"a"', 'null'];
    const points = spelled.map((value, i) => `{"id": ${i + 1}, "vector": [1, 1], "payload": {"n": ${value}}}`);
    // Raw text, because a JavaScript number would lose the difference between 3 and 3.0.
    const stored = await server.http('PUT', `/collections/${name}/points?wait=true`, `{"points": [${points.join()}]}`);
    expect(stored.status).toBe(200);
    const select = (match: unknown) => idsMatching(server, name, { must: [{ key: 'n', match }] });
    expect(await select({ value: 3 })).toEqual([1, 5]);
    expect(await select({ value: '3' })).toEqual([4]);
    expect(await select({ value: true })).toEqual([3]);
    expect(await select({ value: 'a' })).toEqual([7]);
    expect(await select({ any: ['a', 'A'] })).toEqual([6, 7]);
    expect(await select({ any: [1, 3] })).toEqual([1, 5]);
    expect(await idsMatching(server, name, { must: [{ key: 'n', range: { gte: 3 } }] })).toEqual([1, 2, 5]);
  });
});

describe('filter values: with payload indexes', () => {
  it('an index changes no answer', async () => {
    const name = await createWithPayloads(server, {
      1: { k: 'x', i: 1, f: 0.5, b: true, d: '2024-01-01T00:00:00Z', u: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' },
      2: { k: ['x', 'y'], i: [2, 3], f: 2, b: false, d: '2025-01-01' },
      3: { k: null },
      4: {},
    });
    const conditions = [
      { key: 'k', match: { value: 'x' } },
      { key: 'k', match: { except: ['x'] } },
      { key: 'i', match: { any: [1, 3] } },
      { key: 'i', range: { gt: 1 } },
      { key: 'f', range: { lte: 2 } },
      { key: 'b', match: { value: false } },
      { key: 'd', range: { gte: '2024-06-01' } },
      { is_empty: { key: 'k' } },
      { is_null: { key: 'k' } },
    ];
    const select = () => Promise.all(conditions.map((condition) => idsMatching(server, name, { must: [condition] })));
    const before = await select();
    expect(before).toEqual([[1, 2], [2], [1, 2], [2], [1, 2], [2], [2], [3, 4], [3]]);
    const types = { k: 'keyword', i: 'integer', f: 'float', b: 'bool', d: 'datetime', u: 'uuid' } as const;
    for (const [field_name, field_schema] of Object.entries(types)) {
      await server.client.createPayloadIndex(name, { wait: true, field_name, field_schema });
    }
    expect(await select()).toEqual(before);
    const { payload_schema } = await server.client.getCollection(name);
    expect(Object.fromEntries(Object.entries(payload_schema).map(([key, index]) => [key, index!.data_type]))).toEqual(
      types,
    );
  });
});
