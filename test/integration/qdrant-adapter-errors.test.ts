import { afterEach, describe, expect, it } from '@jest/globals';
import { createQdrantStore, type QdrantRequestReport, type QdrantStoreOptions } from '../../src/adapters/qdrant';
import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { reply, startScriptedServer, type ScriptedServer } from './support/scripted-server';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Answer = Parameters<typeof startScriptedServer>[0];

async function storeOver(
  answer: Answer,
  options: Partial<QdrantStoreOptions> = {},
): Promise<{ store: VectorStore; server: ScriptedServer; reports: QdrantRequestReport[] }> {
  const server = await startScriptedServer(answer);
  const reports: QdrantRequestReport[] = [];
  const store = createQdrantStore({ url: server.url, onRequest: (report) => reports.push(report), ...options });
  closing.push(server.close, () => store.close());
  return { store, server, reports };
}

async function failureOf(promise: Promise<unknown>): Promise<VectorStoreUnavailableError & VectorStoreRejectedError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof VectorStoreUnavailableError || outcome instanceof VectorStoreRejectedError)) {
    throw new Error(`expected a vector store error, got ${String(outcome)}`);
  }
  return outcome as VectorStoreUnavailableError & VectorStoreRejectedError;
}

describe('a server that is not there', () => {
  it('is unavailable, and the message says where it was sought and why it was not found', async () => {
    const gone = await startScriptedServer(() => undefined);
    await gone.close();
    const reports: QdrantRequestReport[] = [];
    const store = createQdrantStore({ url: gone.url, onRequest: (report) => reports.push(report) });
    closing.push(() => store.close());
    const error = await failureOf(store.count('jobs'));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect(error).toMatchObject({ code: 'VECTOR_STORE_UNAVAILABLE', retryable: true });
    expect(error.message).toContain(gone.url);
    expect(error.message).toContain('ECONNREFUSED');
    expect(reports).toEqual([
      { method: 'POST', path: '/collections/jobs/points/count', durationMs: expect.any(Number), status: undefined },
    ]);
  });

  it('is sought under its name too', async () => {
    const store = createQdrantStore({ url: 'http://vector-store.invalid:6333' });
    closing.push(() => store.close());
    expect((await failureOf(store.ping())).message).toContain('vector-store.invalid');
  });
});

describe('a server that never answers', () => {
  it('times out, and the message says after how long', async () => {
    const { store, server } = await storeOver(() => undefined, { timeoutMs: 150 });
    const error = await failureOf(store.ping());
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect(error.message).toBe(`The vector store at ${server.url} did not answer GET / within 150 ms`);
  });

  it('times out in the middle of an answer', async () => {
    const { store } = await storeOver(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"result": ');
      },
      { timeoutMs: 150 },
    );
    expect((await failureOf(store.count('jobs'))).message).toMatch(/within 150 ms$/);
  });

  it('is left when the caller gives up', async () => {
    const controller = new AbortController();
    const { store } = await storeOver(() => controller.abort());
    const error = await failureOf(store.ping(controller.signal));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect(error.message).toMatch(/cancelled by the caller/);
  });

  it('is not asked at all when the caller has given up before', async () => {
    const { store, server } = await storeOver((_, response) => reply(response, 200, {}));
    await failureOf(store.ping(AbortSignal.abort()));
    expect(server.received).toEqual([]);
  });
});

describe('an answer that does not arrive whole', () => {
  it('after the write is unavailable, so the caller may write again', async () => {
    const { store, server } = await storeOver((request) => request.socket.destroy());
    const error = await failureOf(store.delete('jobs', [{ id: 'a7c1f7f4-0000-4000-8000-000000000001' }]));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect(server.received).toHaveLength(1);
  });

  it('of something other than JSON is unavailable', async () => {
    const { store } = await storeOver((_, response) => reply(response, 200, '<html>'));
    const error = await failureOf(store.count('jobs'));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect(error.message).toMatch(/not JSON/);
  });

  it('leaves the store usable', async () => {
    let isFirst = true;
    const { store } = await storeOver((request, response) => {
      if (isFirst) request.socket.destroy();
      else reply(response, 200, { result: { count: 3 }, status: 'ok', time: 0 });
      isFirst = false;
    });
    await failureOf(store.count('jobs'));
    expect(await store.count('jobs')).toBe(3);
  });
});

