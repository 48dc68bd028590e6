import { describe, expect, it } from '@jest/globals';
import { errorOf, useContractServer, type Schemas } from './support/contract-server';
import { ANY_VECTOR } from './support/points';

const server = useContractServer();

describe('the service', () => {
  it('names itself and its version at the root', async () => {
    const answer = (await server.http('GET', '/')) as unknown as { body: Schemas['VersionInfo'] };
    expect(answer.body.title).toMatch(/qdrant/i);
    expect(answer.body.version).toMatch(/^1\.\d+\.\d+/);
  });

  it('wraps a success in result, status and time', async () => {
    const answer = await server.http<Schemas['CollectionsResponse']>('GET', '/collections');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body.status).toBe('ok');
    expect(typeof answer.body.time).toBe('number');
    expect(Array.isArray(answer.body.result?.collections)).toBe(true);
  });

  it('wraps a failure in status.error and time, without a result', async () => {
    const name = server.freshName();
    const answer = await server.http('GET', `/collections/${name}`);
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({
      status: { error: `Not found: Collection \`${name}\` doesn't exist!` },
      time: expect.any(Number),
    });
  });
});

describe('collections', () => {
  it('are created, described, listed and deleted', async () => {
    const name = await server.create({
      vectors: { dense: { size: 4, distance: 'Cosine' } },
      sparse_vectors: { lexical: { modifier: 'idf' } },
    });
    const info = await server.client.getCollection(name);
    expect(info.status).toBe('green');
    expect(info.points_count).toBe(0);
    expect(info.config.params.vectors).toMatchObject({ dense: { size: 4, distance: 'Cosine' } });
    expect(info.config.params.sparse_vectors).toMatchObject({ lexical: { modifier: 'idf' } });
    expect(info.payload_schema).toEqual({});
    expect(await server.client.collectionExists(name)).toEqual({ exists: true });
    const { collections } = await server.client.getCollections();
    expect(collections.map((collection) => collection.name)).toContain(name);
    const deleted = await server.http('DELETE', `/collections/${name}`);
    expect([deleted.status, deleted.body.result]).toEqual([200, true]);
    expect(await server.client.collectionExists(name)).toEqual({ exists: false });
  });

  it('with one unnamed vector are described by its size and distance', async () => {
    const name = await server.create({ vectors: { size: 3, distance: 'Euclid' } });
    const info = await server.client.getCollection(name);
    expect(info.config.params.vectors).toMatchObject({ size: 3, distance: 'Euclid' });
  });

  it('answer 200 and false when the one to delete is not there', async () => {
    const answer = await server.http('DELETE', `/collections/${server.freshName()}`);
    expect([answer.status, answer.body.result]).toEqual([200, false]);
  });

  it('are not created twice', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const answer = await server.http('PUT', `/collections/${name}`, { vectors: ANY_VECTOR });
    expect(answer.status).toBe(409);
    expect(errorOf(answer)).toBe(`Wrong input: Collection \`${name}\` already exists!`);
  });

  it('count their points', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const points = Array.from({ length: 7 }, (_, i) => ({ id: i, vector: [1, i], payload: { even: i % 2 === 0 } }));
    await server.client.upsert(name, { wait: true, points });
    expect((await server.client.count(name)).count).toBe(7);
    const filter = { must: [{ key: 'even', match: { value: true } }] };
    expect((await server.client.count(name, { filter, exact: true })).count).toBe(4);
    expect((await server.client.getCollection(name)).points_count).toBe(7);
  });

  it('list their payload indexes, and drop them', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    await server.client.createPayloadIndex(name, { wait: true, field_name: 'kind', field_schema: 'keyword' });
    await server.client.createPayloadIndex(name, { wait: true, field_name: 'a.b', field_schema: 'integer' });
    const { payload_schema } = await server.client.getCollection(name);
    expect(payload_schema).toMatchObject({ kind: { data_type: 'keyword' }, 'a.b': { data_type: 'integer' } });
    await server.client.deletePayloadIndex(name, 'kind', { wait: true });
    expect(Object.keys((await server.client.getCollection(name)).payload_schema)).toEqual(['a.b']);
  });
});

describe('refusals', () => {
  const missing: [string, string, unknown][] = [
    ['POST', '/points/query', { query: [1, 2] }],
    ['POST', '/points/query/batch', { searches: [{ query: [1, 2] }] }],
    ['POST', '/points/scroll', {}],
    ['POST', '/points/count', {}],
    ['POST', '/points', { ids: [1] }],
    ['PUT', '/points?wait=true', { points: [{ id: 1, vector: [1, 2] }] }],
    ['POST', '/points/delete?wait=true', { points: [1] }],
    ['POST', '/points/payload?wait=true', { points: [1], payload: {} }],
  ];
  it.each(missing)('%s %s on an absent collection is 404 and names it', async (method, path, body) => {
    const name = server.freshName();
    const answer = await server.http(method, `/collections/${name}${path}`, body);
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toContain(`Collection \`${name}\` doesn't exist!`);
  });

  it('malformed JSON is 400', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const answer = await server.http('POST', `/collections/${name}/points/query`, '{"query": [1, ');
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(/^Format error in JSON body: /);
  });

  it('JSON of another shape is 400', async () => {
    const name = await server.create({ vectors: ANY_VECTOR });
    const answer = await server.http('POST', `/collections/${name}/points/query`, { query: [1, 2], limit: 'ten' });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(/^Format error in JSON body: /);
  });

  const invalid: [string, string, unknown][] = [
    ['POST', '/points/query', { query: [1, 2], limit: 0 }],
    ['POST', '/points/scroll', { limit: 0 }],
    ['POST', '/points/query', { query: { nearest: [1, 2], mmr: { diversity: 1.5 } } }],
    ['POST', '/points/query', { query: { indices: [1, 1], values: [1, 2] }, using: 's' }],
    ['PUT', '/points?wait=true', { points: [{ id: 1, vector: { s: { indices: [1, 2], values: [1] } } }] }],
  ];
  it.each(invalid)('%s %s with %j is 422', async (method, path, body) => {
    const name = await server.create({ vectors: ANY_VECTOR, sparse_vectors: { s: {} } });
    const answer = await server.http(method, `/collections/${name}${path}`, body);
    expect(answer.status).toBe(422);
    expect(errorOf(answer)).toMatch(/^Validation error in JSON body: \[.*\]$/s);
  });

  it('a vector of another length is 400 and says both, on writing and on searching', async () => {
    const name = await server.create({ vectors: { size: 4, distance: 'Cosine' } });
    const points = [{ id: 1, vector: [1, 2, 3] }];
    const written = await server.http('PUT', `/collections/${name}/points?wait=true`, { points });
    expect(written.status).toBe(400);
    expect(errorOf(written)).toBe('Wrong input: Vector dimension error: expected dim: 4, got 3');
    const searched = await server.http('POST', `/collections/${name}/points/query`, { query: [1, 2, 3, 4, 5] });
    expect(searched.status).toBe(400);
    expect(errorOf(searched)).toBe('Wrong input: Vector dimension error: expected dim: 4, got 5');
    expect((await server.client.count(name)).count).toBe(0);
  });

  it('an unknown vector name is 400 and names it', async () => {
    const name = await server.create({ vectors: { dense: ANY_VECTOR } });
    const answer = await server.http('POST', `/collections/${name}/points/query`, { query: [1, 2], using: 'sparse' });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(/sparse/);
  });
});
