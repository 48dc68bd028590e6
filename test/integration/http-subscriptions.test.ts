import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSigner } from 'fast-jwt';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { WebSocket } from 'ws';

import type { HttpServerOptions } from '../../src/http/server';
import { buildTestServer, slowCalls, type TestContext } from '../support/http-server';
import { until } from '../support/until';

const KEY = 'a-key-of-a-reader';
const KEYS = [{ role: 'reader' as const, sha256: createHash('sha256').update(KEY).digest('hex') }];
const SECRET = 'a secret that is long enough for HS256';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  slowCalls.emit('end');
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(
  options: Partial<HttpServerOptions<TestContext>> = {},
): Promise<{ url: string; close(): Promise<void> }> {
  const server = await buildTestServer(options);
  open.push(server);
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url: `${url.replace('http', 'ws')}/graphql`, close: () => server.close() };
}

/** Sends these headers with every connection. */
const withHeaders = (headers: Record<string, string>): typeof WebSocket =>
  class extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { headers });
    }
  } as unknown as typeof WebSocket;

function client(url: string, options: Partial<ClientOptions> = {}): Client {
  const made = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  open.push({ close: () => made.dispose() });
  return made;
}

interface Step {
  data?: Record<string, unknown> | null;
  errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** Everything that a subscription answers until it ends. */
async function all(connected: Client, query: string, variables?: Record<string, unknown>): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of connected.iterate({ query, variables })) steps.push(step);
  return steps;
}

/** How a connection that is refused is answered: the status before it is one, or the code that closes it. */
async function refusal(url: string, headers: Record<string, string> = {}, init?: object): Promise<number> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', ...(init && { payload: init }) })));
    socket.on('message', () => socket.close(3000));
    socket.on('close', (code) => resolve(code));
  });
}

const ACCEPTED = 3000;

