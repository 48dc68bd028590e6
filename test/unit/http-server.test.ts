import { afterEach, describe, expect, it } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import type { HttpServerOptions } from '../../src/http/server';
import { DomainError } from '../../src/kernel/errors/domain-error';
import { buildTestServer, type TestContext } from '../support/http-server';

type Server = Awaited<ReturnType<typeof buildTestServer>>;

const open: Server[] = [];

async function server(options: Partial<HttpServerOptions<TestContext>> = {}): Promise<Server> {
  const built = await buildTestServer(options);
  open.push(built);
  return built;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((built) => built.close()));
});

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: string; details?: Record<string, unknown> } }[];
}

async function post(
  { app }: Server,
  payload: object | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: Answer; text: string }> {
  const answer = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json(), text: answer.body };
}

const code = (body: Answer): string | undefined => body.errors?.[0]?.extensions.code;

describe('a request', () => {
  it('runs as the local admin where no authentication is configured', async () => {
    const { status, body } = await post(await server(), { query: '{ whoAmI }' });
    expect({ status, body }).toEqual({ status: 200, body: { data: { whoAmI: 'local as admin' } } });
  });

  it.each([
    ['{"query": "{ whoAmI', 'BAD_INPUT', 400, /not valid JSON/],
    ['', 'BAD_INPUT', 400, /no body/],
    [JSON.stringify({ query: `{ whoAmI } #${'x'.repeat(10_000)}` }), 'BODY_TOO_LARGE', 413, /10,000 bytes/],
  ])('with the body %.20s is answered %s', async (payload, expected, status, message) => {
    const answer = await post(await server(), payload);
    expect(answer.status).toBe(status);
    expect(code(answer.body)).toBe(expected);
    expect(answer.body.errors?.[0]?.message).toMatch(message);
    expect(answer.text).not.toMatch(/ at .*\.[jt]s|node_modules/);
  });

  it('of an unknown media type, or to an unknown path, is told what would be right', async () => {
    const built = await server();
    const media = await post(built, '<query/>', { 'content-type': 'application/xml' });
    expect(code(media.body)).toBe('BAD_INPUT');
    expect(media.body.errors?.[0]?.message).toContain('application/json');
    const path = await built.app.inject({ url: '/nowhere?q=private' });
    expect(path.statusCode).toBe(404);
    expect(path.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(path.body).not.toContain('private');
  });

  it('that a form on another site could send is refused', async () => {
    const built = await server();
    const { status, text } = await post(built, JSON.stringify({ query: '{ whoAmI }' }), {
      'content-type': 'text/plain',
    });
    expect(status).toBe(400);
    expect(text).toMatch(/CSRF/);
    const get = await built.app.inject({ url: '/graphql?query={whoAmI}', headers: { accept: '*/*' } });
    expect(get.statusCode).toBe(400);
    const preflighted = await built.app.inject({
      url: '/graphql?query={whoAmI}',
      headers: { 'apollo-require-preflight': '1' },
    });
    expect(preflighted.json()).toEqual({ data: { whoAmI: 'local as admin' } });
  });

  it('whose resolver fails learns a code and nothing of the inside', async () => {
    const built = await server();
    const { body, text } = await post(built, { query: '{ fail refuse }' });
    expect(body.errors?.map((error) => error.extensions.code).sort()).toEqual(['INTERNAL', 'NOT_FOUND']);
    expect(text).not.toContain('secret detail');
    expect(text).not.toContain('stacktrace');
  });

  it('may name itself, within reason, and is logged in one line without its query and secrets', async () => {
    const built = await server();
    const named = await post(built, { query: '{ whoAmI }' }, { 'x-request-id': 'a-1', authorization: 'Bearer hidden' });
    expect(named.headers['x-request-id']).toBe('a-1');
    const unnamed = await post(built, { query: '{ whoAmI }' }, { 'x-request-id': 'line\tbreak' });
    expect(unnamed.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(built.log.lines).toHaveLength(2);
    expect(built.log.lines[0]).toMatchObject({
      level: 'info',
      reqId: 'a-1',
      path: '/graphql',
      status: 200,
      actor: 'local',
    });
    expect(JSON.stringify(built.log.lines)).not.toMatch(/whoAmI|hidden/);
  });

  it('is remembered in its parsed form until what clients wrote has to be forgotten', async () => {
    let parsed = 0;
    const parsingDidStart = (): Promise<void> => Promise.resolve(void parsed++);
    const built = await server({ plugins: [{ requestDidStart: () => Promise.resolve({ parsingDidStart }) }] });
    const ask = () => post(built, { query: '{ searchPeople(query: "Sigrid of Bergen") { totalCount } }' });
    for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200);
    expect(parsed).toBe(1);
    built.forget();
    expect((await ask()).status).toBe(200);
    expect(parsed).toBe(2);
  });

  it('under a foreign host name is refused while everybody is admin', async () => {
    const built = await server();
    for (const host of ['localhost:4000', '127.0.0.1', '[::1]:80']) {
      expect((await post(built, { query: '{ whoAmI }' }, { host })).status).toBe(200);
    }
    const rebound = await post(built, { query: '{ whoAmI }' }, { host: 'evil.example:4000' });
    expect(rebound.status).toBe(403);
    expect(code(rebound.body)).toBe('FORBIDDEN');
  });
});

describe('limits', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'name' : `similar(first: 1) { edges { node { ${nested(depth - 1)} } } }`;

  it.each([
    ['too deep', `{ person { ${nested(3)} } }`, /11 levels.*limit is 8/],
    ['too many aliases', `{ ${[1, 2, 3, 4, 5, 6].map((n) => `a${n}: whoAmI`).join(' ')} }`, /6 aliases.*limit is 5/],
    ['too many fields', `{ ${'whoAmI '.repeat(61)} }`, /61 fields.*limit is 60/],
    [
      'too dear',
      '{ people(first: 200) { nodes { similar(first: 5) { nodes { name } } } } }',
      /costs 2,201.*limit is 1,000/,
    ],
  ])('refuse what is %s, saying by how much', async (_what, query, message) => {
    const { status, body } = await post(await server(), { query });
    expect(status).toBe(400);
    expect(code(body)).toBe('QUERY_TOO_COMPLEX');
    expect(body.errors?.[0]?.message).toMatch(message);
    expect(body.errors?.[0]?.extensions.details).toMatchObject({ limit: expect.any(Number) });
  });

  it('count pages that come in variables, anew for every value', async () => {
    const built = await server();
    const query = 'query Q($n: Int = 3) { people(first: $n) { edges { node { skills { name } } } } }';
    expect((await post(built, { query })).status).toBe(200);
    expect((await post(built, { query, variables: { n: 10 } })).status).toBe(200);
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const dear = await post(built, { query, variables: { n: 200 } });
      expect(dear.body.errors?.[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', details: { cost: 1201 } });
    }
    expect((await post(built, { query, variables: { n: 10 } })).status).toBe(200);
    expect((await post(built, { query, variables: { n: 'ten' } })).status).toBe(400);
    expect((await post(built, { query: '{ people(first: -5) { totalCount } }' })).status).toBe(200);
    const ids = Array.from({ length: 600 }, String);
    const byIds = 'query Q($ids: [ID!]!) { persons(ids: $ids) { skills { name } } }';
    expect(code((await post(built, { query: byIds, variables: { ids } })).body)).toBe('QUERY_TOO_COMPLEX');
  });

  it('see through fragments, and are quick about those that double', async () => {
    const built = await server();
    const fragments = Array.from({ length: 40 }, (_, n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`);
    const query = `{ ...f0 } ${fragments.join(' ')} fragment f40 on Query { whoAmI }`;
    const { body } = await post(built, { query });
    expect(body.errors?.map(({ extensions }) => extensions.code)).toContain('QUERY_TOO_COMPLEX');
    const circular = await post(built, { query: '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }' });
    expect(circular.status).toBe(400);
  });

  it('leave introspection alone, as explorers need it', async () => {
    const built = await server();
    const { status, body } = await post(built, { query: getIntrospectionQuery() });
    expect({ status, errors: body.errors }).toEqual({ status: 200, errors: undefined });
  });

  it('stop a flood from one address with the time to wait', async () => {
    const built = await server({ rateLimit: { max: 2, windowMs: 60_000 } });
    for (let count = 0; count < 2; count += 1) expect((await post(built, { query: '{ whoAmI }' })).status).toBe(200);
    const { status, headers, body } = await post(built, { query: '{ whoAmI }' });
    expect(status).toBe(429);
    expect(code(body)).toBe('RATE_LIMITED');
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect((await built.app.inject('/health/live')).statusCode).toBe(200);
  });
});

describe('other origins', () => {
  const preflight = (built: Server, origin: string) =>
    built.app.inject({
      method: 'OPTIONS',
      url: '/graphql',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });

  it('may call when they are listed', async () => {
    const built = await server({ corsOrigins: ['https://app.example'] });
    const allowed = await preflight(built, 'https://app.example');
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
    const refused = await preflight(built, 'https://evil.example');
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('may not by default', async () => {
    const refused = await preflight(await server(), 'https://app.example');
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('health', () => {
  it('is ready when every part is, and otherwise names the part and the reason', async () => {
    const state = { database: true };
    const built = await server({
      readinessTimeoutMs: 50,
      readiness: {
        database: () => (state.database ? Promise.resolve() : Promise.reject(new Error('password=secret'))),
        vectors: () => Promise.resolve(),
      },
    });
    expect((await built.app.inject('/health/live')).json()).toEqual({ status: 'live' });
    const ready = await built.app.inject('/health/ready');
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toMatchObject({ status: 'ready', parts: { database: { isReady: true } } });
    state.database = false;
    const failing = await built.app.inject('/health/ready');
    expect(failing.statusCode).toBe(503);
    expect(failing.json()).toMatchObject({
      status: 'not ready',
      parts: { database: { isReady: false }, vectors: { isReady: true } },
    });
    expect(failing.body).not.toContain('secret');
  });

  it('does not wait for a part that hangs, and tells it so', async () => {
    let wasAborted = false;
    const built = await server({
      readinessTimeoutMs: 30,
      readiness: {
        model: (signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              wasAborted = true;
              reject(new Error('aborted'));
            }),
          ),
        told: () => Promise.reject(new DomainError('VECTOR_STORE_UNAVAILABLE', 'Qdrant refuses connections.')),
      },
    });
    const answer = await built.app.inject('/health/ready');
    expect(answer.json()).toMatchObject({
      parts: { model: { reason: 'no answer within 30 ms' }, told: { reason: 'Qdrant refuses connections.' } },
    });
    expect(wasAborted).toBe(true);
  });
});

describe('the explorer', () => {
  it('is what a browser gets, and a program never', async () => {
    const built = await server();
    const page = await built.app.inject({ url: '/graphql', headers: { accept: 'text/html,*/*' } });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe|upgrade-insecure/);
    expect(page.body).toMatch(/<noscript>[^]*curl http:\/\/localhost:80\/graphql/);
    const program = await post(built, { query: '{ whoAmI }' }, { accept: 'application/json' });
    expect(program.headers['content-security-policy']).toContain("default-src 'none'");
    const files = [...page.body.matchAll(/(?:src|href)="(\/explorer\/[^"]+)"/g)].map((match) => match[1] ?? '');
    const others = ['react.production.min.js', 'react-dom.production.min.js', 'graphiql.min.js', 'graphiql.min.css'];
    for (const url of [...files, ...others.map((file) => `/explorer/${file}`)]) {
      expect({ url, status: (await built.app.inject(url)).statusCode }).toEqual({ url, status: 200 });
    }
    expect((await built.app.inject('/explorer/..%2fserver.ts')).statusCode).toBe(404);
    const root = await built.app.inject('/');
    expect(root.headers.location).toBe('/graphql');
  });

  it('offers operations, each with a title, a description and valid GraphQL', async () => {
    const built = await server();
    const operations: { title: string; query: string }[] = (await built.app.inject('/explorer/operations.json')).json();
    expect(operations.length).toBeGreaterThanOrEqual(6);
    expect(operations[0]).toMatchObject({
      title: 'Find people for a text',
      variables: expect.stringContaining('first'),
    });
  });
});
