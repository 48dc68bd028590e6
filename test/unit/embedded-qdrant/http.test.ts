import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Engine } from '../../../src/adapters/embedded-qdrant/engine/engine';
import { addCollection, apply, openEngine, upsert } from './support/engine';
import { errorOf, send, serve, type Answer, type RawRequest } from './support/http';

let engine: Engine;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  engine = openEngine();
  server = await serve(engine);
  const config = { vectors: { d: { size: 2, distance: 'Dot' } }, sparse_vectors: { s: {} } };
  const collection = addCollection(engine, 'c', config, { k: 'keyword' });
  apply(engine, collection, [
    upsert([{ id: 1, vector: { d: [1, 2], s: { indices: [1], values: [1] } }, payload: { k: 'a' } }]),
  ]);
});

afterAll(async () => {
  await server.close();
  engine.store.close();
});

const call = (request: RawRequest): Promise<Answer> => send(server.port, request);
const post = (path: string, body: unknown): Promise<Answer> =>
  call({ method: 'POST', path: `/collections/c${path}`, body });
const put = (path: string, body: unknown): Promise<Answer> =>
  call({ method: 'PUT', path: `/collections/${path}`, body });

const DENSE = { query: [1, 1], using: 'd' };

describe('a key that Qdrant does not know is 422 and named', () => {
  it.each<[string, string, unknown]>([
    ['PUT', '/collections/new', { vectors: {}, shards: 2 }],
    ['PUT', '/collections/new', { vectors: { d: { size: 2, distance: 'Dot', shards: 1 } } }],
    ['PUT', '/collections/new', { vectors: {}, hnsw_config: { shards: 1 } }],
    ['PUT', '/collections/c/points', { points: [{ id: 1, vector: {}, shards: 1 }] }],
    ['PUT', '/collections/c/points', { points: [], shards: 1 }],
    ['PUT', '/collections/c/index', { field_name: 'k', field_schema: { type: 'keyword', shards: 1 } }],
    ['POST', '/collections/c/points', { ids: [1], shards: 1 }],
    ['POST', '/collections/c/points/query', { ...DENSE, shards: 1 }],
    ['POST', '/collections/c/points/query', { ...DENSE, params: { shards: 1 } }],
    ['POST', '/collections/c/points/query', { ...DENSE, filter: { shards: [] } }],
    ['POST', '/collections/c/points/query', { ...DENSE, filter: { must: [{ key: 'k', shards: 1 }] } }],
    ['POST', '/collections/c/points/query', { ...DENSE, filter: { must: [{ key: 'k', match: { shards: 1 } }] } }],
    ['POST', '/collections/c/points/query', { query: { shards: 1 } }],
    ['POST', '/collections/c/points/query', { prefetch: { ...DENSE, shards: 1 }, query: { fusion: 'rrf' } }],
    ['POST', '/collections/c/points/query', { ...DENSE, with_payload: { shards: [] } }],
    ['POST', '/collections/c/points/query/groups', { ...DENSE, group_by: 'k', shards: 1 }],
    ['POST', '/collections/c/points/batch', { operations: [{ shards: {} }] }],
    ['POST', '/collections/c/points/scroll', { shards: 1 }],
    ['POST', '/collections/c/points/count', { shards: 1 }],
    ['POST', '/collections/aliases', { actions: [{ shards: {} }] }],
    ['POST', '/collections/c/points/count?shards=1', {}],
  ])('%s %s %j', async (method, path, body) => {
    const answer = await call({ method, path, body });
    expect(answer.status).toBe(422);
    expect(errorOf(answer)).toContain('shards');
  });
});

describe('a value out of range is 422', () => {
  it.each<[string, unknown]>([
    ['/points/query', { ...DENSE, limit: 0 }],
    ['/points/scroll', { limit: 0 }],
    ['/points/query', { query: { nearest: [1, 1], mmr: { diversity: 2 } }, using: 'd' }],
    ['/points/query', { query: { indices: [1, 1], values: [1, 2] }, using: 's' }],
    ['/points/query', { query: { indices: [1], values: [1, 2] }, using: 's' }],
    ['/points/query', { ...DENSE, filter: { must: [{ key: 'k' }] } }],
    ['/points/vectors/delete', { points: [1], vector: [] }],
    ['/points/search/matrix/pairs', { sample: 1, using: 'd' }],
  ])('%s %j', async (path, body) => {
    expect((await post(path, body)).status).toBe(422);
  });

  it('for a collection that nobody could name, or a vector of no size', async () => {
    expect((await put('a%2Fb', { vectors: {} })).status).toBe(422);
    expect((await put('x'.repeat(256), { vectors: {} })).status).toBe(422);
    expect((await put('new', { vectors: { size: 0, distance: 'Dot' } })).status).toBe(422);
    expect((await put('new', { vectors: { size: 65_537, distance: 'Dot' } })).status).toBe(422);
  });
});