describe('a subscription', () => {
  it('streams until it ends', async () => {
    const { url } = await start();
    expect(await all(client(url), 'subscription { count(to: 3) }')).toEqual(
      [1, 2, 3].map((count) => ({ data: { count } })),
    );
  });

  it('is ended where it runs when the client leaves it', async () => {
    const { url } = await start();
    const ended = once(slowCalls, 'ended');
    const steps = client(url).iterate({ query: 'subscription { count(to: 9) }' });
    await steps.next();
    await steps.return?.();
    slowCalls.emit('end');
    await ended;
  });

  it('hides what goes wrong inside', async () => {
    const { url } = await start();
    const failing = all(client(url), 'subscription { count(to: 20) }');
    await until(() => Promise.resolve(slowCalls.listenerCount('end') > 0));
    slowCalls.emit('end');
    await expect(failing).rejects.toMatchObject([{ message: 'hidden', extensions: { code: 'INTERNAL' } }]);
  });

  it.each([
    ['{ whoAmI }', 'BAD_INPUT'],
    ['mutation { rename(name: "x") }', 'BAD_INPUT'],
    ['subscription { count(to: 1', 'GRAPHQL_PARSE_FAILED'],
    ['subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    [`subscription { ${Array.from({ length: 9 }, (_, i) => `a${i}: `).join('')} }`, 'GRAPHQL_PARSE_FAILED'],
    [
      'subscription { people(first: 200) { nodes { similar(first: 200) { totalCount nodes { name } } } } }',
      'QUERY_TOO_COMPLEX',
    ],
    [
      'subscription { people { nodes { similar { nodes { similar { nodes { similar { nodes { name } } } } } } } } }',
      'QUERY_TOO_COMPLEX',
    ],
    [`subscription { count(to: ${'1 '.repeat(1500)}) }`, 'GRAPHQL_PARSE_FAILED'],
  ])('is held to the limits of all operations: %s', async (query, code) => {
    const { url } = await start();
    await expect(all(client(url), query)).rejects.toMatchObject([{ extensions: { code } }]);
  });

  it('is not answered by POST', async () => {
    const server = await buildTestServer();
    open.push(server);
    const answer = await server.app.inject({
      method: 'POST',
      url: '/graphql',
      payload: { query: 'subscription { count(to: 1) }' },
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_INPUT' } }] });
  });

  it('counts against the rate of its address, and a connection holds only so many', async () => {
    const { url } = await start({ rateLimit: { max: 3, windowMs: 60_000 } });
    const connected = client(url, { lazy: false });
    await all(connected, 'subscription { count(to: 1) }');
    await all(connected, 'subscription { count(to: 1) }');
    await expect(all(connected, 'subscription { count(to: 1) }')).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
    expect(await refusal(url)).toBe(429);

    const many = client((await start()).url);
    const held = Array.from({ length: 20 }, () => many.iterate({ query: 'subscription { count(to: 9) }' }));
    await Promise.all(held.map((one) => one.next()));
    await expect(all(many, 'subscription { count(to: 1) }')).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
    slowCalls.emit('end');
    for (const one of held) await one.return?.();
  });
});

describe('a connection', () => {
  it('introduces itself by its headers or by its first message', async () => {
    const { url } = await start({ authentication: { apiKeys: KEYS } });
    const who = 'subscription { whoIsThere }';
    const answer = [{ data: { whoIsThere: expect.stringMatching(/^key:[0-9a-f]{8} as reader$/) as unknown } }];
    expect(await all(client(url, { connectionParams: { Authorization: `Bearer ${KEY}` } }), who)).toEqual(answer);
    expect(await all(client(url, { connectionParams: { 'x-api-key': KEY } }), who)).toEqual(answer);
    expect(await all(client(url, { webSocketImpl: withHeaders({ 'x-api-key': KEY }) }), who)).toEqual(answer);
  });

  it('is refused without credentials, or with wrong ones', async () => {
    const { url } = await start({ authentication: { apiKeys: KEYS } });
    expect(await refusal(url)).toBe(4401);
    expect(await refusal(url, {}, { authorization: 'Bearer wrong' })).toBe(4401);
    expect(await refusal(url, {}, { authorization: { not: 'text' } })).toBe(4401);
    expect(await refusal(url, { authorization: 'Bearer wrong' })).toBe(401);
    expect(await refusal(url, { authorization: `Bearer ${KEY}` })).toBe(ACCEPTED);
  });

  it('ends with its token', async () => {
    const { url } = await start({ authentication: { jwt: { key: SECRET, algorithm: 'HS256' } } });
    const token = createSigner({ key: SECRET, algorithm: 'HS256' })({
      role: 'reader',
      exp: Math.floor(Date.now() / 1000) + 1,
    });
    const connected = client(url, { connectionParams: { authorization: `Bearer ${token}` } });
    await expect(all(connected, 'subscription { count(to: 9) }')).rejects.toMatchObject({ code: 4403 });
  });

  it('of a page is taken from this server and from the origins that are let in', async () => {
    const { url } = await start({ corsOrigins: ['https://app.example.org'] });
    const own = url.replace('ws:', 'http:').replace('/graphql', '');
    expect(await refusal(url, { origin: own })).toBe(ACCEPTED);
    expect(await refusal(url, { origin: 'https://app.example.org' })).toBe(ACCEPTED);
    expect(await refusal(url, { origin: 'https://evil.example.org' })).toBe(403);
    expect(await refusal(url, { origin: 'null' })).toBe(403);
  });

  it('names this machine where nobody needs credentials, and the right path', async () => {
    const { url } = await start();
    expect(await refusal(url, { host: 'evil.example.org' })).toBe(403);
    expect(await refusal(url.replace('/graphql', '/elsewhere'))).toBe(404);
  });

  it('is closed when it says too much at once, or what is no protocol', async () => {
    const { url } = await start({ maxBodyBytes: 2_000 });
    expect(await refusal(url, {}, { long: 'x'.repeat(3_000) })).toBe(1009);
    const socket = new WebSocket(url, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send('{');
    expect((await once(socket, 'close'))[0]).toBe(4400);
    const other = new WebSocket(url, 'another-protocol');
    const failed = new Promise((resolve) => other.on('error', resolve));
    expect(String(await failed)).toContain('Server sent no subprotocol');
  });

  it('is told when the server goes, which does not wait for its streams', async () => {
    const server = await start();
    const connected = client(server.url);
    const steps = connected.iterate({ query: 'subscription { count(to: 9) }' });
    await steps.next();
    const ending = (async () => {
      for await (const _ of steps) continue;
    })();
    const isTold = expect(ending).rejects.toMatchObject({ code: 1001 });
    await server.close();
    await isTold;
  });
});