describe('a refusal', () => {
  const unavailable: [number, Record<string, string>, number | undefined][] = [
    [429, { 'retry-after': '30' }, 30_000],
    [429, {}, undefined],
    [503, { 'retry-after': '1' }, 1000],
    [500, {}, undefined],
    [502, {}, undefined],
    [408, {}, undefined],
  ];
  it.each(unavailable)('%i with %j is unavailable and may be tried again', async (status, headers, retryAfterMs) => {
    const { store, reports } = await storeOver((_, response) => {
      reply(response, status, { status: { error: 'Too busy: 5 of 5' }, time: 0 }, headers);
    });
    const error = await failureOf(store.count('jobs'));
    expect(error).toBeInstanceOf(VectorStoreUnavailableError);
    expect([error.retryable, error.retryAfterMs]).toEqual([true, retryAfterMs]);
    expect(error.message).toContain(`${status}: Too busy: 5 of 5`);
    expect(reports.map((report) => report.status)).toEqual([status]);
  });

  it('with Retry-After as a date counts from now', async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    const { store } = await storeOver((_, response) => reply(response, 429, {}, { 'retry-after': at }));
    const { retryAfterMs } = await failureOf(store.count('jobs'));
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it.each([400, 401, 403, 404, 409, 422, 501])('%i is final and keeps the server’s own sentence', async (status) => {
    const { store } = await storeOver((_, response) => {
      reply(response, status, { status: { error: 'Wrong input: expected dim: 4, got 3' }, time: 0 });
    });
    const error = await failureOf(store.count('jobs'));
    expect(error).toBeInstanceOf(VectorStoreRejectedError);
    expect(error).toMatchObject({ code: 'VECTOR_STORE_REJECTED', retryable: false, status });
    expect(error.message).toContain('Wrong input: expected dim: 4, got 3');
  });

  it('by a proxy in its own words is shown in short', async () => {
    const { store } = await storeOver((_, response) => reply(response, 404, 'no such route '.repeat(100)));
    const error = await failureOf(store.count('jobs'));
    expect(error.message).toContain('no such route');
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('what is sent', () => {
  it('carries the API key, which no error, log or report shows', async () => {
    const secret = 'a-very-secret-key';
    const written: string[] = [];
    const note = (fields: object, message: string) => written.push(JSON.stringify(fields) + message);
    const { store, server, reports } = await storeOver(
      (request, response) => {
        if (request.url === '/') request.socket.destroy();
        else reply(response, 403, { status: { error: 'Forbidden' }, time: 0 });
      },
      { apiKey: secret, log: { debug: note, warn: note } },
    );
    const failures = [await failureOf(store.ping()), await failureOf(store.count('jobs'))];
    expect(server.received.map(({ headers }) => headers['api-key'])).toEqual([secret, secret]);
    expect(failures[1]!.message).toMatch(/check the API key/);
    const shown = written.join() + JSON.stringify(reports) + failures.map(({ message }) => message).join();
    expect(written.length).toBeGreaterThan(0);
    expect(shown).not.toContain(secret);
  });

  it('goes below the path of the URL, and names are escaped', async () => {
    const { store, server } = await storeOver((_, response) => {
      reply(response, 200, { result: { count: 0 }, status: 'ok', time: 0 });
    });
    const behindProxy = createQdrantStore({ url: `${server.url}/vectors/` });
    closing.push(() => behindProxy.close());
    await behindProxy.count('a b/c');
    await store.count('jobs');
    expect(server.received.map(({ path }) => path)).toEqual([
      '/vectors/collections/a%20b%2Fc/points/count',
      '/collections/jobs/points/count',
    ]);
  });

  it('never shows a password of the URL', async () => {
    const gone = await startScriptedServer(() => undefined);
    await gone.close();
    const store = createQdrantStore({ url: gone.url.replace('http://', 'http://user:hunter2@') });
    closing.push(() => store.close());
    expect((await failureOf(store.ping())).message).not.toContain('hunter2');
  });

  it('of many points is split into requests of some 8 MB, in order', async () => {
    const { store, server } = await storeOver((_, response) =>
      reply(response, 200, { result: {}, status: 'ok', time: 0 }),
    );
    const dense = new Float32Array(1536).fill(0.123456);
    const points = Array.from({ length: 600 }, (_, i) => ({
      id: `a7c1f7f4-0000-4000-8000-${String(i).padStart(12, '0')}`,
      dense,
      lexical: { indices: [1], values: [1] },
      payload: { revision: i % 2, note: 'x'.repeat(1000) },
    }));
    await store.upsert('jobs', points);
    expect(server.received.length).toBeGreaterThan(1);
    const bodies = server.received.map(({ body }) => JSON.parse(body) as { points: { id: string }[] });
    expect(bodies.flatMap((body) => body.points.map(({ id }) => id))).toEqual(points.map(({ id }) => id));
    for (const { body, path } of server.received) {
      expect(Buffer.byteLength(body)).toBeLessThan(8.5 * 1024 * 1024);
      expect(path).toBe('/collections/jobs/points?wait=true');
    }
  });

  it('is nothing when there is nothing to send', async () => {
    const { store, server } = await storeOver((_, response) => reply(response, 500, {}));
    await store.upsert('jobs', []);
    await store.overwritePayloads('jobs', []);
    await store.delete('jobs', []);
    await store.setAliases({});
    expect(await store.queryBatch('jobs', [])).toEqual([]);
    expect(await store.retrieve('jobs', [], { payload: true, vectors: [] })).toEqual([]);
    const wordless = { targets: [{ target: { lexical: { indices: [], values: [] } }, weight: 1, limit: 5 }] };
    expect(await store.queryBatch('jobs', [{ ...wordless, limit: 5, payloadKeys: [] }])).toEqual([[]]);
    expect(server.received).toEqual([]);
  });
});
