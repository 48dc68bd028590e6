import { describe, expect, it } from '@jest/globals';
import { useContractServer, type Schemas } from './support/contract-server';
import { ANY_VECTOR, createWithPayloads, type Id } from './support/points';

const server = useContractServer();

async function payloads(name: string): Promise<Record<string, unknown>> {
  const { points } = await server.client.scroll(name, { limit: 100 });
  return Object.fromEntries(points.map(({ id, payload }) => [id, payload ?? {}]));
}

describe('payload writes', () => {
  it('set_payload merges top-level keys, and null deletes one', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1, b: { c: 1, d: 2 }, e: 'x' }, 2: { a: 1 } });
    await server.client.setPayload(name, { wait: true, points: [1], payload: { b: { c: 9 }, e: null, f: [1] } });
    expect(await payloads(name)).toEqual({ 1: { a: 1, b: { c: 9 }, f: [1] }, 2: { a: 1 } });
  });

  it('set_payload takes a filter, and a key to set below', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1, b: { c: 1 } }, 2: { a: 2 } });
    await server.client.setPayload(name, {
      wait: true,
      filter: { must: [{ key: 'a', match: { value: 2 } }] },
      payload: { z: true },
    });
    await server.client.setPayload(name, { wait: true, points: [1], key: 'b', payload: { d: 2 } });
    expect(await payloads(name)).toEqual({ 1: { a: 1, b: { c: 1, d: 2 } }, 2: { a: 2, z: true } });
  });

  it('overwrite replaces all', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1, b: 2 }, 2: { a: 1 } });
    await server.client.overwritePayload(name, { wait: true, points: [1], payload: { c: 3 } });
    expect(await payloads(name)).toEqual({ 1: { c: 3 }, 2: { a: 1 } });
  });

  it('delete_payload removes keys, clear_payload all', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1, b: { c: 1, d: 1 } }, 2: { a: 1 } });
    await server.client.deletePayload(name, { wait: true, points: [1], keys: ['a', 'b.c', 'absent'] });
    await server.client.clearPayload(name, { wait: true, points: [2] });
    expect(await payloads(name)).toEqual({ 1: { b: { d: 1 } }, 2: {} });
  });
});

describe('upsert', () => {
  it('replaces the whole point, vectors and payload', async () => {
    const name = await server.create({ vectors: { a: ANY_VECTOR, b: ANY_VECTOR } });
    const upsert = (point: Schemas['PointStruct']) => server.client.upsert(name, { wait: true, points: [point] });
    await upsert({ id: 1, vector: { a: [1, 1], b: [2, 2] }, payload: { x: 1, y: 2 } });
    await upsert({ id: 1, vector: { a: [3, 3] }, payload: { y: 3 } });
    const [record] = await server.client.retrieve(name, { ids: [1], with_vector: true });
    expect(record).toMatchObject({ payload: { y: 3 }, vector: { a: [3, 3] } });
    expect(Object.keys(record!.vector as object)).toEqual(['a']);
    await upsert({ id: 1, vector: { a: [4, 4] } });
    expect((await server.client.retrieve(name, { ids: [1] }))[0]!.payload ?? {}).toEqual({});
  });

  it('takes columns as well as rows', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    await server.client.upsert(name, {
      wait: true,
      batch: {
        ids: [1, 2],
        vectors: [
          [1, 1],
          [2, 2],
        ],
        payloads: [{ a: 1 }, null],
      },
    });
    expect(await payloads(name)).toEqual({ 1: { a: 1 }, 2: {} });
  });

  const olderThan = (revision: number) => ({ must: [{ key: 'revision', range: { lt: revision } }] });
  const point = (id: number, revision: number) => ({ id, vector: [revision, 1], payload: { revision } });

  it('update_filter: existing points change only if they match, new ones are always written', async () => {
    const name = await createWithPayloads(server, { 1: { revision: 5 }, 2: { revision: 1 } });
    const body = { points: [point(1, 3), point(2, 3), point(3, 3)], update_filter: olderThan(3) };
    const answer = await server.http('PUT', `/collections/${name}/points?wait=true`, body);
    expect(answer.status).toBe(200);
    expect(await payloads(name)).toEqual({ 1: { revision: 5 }, 2: { revision: 3 }, 3: { revision: 3 } });
    const records = await server.client.retrieve(name, { ids: [1, 2, 3], with_vector: true });
    expect(Object.fromEntries(records.map(({ id, vector }) => [id, vector]))).toEqual({
      1: [1, 1],
      2: [3, 1],
      3: [3, 1],
    });
  });

  it('update_filter may speak of ids', async () => {
    const name = await createWithPayloads(server, { 1: { revision: 5 }, 2: { revision: 5 } });
    const isNewer = { must: [{ has_id: [1] }, { key: 'revision', range: { gt: 4 } }] };
    const body = { points: [point(1, 4), point(2, 6)], update_filter: { must_not: [isNewer] } };
    await server.http('PUT', `/collections/${name}/points?wait=true`, body);
    expect(await payloads(name)).toEqual({ 1: { revision: 5 }, 2: { revision: 6 } });
  });

  const modes: [string, Record<string, unknown>][] = [
    ['upsert', { 1: { revision: 9 }, 2: { revision: 9 } }],
    ['insert_only', { 1: { revision: 1 }, 2: { revision: 9 } }],
    ['update_only', { 1: { revision: 9 } }],
  ];
  it.each(modes)('update_mode %s', async (update_mode, expected) => {
    const name = await createWithPayloads(server, { 1: { revision: 1 } });
    const body = { points: [point(1, 9), point(2, 9)], update_mode };
    expect((await server.http('PUT', `/collections/${name}/points?wait=true`, body)).status).toBe(200);
    expect(await payloads(name)).toEqual(expected);
  });
});