describe('what Qdrant knows and this server does not is 501 and named', () => {
  it.each<[string, string, unknown, string]>([
    ['GET', '/collections/c/snapshots', undefined, 'snapshots'],
    ['POST', '/collections/c/snapshots', undefined, 'snapshots'],
    ['POST', '/snapshots', undefined, 'snapshots'],
    ['PUT', '/collections/c/snapshots/recover', { location: 'x' }, 'snapshots'],
    [
      'PUT',
      '/collections/n',
      { vectors: { size: 2, distance: 'Dot', multivector_config: { comparator: 'max_sim' } } },
      'multivectors',
    ],
    ['PUT', '/collections/n', { vectors: { size: 2, distance: 'Dot', datatype: 'uint8' } }, 'uint8'],
    ['PUT', '/collections/n', { vectors: {}, sharding_method: 'custom' }, 'custom sharding'],
    ['PUT', '/collections/n', { vectors: {}, strict_mode_config: { enabled: true } }, 'strict mode'],
    ['PUT', '/collections/c/points', { points: [{ id: 1, vector: { d: [[1, 2]] } }] }, 'multivectors'],
    ['PUT', '/collections/c/points', { points: [{ id: 1, vector: { d: { text: 'hi', model: 'm' } } }] }, 'inference'],
    ['PUT', '/collections/c/points', { points: [], shard_key: 'a' }, 'shard_key'],
    ['POST', '/collections/c/points/query', { query: { text: 'hi', model: 'm' }, using: 'd' }, 'inference'],
    ['POST', '/collections/c/points/query', { query: [[1, 2]], using: 'd' }, 'multivectors'],
    ['POST', '/collections/c/points/query', { query: { relevance_feedback: {} }, using: 'd' }, 'relevance feedback'],
    ['PUT', '/collections/c/index', { field_name: 't', field_schema: { type: 'text', tokenizer: 'prefix' } }, 'prefix'],
    [
      'PUT',
      '/collections/c/index',
      { field_name: 't', field_schema: { type: 'text', stemmer: { type: 'snowball' } } },
      'stemmer',
    ],
    ['PUT', '/collections/c/index', { field_name: 't' }, 'field_schema'],
  ])('%s %s %j', async (method, path, body, feature) => {
    const answer = await call({ method, path, body });
    expect(answer.status).toBe(501);
    expect(errorOf(answer)).toContain(feature);
  });
});

describe('a cluster operation is 405 on one node', () => {
  it.each([
    ['POST', '/collections/c/cluster'],
    ['PUT', '/collections/c/shards'],
    ['POST', '/collections/c/shards/delete'],
    ['POST', '/cluster/recover'],
    ['DELETE', '/cluster/peer/1'],
    ['PATCH', '/collections'],
  ])('%s %s', async (method, path) => {
    expect((await call({ method, path })).status).toBe(405);
  });
});

