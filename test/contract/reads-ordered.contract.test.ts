import { beforeAll, describe, expect, it } from '@jest/globals';
import { errorOf, useContractServer, type Schemas } from './support/contract-server';
import { ANY_VECTOR } from './support/points';

const server = useContractServer();

describe('order_by', () => {
  let name = '';
  beforeAll(async () => {
    name = await server.create({ vectors: ANY_VECTOR });
    const payloads = [
      { n: 5, d: '2024-03-01T00:00:00Z' },
      { n: 1.5, d: '2024-01-01T00:00:00Z' },
      { n: [7, 2], d: '2024-02-01T00:00:00Z' },
      { n: 'text' },
      {},
      { n: -3 },
    ];
    const points = payloads.map((payload, i) => ({ id: i + 1, vector: [1, 1], payload }));
    await server.client.upsert(name, { wait: true, points });
    await server.client.createPayloadIndex(name, { wait: true, field_name: 'n', field_schema: 'float' });
    await server.client.createPayloadIndex(name, { wait: true, field_name: 'd', field_schema: 'datetime' });
  });

  const scroll = async (order_by: Schemas['OrderByInterface'], limit = 10, filter?: Schemas['Filter']) =>
    (await server.client.scroll(name, { order_by, limit, ...(filter ? { filter } : {}) })).points.map(({ id }) => id);

  it('ascends by default, leaves out points without a value, and repeats a point for each value', async () => {
    expect(await scroll('n')).toEqual([6, 2, 3, 1, 3]);
  });

  it('descends', async () => {
    expect(await scroll({ key: 'n', direction: 'desc' })).toEqual([3, 1, 3, 2, 6]);
  });

  it('starts from a value', async () => {
    expect(await scroll({ key: 'n', start_from: 2 })).toEqual([3, 1, 3]);
    expect(await scroll({ key: 'n', direction: 'desc', start_from: 2 })).toEqual([3, 2, 6]);
  });

  it('orders datetimes', async () => {
    expect(await scroll('d')).toEqual([2, 3, 1]);
    expect(await scroll({ key: 'd', direction: 'desc', start_from: '2024-02-15T00:00:00Z' })).toEqual([3, 2]);
  });

  it('takes a filter and a limit', async () => {
    expect(await scroll('n', 2, { must_not: [{ has_id: [6] }] })).toEqual([2, 3]);
  });

  it('orders a query too', async () => {
    const { points } = await server.client.query(name, { query: { order_by: 'd' }, limit: 2 });
    expect(points.map(({ id }) => id)).toEqual([2, 3]);
  });

  it('with an offset is 400, and so it is without a payload index', async () => {
    const path = `/collections/${name}/points/scroll`;
    expect((await server.http('POST', path, { order_by: 'n', offset: 2 })).status).toBe(400);
    const answer = await server.http('POST', path, { order_by: 'other' });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(/index/i);
  });
});

describe('facets', () => {
  let name = '';
  beforeAll(async () => {
    name = await server.create({ vectors: ANY_VECTOR });
    const payloads = [
      { tag: 'b', n: 3 },
      { tag: ['a', 'b', 'b'], n: [1, 3] },
      { tag: 'c', n: 2 },
      { tag: ['c', 'd'], n: 2 },
      { tag: 'a' },
      { tag: 5 },
      { on: true },
      { on: true },
      { on: false },
    ];
    const points = payloads.map((payload, i) => ({ id: i + 1, vector: [1, 1], payload }));
    await server.client.upsert(name, { wait: true, points });
    for (const [field_name, field_schema] of [
      ['tag', 'keyword'],
      ['n', 'integer'],
      ['on', 'bool'],
    ] as const) {
      await server.client.createPayloadIndex(name, { wait: true, field_name, field_schema });
    }
  });

  const facet = async (body: Schemas['FacetRequest']) =>
    (await server.client.facet(name, { exact: true, ...body })).hits;

  it('count descending, then value ascending; a value counts once a point', async () => {
    expect(await facet({ key: 'tag' })).toEqual([
      { value: 'a', count: 2 },
      { value: 'b', count: 2 },
      { value: 'c', count: 2 },
      { value: 'd', count: 1 },
    ]);
  });

  it('of integers and of booleans', async () => {
    expect(await facet({ key: 'n' })).toEqual([
      { value: 2, count: 2 },
      { value: 3, count: 2 },
      { value: 1, count: 1 },
    ]);
    expect(await facet({ key: 'on' })).toEqual([
      { value: true, count: 2 },
      { value: false, count: 1 },
    ]);
  });

  it('take a limit and a filter', async () => {
    expect(await facet({ key: 'tag', limit: 1 })).toEqual([{ value: 'a', count: 2 }]);
    expect(await facet({ key: 'tag', filter: { must: [{ key: 'n', match: { value: 2 } }] } })).toEqual([
      { value: 'c', count: 2 },
      { value: 'd', count: 1 },
    ]);
  });

  it('need a payload index: 400 without', async () => {
    const answer = await server.http('POST', `/collections/${name}/facet`, { key: 'other' });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(/index/i);
  });
});

describe('groups', () => {
  let name = '';
  beforeAll(async () => {
    name = await server.create({ vectors: ANY_VECTOR });
    const owners: unknown[] = ['x', 'x', 'y', ['x', 'y'], 7, 7, 'x', 'x', null, undefined, [], 'z'];
    await server.client.upsert(name, {
      wait: true,
      points: owners.map((owner, i) => ({ id: i + 1, vector: [i + 1, 0], payload: { owner, at: i } })),
    });
  });

  const groups = async (body: Omit<Schemas['QueryGroupsRequest'], 'group_by'>) => {
    const answer = await server.client.queryGroups(name, { query: [1, 0], group_by: 'owner', ...body });
    return answer.groups.map(({ id, hits }) => [id, hits.map((hit) => hit.id)]);
  };

  it('are ordered by their best hit, hold three by default, and an array puts a point in several', async () => {
    const found = (await groups({ limit: 10 })) as [unknown, number[]][];
    expect(found.filter(([id]) => typeof id === 'string')).toEqual([
      ['z', [12]],
      ['x', [8, 7, 4]],
      ['y', [4, 3]],
    ]);
  });

  it('have strings or integers for ids, and nothing else', async () => {
    const found = (await groups({ limit: 10 })) as [unknown, number[]][];
    expect(found).toContainEqual([7, [6, 5]]);
    expect(found.map(([id]) => id)).toHaveLength(4);
  });

  it('take a limit and a group size', async () => {
    expect(await groups({ limit: 2, group_size: 1 })).toEqual([
      ['z', [12]],
      ['x', [8]],
    ]);
    const [, x] = await groups({ limit: 2, group_size: 10 });
    expect(x).toEqual(['x', [8, 7, 4, 2, 1]]);
  });

  it('take a filter, and give payload when asked', async () => {
    const answer = await server.client.queryGroups(name, {
      query: [1, 0],
      group_by: 'owner',
      limit: 1,
      group_size: 1,
      filter: { must: [{ key: 'at', range: { lt: 4 } }] },
      with_payload: ['at'],
    });
    expect(answer.groups).toHaveLength(1);
    expect(answer.groups[0]!.hits[0]).toMatchObject({ id: 4, score: 4, payload: { at: 3 } });
  });

  it('refuse a size of nothing: 422', async () => {
    const body = { query: [1, 0], group_by: 'owner', group_size: 0 };
    expect((await server.http('POST', `/collections/${name}/points/query/groups`, body)).status).toBe(422);
  });
});
