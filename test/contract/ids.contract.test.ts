import { describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { ANY_VECTOR } from './support/points';

const server = useContractServer();
const CANONICAL = '550e8400-e29b-41d4-a716-446655440000';

describe('point ids', () => {
  const spellings: [string, string][] = [
    ['hyphenated', CANONICAL],
    ['upper case', CANONICAL.toUpperCase()],
    ['simple', CANONICAL.replaceAll('-', '')],
    ['URN', `urn:uuid:${CANONICAL}`],
  ];
  it.each(spellings)('a UUID may be %s, and comes back canonical', async (_, spelling) => {
    const name = await server.create({ vectors: ANY_VECTOR });
    await server.client.upsert(name, { wait: true, points: [{ id: spelling, vector: [1, 1] }] });
    const { points } = await server.client.scroll(name, {});
    expect(points.map(({ id }) => id)).toEqual([CANONICAL]);
    expect(await server.client.retrieve(name, { ids: [spelling] })).toHaveLength(1);
    expect((await server.client.count(name, { filter: { must: [{ has_id: [spelling] }] } })).count).toBe(1);
    await server.client.delete(name, { wait: true, points: [spelling] });
    expect((await server.client.count(name)).count).toBe(0);
  });

  it('every spelling is the same point', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    for (const [, spelling] of spellings) {
      await server.client.upsert(name, { wait: true, points: [{ id: spelling, vector: [1, 1] }] });
    }
    expect((await server.client.count(name)).count).toBe(1);
  });

  it('a number may be any unsigned 64-bit integer', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const ids = ['0', '9007199254740993', '18446744073709551615'];
    // Raw text both ways: JavaScript numbers end before these do.
    const points = ids.map((id) => `{"id": ${id}, "vector": [1, 1]}`).join();
    await server.http('PUT', `/collections/${name}/points?wait=true`, `{"points": [${points}]}`);
    const scrolled = await fetch(`${server.url}/collections/${name}/points/scroll`, {
      method: 'POST',
      headers: server.headers,
      body: '{"with_payload": false}',
    });
    const text = await scrolled.text();
    expect([...text.matchAll(/"id":\s*(\d+)/g)].map((match) => match[1])).toEqual(ids);
  });

  it.each([
    ['-1'],
    ['1.5'],
    ['18446744073709551616'],
    ['"point"'],
    ['true'],
    ['"550e8400-e29b-41d4-a716-44665544000"'],
  ])('%s is none: 400', async (id) => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const body = `{"points": [{"id": ${id}, "vector": [1, 1]}]}`;
    expect((await server.http('PUT', `/collections/${name}/points?wait=true`, body)).status).toBe(400);
    expect((await server.client.count(name)).count).toBe(0);
  });
});
