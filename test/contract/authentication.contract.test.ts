import { describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';

const server = useContractServer('the-right-key');

// A real server without a key has nothing to refuse: set QDRANT_API_KEY to one that has.
const whenKeyed = server.hasApiKey ? describe : describe.skip;

whenKeyed('a server with an API key', () => {
  const status = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await fetch(server.url + path, { method, headers })).status;

  it('takes it as a header and as a bearer token', async () => {
    const key = server.headers['api-key']!;
    expect(await status('/collections', { 'api-key': key })).toBe(200);
    expect(await status('/collections', { authorization: `Bearer ${key}` })).toBe(200);
    expect((await server.client.getCollections()).collections).toBeInstanceOf(Array);
  });

  it.each([
    ['none', {}],
    ['a wrong one', { 'api-key': 'the-wrong-key' }],
    ['an empty one', { 'api-key': '' }],
    ['a wrong bearer token', { authorization: 'Bearer the-wrong-key' }],
  ])('with %s refuses reads and writes', async (_, headers) => {
    const name = server.freshName();
    expect([401, 403]).toContain(await status('/collections', headers));
    expect([401, 403]).toContain(await status(`/collections/${name}`, headers, 'PUT'));
    expect([401, 403]).toContain(await status(`/collections/${name}`, headers, 'DELETE'));
  });
});
