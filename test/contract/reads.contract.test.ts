import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer, type Schemas } from './support/contract-server';
import { ANY_VECTOR } from './support/points';

const server = useContractServer();
const COUNT = 25;

let name = '';
beforeAll(async () => {
  name = await server.create({ vectors: ANY_VECTOR });
  await server.client.upsert(name, {
    wait: true,
    points: Array.from({ length: COUNT }, (_, i) => ({
      id: i + 1,
      vector: [i + 1, 1],
      payload: { number: i + 1, text: `point ${i + 1}`, nested: { a: { b: i }, c: true } },
    })),
  });
});

describe('query', () => {
  it('answers ten points with neither payload nor vector by default', async () => {
    const answer = await server.http<Schemas['QueryResponse']>('POST', `/collections/${name}/points/query`, {
      query: [1, 0],
    });
    const points = answer.body.result!.points;
    expect(points.map(({ id }) => id)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
    for (const point of points) {
      expect(point.payload ?? null).toBeNull();
      expect(point.vector ?? null).toBeNull();
      expect(typeof point.version).toBe('number');
    }
  });

  it('without a query answers points in id order', async () => {
    const { points } = await server.client.query(name, { limit: 3 });
    expect(points.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('gives payload and vector when asked', async () => {
    const { points } = await server.client.query(name, {
      query: [1, 0],
      limit: 1,
      with_payload: true,
      with_vector: true,
    });
    expect(points[0]).toMatchObject({ id: 25, score: 25, payload: { number: 25, text: 'point 25' }, vector: [25, 1] });
  });

  const selections: [string, Schemas['WithPayloadInterface'], unknown][] = [
    ['a list includes', ['number'], { number: 1 }],
    ['a path includes its branch', ['nested.a'], { nested: { a: { b: 0 } } }],
    ['include', { include: ['text', 'nested.c'] }, { text: 'point 1', nested: { c: true } }],
    ['exclude', { exclude: ['text', 'nested.a'] }, { number: 1, nested: { c: true } }],
    ['what is not there is left out', ['absent'], {}],
  ];
  it.each(selections)('payload selection: %s', async (_, with_payload, expected) => {
    const { points } = await server.client.query(name, { query: [-1, 0], limit: 1, with_payload });
    expect(points[0]!.payload).toEqual(expected);
    const [record] = await server.client.retrieve(name, { ids: [1], with_payload });
    expect(record!.payload).toEqual(expected);
  });
});

describe('retrieve', () => {
  it('gives the payload and no vector by default, and leaves absent ids out', async () => {
    const records = await server.client.retrieve(name, { ids: [3, 999, 1] });
    expect(new Map(records.map(({ id, payload }) => [id, payload!.number]))).toEqual(
      new Map([
        [1, 1],
        [3, 3],
      ]),
    );
    for (const record of records) expect(record.vector ?? null).toBeNull();
  });

  it('of one point is 404 when it is absent', async () => {
    const found = await server.http<Schemas['Record']>('GET', `/collections/${name}/points/3`);
    expect(found.body.result).toMatchObject({ id: 3, payload: { number: 3 }, vector: [3, 1] });
    expect((await server.http('GET', `/collections/${name}/points/999`)).status).toBe(404);
  });
});

describe('scroll', () => {
  it('gives ten points with payload and without vectors by default, and says where the next page starts', async () => {
    const answer = await server.http<Schemas['ScrollResult']>('POST', `/collections/${name}/points/scroll`, {});
    const { points, next_page_offset } = answer.body.result!;
    expect(points.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(points[0]!.payload).toMatchObject({ number: 1 });
    expect(points[0]!.vector ?? null).toBeNull();
    expect(next_page_offset).toBe(11);
  });

  it('visits every point once, and ends with null', async () => {
    const seen: unknown[] = [];
    let offset: Schemas['ExtendedPointId'] | undefined;
    for (let page = 0; page < 10; page++) {
      const answer = await server.http<Schemas['ScrollResult']>('POST', `/collections/${name}/points/scroll`, {
        limit: 8,
        ...(offset === undefined ? {} : { offset }),
      });
      seen.push(...answer.body.result!.points.map(({ id }) => id));
      const next = answer.body.result!.next_page_offset;
      if (next === null || next === undefined) break;
      offset = next as Schemas['ExtendedPointId'];
    }
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
  });

  it('starts at the offset, counts only what passes the filter, and ends exactly', async () => {
    const filter = { must: [{ key: 'number', range: { gt: 20 } }] };
    const first = await server.client.scroll(name, { filter, limit: 3 });
    expect([first.points.map(({ id }) => id), first.next_page_offset]).toEqual([[21, 22, 23], 24]);
    const last = await server.client.scroll(name, { filter, limit: 2, offset: 24 });
    expect([last.points.map(({ id }) => id), last.next_page_offset]).toEqual([[24, 25], null]);
  });

  it('takes numbers before UUIDs, each in its order', async () => {
    const mixed = await server.create({ vectors: ANY_VECTOR });
    const uuids = [
      '00000000-0000-4000-8000-000000000001',
      '7fffffff-0000-4000-8000-000000000000',
      'f0000000-0000-4000-8000-000000000000',
    ];
    const ids = [uuids[2]!, 10, uuids[0]!, 2, uuids[1]!, 0];
    await server.client.upsert(mixed, { wait: true, points: ids.map((id) => ({ id, vector: [1, 1] })) });
    const { points } = await server.client.scroll(mixed, { limit: 10 });
    expect(points.map(({ id }) => id)).toEqual([0, 2, 10, ...uuids]);
    const page = await server.client.scroll(mixed, { limit: 4 });
    expect(page.next_page_offset).toBe(uuids[1]);
    const rest = await server.client.scroll(mixed, { limit: 4, offset: uuids[1]! });
    expect(rest.points.map(({ id }) => id)).toEqual(uuids.slice(1));
  });
});

describe('the distance matrix', () => {
  it('samples ten points and three neighbours of each by default', async () => {
    const answer = await server.http<Schemas['SearchMatrixPairsResponse']>(
      'POST',
      `/collections/${name}/points/search/matrix/pairs`,
      {},
    );
    expect(answer.status).toBe(200);
    const { pairs } = answer.body.result!;
    expect(new Set(pairs.map(({ a }) => a)).size).toBe(10);
    expect(pairs).toHaveLength(30);
    for (const { a, b, score } of pairs) {
      expect(a).not.toBe(b);
      expect(score).toBeCloseTo(Number(a) * Number(b) + 1, 3);
    }
  });
});