describe('a malformed request is 400', () => {
  const raw = (body: unknown, headers = {}): Promise<Answer> =>
    call({ method: 'POST', path: '/collections/c/points/count', body, headers });

  it.each<[string, unknown]>([
    ['broken JSON', '{"filter": '],
    ['a trailing comma', '{"exact": true,}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a list for an object', []],
    ['a number for an object', 5],
  ])('%s', async (_, body) => {
    const answer = await raw(body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain('Format error in JSON body');
  });

  it('for another content type, and 415 for a compressed body', async () => {
    expect((await raw('{}', { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await raw('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('for a body beyond 32 MiB, declared or not, and answers it', async () => {
    const body = Buffer.alloc(33 * 2 ** 20, ' ');
    const declared = await raw(body, { 'content-length': body.length });
    expect(declared.status).toBe(400);
    expect(errorOf(declared)).toContain('larger than allowed');
    expect((await raw(body, { 'transfer-encoding': 'chunked' })).status).toBe(400);
  });

  it.each<[string, unknown]>([
    ['/points/query', { query: 'no-uuid', using: 'd' }],
    ['/points/query', { query: -1, using: 'd' }],
    ['/points/query', { query: [1, 'x'], using: 'd' }],
    ['/points/query', { query: [1, 1e39], using: 'd' }],
    ['/points/query', { ...DENSE, limit: 'ten' }],
    ['/points/query', { ...DENSE, limit: -1 }],
    ['/points/query', { ...DENSE, filter: { must: [{ key: 'a..b', match: { value: 1 } }] } }],
    ['/points/query', { ...DENSE, filter: { must: [{ key: 'k', match: { value: 1.5 } }] } }],
    ['/points/query', { ...DENSE, filter: { must: [{ key: 'k', match: { any: ['a', 1] } }] } }],
    ['/points/query', { ...DENSE, filter: { must: [{ key: 'k', range: { gt: 'yesterday' } }] } }],
    ['/points/query', { query: { fusion: 'best' }, prefetch: [DENSE] }],
    ['/points/query', { query: [1, 1], using: 'nope' }],
    ['/points/query', { query: [1, 1], using: 's' }],
    ['/points/query', { query: { indices: [1], values: [1] }, using: 'd' }],
    ['/points/query', { query: { fusion: 'rrf' }, using: 'd', prefetch: [DENSE] }],
    ['/points/query', { prefetch: [DENSE] }],
    ['/points/query', { score_threshold: 1 }],
    ['/points/query', { query: { recommend: {} }, using: 'd' }],
    ['/points/payload', { payload: { a: 1 } }],
    ['/points/delete?wait=maybe', { points: [] }],
  ])('%s %j', async (path, body) => {
    expect((await post(path, body)).status).toBe(400);
  });
});

describe('what is not there is 404', () => {
  it.each<[string, string, unknown]>([
    ['GET', '/nowhere', undefined],
    ['GET', '/collections/absent', undefined],
    ['PUT', '/collections/absent/points', { points: [] }],
    ['POST', '/collections/absent/points/query', {}],
    ['GET', '/collections/c/points/99', undefined],
    ['POST', '/collections/c/points/query', { query: 99, using: 'd' }],
    ['POST', '/collections/c/points/payload', { points: [99], payload: { a: 1 } }],
    ['POST', '/collections/c/points/query', { query: 1, using: 'd', lookup_from: { collection: 'absent' } }],
  ])('%s %s', async (method, path, body) => {
    const answer = await call({ method, path, body });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatch(/^Not found: /);
  });
});

describe('service calls', () => {
  it.each([
    ['/healthz', 'healthz check passed'],
    ['/livez', 'livez check passed'],
    ['/readyz', 'all shards are ready'],
  ])('%s', async (path, text) => {
    expect(await call({ method: 'GET', path })).toEqual({ status: 200, body: { text } });
  });

  it.each(['/cluster', '/telemetry', '/issues', '/collections/c/cluster', '/collections/c/optimizations', '/aliases'])(
    '%s',
    async (path) => {
      const answer = await call({ method: 'GET', path });
      expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
    },
  );

  it('count points for a metrics scraper', async () => {
    const { body } = await call({ method: 'GET', path: '/metrics' });
    expect(body.text).toContain('collection_points{id="c"} 1');
  });

  it('are refused to a page that gave this machine a name of its own', async () => {
    const answer = await call({ method: 'GET', path: '/collections', headers: { host: 'evil.example:6333' } });
    expect(answer.status).toBe(403);
    expect((await call({ method: 'GET', path: '/collections', headers: { host: 'localhost:6333' } })).status).toBe(200);
  });
});

describe('settings', () => {
  it('are changed, merged and kept', async () => {
    const created = await put('s', {
      vectors: { d: { size: 1, distance: 'Dot' } },
      hnsw_config: { m: 8 },
      sparse_vectors: { s: {} },
    });
    expect(created.status).toBe(200);
    const change = {
      hnsw_config: { ef_construct: 64 },
      params: { replication_factor: 2 },
      vectors: { d: { on_disk: true } },
      sparse_vectors: { s: { modifier: 'idf' } },
      quantization_config: { scalar: { type: 'int8' } },
      metadata: { a: 1 },
    };
    expect((await call({ method: 'PATCH', path: '/collections/s', body: change })).status).toBe(200);
    const { body } = await call({ method: 'GET', path: '/collections/s' });
    expect(body.result).toMatchObject({
      config: {
        hnsw_config: { m: 8, ef_construct: 64 },
        params: {
          replication_factor: 2,
          vectors: { d: { size: 1, distance: 'Dot', on_disk: true } },
          sparse_vectors: { s: { modifier: 'idf' } },
        },
        quantization_config: { scalar: { type: 'int8' } },
        metadata: { a: 1 },
      },
    });
    const unknown = await call({ method: 'PATCH', path: '/collections/s', body: { vectors: { nope: {} } } });
    expect(unknown.status).toBe(400);
  });

  it('of idf count from then on', async () => {
    await put('idf', { sparse_vectors: { s: {} } });
    const points = [{ id: 1, vector: { s: { indices: [1], values: [2] } } }];
    await put('idf/points', { points });
    const ask = async (): Promise<unknown> => {
      const body = { query: { indices: [1], values: [1] }, using: 's' };
      const answer = await call({ method: 'POST', path: '/collections/idf/points/query', body });
      return (answer.body.result as { points: { score: number }[] }).points[0]?.score;
    };
    expect(await ask()).toBe(2);
    await call({ method: 'PATCH', path: '/collections/idf', body: { sparse_vectors: { s: { modifier: 'idf' } } } });
    expect(await ask()).toBeCloseTo(2 * Math.log(0.5 / 1.5 + 1), 5);
  });

  it('take and lose a vector name', async () => {
    await put('v', { vectors: { d: { size: 1, distance: 'Dot' } } });
    const add = { method: 'PUT', path: '/collections/v/vectors/e', body: { dense: { size: 2, distance: 'Dot' } } };
    expect((await call(add)).status).toBe(200);
    expect((await call(add)).status).toBe(400);
    const points = [{ id: 1, vector: { d: [1], e: [1, 2] } }];
    expect((await put('v/points?wait=true', { points })).status).toBe(200);
    expect((await call({ method: 'DELETE', path: '/collections/v/vectors/d' })).status).toBe(200);
    const found = await call({ method: 'GET', path: '/collections/v/points/1' });
    expect(found.body.result).toEqual({ id: 1, payload: {}, vector: { e: [1, 2] } });
  });
});

describe('other spellings that Qdrant takes', () => {
  it('are taken', async () => {
    await put('spell', { vectors: { size: 2, distance: 'Dot' } });
    expect((await put('spell/points', { points: [{ id: 1, vectors: [1, 2] }] })).status).toBe(200);
    const found = await call({
      method: 'POST',
      path: '/collections/spell/points',
      body: { ids: [1], with_vectors: true },
    });
    expect(found.body.result).toEqual([{ id: 1, payload: {}, vector: [1, 2] }]);
    const asked = await call({ method: 'POST', path: '/collections/spell/points/query', body: { with_vectors: true } });
    expect(asked.body.result).toMatchObject({ points: [{ id: 1, vector: [1, 2] }] });
  });

  it('of a path are decoded, or refused when they cannot be', async () => {
    await put('sp%20ace', { vectors: {} });
    expect((await call({ method: 'GET', path: '/collections/sp%20ace/' })).status).toBe(200);
    expect((await call({ method: 'GET', path: '/collections/%ff' })).status).toBe(400);
  });
});

describe("Qdrant's older calls", () => {
  const hit = { id: 1, version: 0, score: 3 };

  it.each<[string, unknown, unknown]>([
    ['search', { vector: { name: 'd', vector: [1, 1] }, limit: 1 }, [hit]],
    ['search', { vector: { name: 's', vector: { indices: [1], values: [3] } }, limit: 1, offset: 0 }, [hit]],
    ['search/batch', { searches: [{ vector: { name: 'd', vector: [1, 1] }, limit: 1 }] }, [[hit]]],
    [
      'search/groups',
      { vector: { name: 'd', vector: [1, 1] }, group_by: 'k', limit: 1, group_size: 1 },
      { groups: [{ id: 'a', hits: [hit] }] },
    ],
    ['recommend', { positive: [[1, 1]], using: 'd', limit: 1 }, [hit]],
    ['recommend', { positive: [1], using: 'd', limit: 1 }, []],
    ['recommend/batch', { searches: [{ positive: [[1, 1]], using: 'd', limit: 1 }] }, [[hit]]],
    [
      'recommend/groups',
      { positive: [[1, 1]], using: 'd', group_by: 'k', limit: 1, group_size: 1 },
      { groups: [{ id: 'a', hits: [hit] }] },
    ],
    ['discover', { target: [1, 1], using: 'd', limit: 1 }, [{ ...hit, score: 0.875 }]],
    ['discover', { context: [{ positive: [1, 1], negative: [0, 0] }], using: 'd', limit: 1 }, [{ ...hit, score: 0 }]],
    ['discover/batch', { searches: [{ target: [1, 1], using: 'd', limit: 1 }] }, [[{ ...hit, score: 0.875 }]]],
  ])('%s %j', async (path, body, expected) => {
    const answer = await post(`/points/${path}`, body);
    expect(answer.body.result).toEqual(expected);
  });
});

describe('an API key', () => {
  it('is asked for by everything but version and health', async () => {
    const guarded = openEngine();
    const locked = await serve(guarded, 'secret');
    const ask = (path: string, headers = {}): Promise<Answer> => send(locked.port, { method: 'GET', path, headers });
    expect((await ask('/collections')).status).toBe(401);
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/collections', { 'api-key': 'wrong' })).status).toBe(401);
    expect((await ask('/collections', { 'api-key': 'secret' })).status).toBe(200);
    expect((await ask('/collections', { authorization: 'Bearer secret' })).status).toBe(200);
    expect((await ask('/')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(200);
    await locked.close();
    guarded.store.close();
  });
});

describe('no request so far', () => {
  it('was the fault of the server', () => {
    expect(server.faults).toEqual([]);
  });
});