describe('vector writes', () => {
  it('update_vectors changes the named ones, delete_vectors removes them, payload stays', async () => {
    const name = await server.create({ vectors: { a: ANY_VECTOR, b: ANY_VECTOR } });
    const points = [{ id: 1, vector: { a: [1, 1], b: [2, 2] }, payload: { x: 1 } }];
    await server.client.upsert(name, { wait: true, points });
    await server.client.updateVectors(name, { wait: true, points: [{ id: 1, vector: { b: [5, 5] } }] });
    const read = async () => (await server.client.retrieve(name, { ids: [1], with_vector: true }))[0]!;
    expect(await read()).toMatchObject({ payload: { x: 1 }, vector: { a: [1, 1], b: [5, 5] } });
    await server.client.deleteVectors(name, { wait: true, points: [1], vector: ['b'] });
    expect((await read()).vector).toEqual({ a: [1, 1] });
    expect((await server.client.query(name, { query: [1, 1], using: 'b' })).points).toEqual([]);
  });
});

describe('deletes', () => {
  it('by ids, absent ones included, and by filter', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1 }, 2: { a: 2 }, 3: { a: 3 } });
    await server.client.delete(name, { wait: true, points: [1, 77] });
    await server.client.delete(name, { wait: true, filter: { must: [{ key: 'a', match: { value: 3 } }] } });
    expect(Object.keys(await payloads(name))).toEqual(['2']);
  });
});

describe('batch', () => {
  it('applies every operation in its order', async () => {
    const name = await createWithPayloads(server, { 1: { a: 1 }, 2: { a: 2 }, 3: { a: 3 } });
    const results = await server.client.batchUpdate(name, {
      wait: true,
      operations: [
        { upsert: { points: [{ id: 4, vector: [4, 4], payload: { a: 4 } }] } },
        { overwrite_payload: { points: [1], payload: { b: 1 } } },
        { overwrite_payload: { filter: { must: [{ has_id: [2, 99] }] }, payload: { b: 2 } } },
        { set_payload: { points: [4], payload: { b: 4 } } },
        { delete_payload: { points: [4], keys: ['a'] } },
        { delete: { points: [3] } },
        { update_vectors: { points: [{ id: 1, vector: [9, 9] }] } },
      ],
    });
    expect(results).toHaveLength(7);
    for (const result of results) expect(result.status).toBe('completed');
    expect(await payloads(name)).toEqual({ 1: { b: 1 }, 2: { b: 2 }, 4: { b: 4 } });
    expect((await server.client.retrieve(name, { ids: [1], with_vector: true }))[0]!.vector).toEqual([9, 9]);
  });
});

describe('the result of a write', () => {
  it('is completed with wait and acknowledged without, each with a growing operation_id', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const write = async (wait: boolean, id: Id) =>
      (
        await server.http<Schemas['UpdateResult']>('PUT', `/collections/${name}/points?wait=${wait}`, {
          points: [{ id, vector: [1, 1] }],
        })
      ).body.result!;
    const [first, second, third] = [await write(true, 1), await write(false, 2), await write(true, 3)];
    expect([first.status, second.status, third.status]).toEqual(['completed', 'acknowledged', 'completed']);
    expect(typeof first.operation_id).toBe('number');
    expect(second.operation_id!).toBeGreaterThan(first.operation_id!);
    expect(third.operation_id!).toBeGreaterThan(second.operation_id!);
    // The waiting write comes after the other one, so both are there.
    expect((await server.client.count(name)).count).toBe(3);
  });
});
