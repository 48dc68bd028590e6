import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSigner } from 'fast-jwt';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

import { eventually } from './support/eventually';
import { post, send } from './support/graphql';
import { cleanUp, startProgram, temporaryFolder, type Program } from './support/program';

const KEYS = { reader: 'a-reader-key', writer: 'a-writer-key', admin: 'an-admin-key' };
const SECRET = 'a secret that nobody will ever guess, not even by trying';
const CREATE = 'mutation { createTag(input: { name: "lanterns" }) { tag { id createdBy } } }';

let program: Program;
let url: string;

/** Takes traces as an OpenTelemetry collector does. */
const traces: string[] = [];
const collector = createServer((request, response) => {
  request.setEncoding('utf8').on('data', (part: string) => traces.push(part));
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const hashes = Object.entries(KEYS).map(([role, key]) => `${role}:${createHash('sha256').update(key).digest('hex')}`);
  program = startProgram(temporaryFolder(), ['serve'], {
    env: {
      HOST: '0.0.0.0',
      KINDRED_DEMO: 'off',
      KINDRED_API_KEYS: hashes.join(','),
      KINDRED_JWT_SECRET: SECRET,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      KINDRED_JWT_ISSUER: 'https://login.example.org',
    },
  });
  url = await program.ready();
});

afterAll(async () => {
  await cleanUp();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const withKey = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

function token(claims: object, settings: { key?: string; expiresInMs?: number; iss?: string } = {}): string {
  const { key = SECRET, expiresInMs = 60_000, iss = 'https://login.example.org' } = settings;
  return createSigner({ key, algorithm: 'HS256', expiresIn: expiresInMs, iss })(claims as Record<string, unknown>);
}

describe('an API that others reach', () => {
  it('starts empty where the demo is off', async () => {
    const { data } = await post<object>(
      url,
      '{ profiles { totalCount } jobs { totalCount } }',
      {},
      withKey(KEYS.admin),
    );
    expect(data).toEqual({ profiles: { totalCount: 0 }, jobs: { totalCount: 0 } });
  });

  it('answers nobody without credentials, but tells everybody of its health', async () => {
    for (const headers of [{}, withKey('a-guessed-key'), { 'x-api-key': 'another' }]) {
      const answer = await post(url, '{ profiles { totalCount } }', {}, headers);
      expect(answer.status).toBe(401);
      expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
      expect(answer.data ?? undefined).toBeUndefined();
    }
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('lets a reader read and not write, a writer write, by key and by token', async () => {
    for (const headers of [withKey(KEYS.reader), withKey(token({ role: 'reader', sub: 'rita' }))]) {
      expect((await post(url, '{ tags { totalCount } }', {}, headers)).errors).toBeUndefined();
      const refused = await post(url, CREATE, {}, headers);
      expect(refused.status).toBe(403);
      expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }

    const byKey = await post<{ createTag: { tag: { id: string; createdBy: string } } }>(
      url,
      CREATE,
      {},
      {
        'x-api-key': KEYS.writer,
      },
    );
    expect(byKey.data?.createTag.tag.createdBy).toBe(
      `key:${createHash('sha256').update(KEYS.writer).digest('hex').slice(0, 8)}`,
    );
    const renamed = await post<object>(
      url,
      'mutation ($id: ID!) { updateTag(id: $id, input: { name: "lamps" }) { tag { name createdBy updatedBy } } }',
      { id: byKey.data?.createTag.tag.id },
      withKey(token({ role: ['reader', 'writer'], sub: 'wanda' })),
    );
    expect(renamed.data).toMatchObject({ updateTag: { tag: { name: 'lamps', updatedBy: 'wanda' } } });
  });

  it('streams to a reader how the vectors follow', async () => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: withKey(KEYS.reader),
    });
    const query = 'subscription ($untilIdle: Boolean) { indexingProgress(untilIdle: $untilIdle) { pending isIdle } }';
    try {
      await post(url, 'mutation { createTag(input: { name: "streams" }) { tag { id } } }', {}, withKey(KEYS.writer));
      const steps: unknown[] = [];
      for await (const step of client.iterate({ query, variables: { untilIdle: true } })) steps.push(step.data);
      expect(steps.at(-1)).toEqual({ indexingProgress: { pending: 0, isIdle: true } });
    } finally {
      await client.dispose();
    }
  });

  it('tells those who are known how it does', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const answer = await fetch(`${url}/metrics`, { headers: withKey(KEYS.reader) });
    const text = await answer.text();
    expect(text).toMatch(
      /^kindred_http_request_duration_seconds_count\{route="\/graphql",method="POST",status="200"\} \d+$/m,
    );
    expect(text).toMatch(/^kindred_graphql_errors_total\{code="FORBIDDEN"\} \d+$/m);
    expect(text).toMatch(/^kindred_outbox_events\{kind="tag_concept",state="dead"\} 0$/m);
  });

  it('sends its traces to the collector that is named', async () => {
    const headers = { ...withKey(KEYS.writer), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    await post(url, 'mutation { createTag(input: { name: "traces" }) { tag { id } } }', {}, headers);
    const expected = [
      'POST /graphql',
      'relay source',
      'relay point',
      'qdrant upsert',
      '0af7651916cd43dd8448eb211c80319c',
    ];
    await eventually(
      'the spans of the mutation',
      () => expected.every((part) => traces.join('').includes(part)) || undefined,
    );
  });

  it.each([
    ['has expired', token({ role: 'admin' }, { expiresInMs: -1000 })],
    ['is signed by somebody else', token({ role: 'admin' }, { key: 'x'.repeat(40) })],
    ['is from another issuer', token({ role: 'admin' }, { iss: 'https://elsewhere.example.org' })],
    ['names no role', token({ role: 'root' })],
  ])('refuses a token that %s', async (_, bad) => {
    const answer = await post(url, '{ tags { totalCount } }', {}, withKey(bad));
    expect(answer.status).toBe(401);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  it('never logs a key or a token', () => {
    for (const secret of [...Object.values(KEYS), SECRET, 'a-guessed-key', 'eyJ']) {
      expect(program.stderr()).not.toContain(secret);
    }
  });
});

describe('a body that is wrong', () => {
  const headers = withKey(KEYS.admin);

  it('is refused when it is too large, with the limit', async () => {
    const body = JSON.stringify({
      query: '{ tags { totalCount } }',
      variables: { text: 'x'.repeat(10 * 1024 * 1024) },
    });
    const { status, errors } = await send(url, body, headers);
    expect(status).toBe(413);
    expect(errors).toMatchObject([{ extensions: { code: 'BODY_TOO_LARGE', details: { limitBytes: 1_048_576 } } }]);
  });

  it.each([
    ['is not JSON', '{"query": "{ tags'],
    ['is no object', '[1, 2]'],
    ['is empty', ''],
    ['has no query', '{"variables": {}}'],
  ])('is refused when it %s', async (_, body) => {
    const { status, errors } = await send(url, body, headers);
    expect(status).toBe(400);
    expect(errors?.[0]?.extensions.code).toMatch(/^(BAD_INPUT|BAD_REQUEST)$/);
    expect(JSON.stringify(errors)).not.toMatch(/at \S+ \(|node_modules/);
  });

  it('is refused when it is not UTF-8, and nothing is written', async () => {
    const before = await post<object>(url, '{ tags { totalCount } }', {}, headers);
    const text = JSON.stringify({ query: 'mutation { createTag(input: { name: "caf\u00e9" }) { tag { id } } }' });

    const { status, errors } = await send(url, new Uint8Array(Buffer.from(text, 'latin1')), headers);

    expect(status).toBe(400);
    expect(errors).toMatchObject([{ message: expect.stringContaining('UTF-8'), extensions: { code: 'BAD_INPUT' } }]);
    expect((await post<object>(url, '{ tags { totalCount } }', {}, headers)).data).toEqual(before.data);
  });

  it('leaves the server as well as before', async () => {
    const { errors } = await post(url, '{ tags { totalCount } }', {}, headers);
    expect(program.logs().filter(({ level }) => level !== 'info')).toEqual([]);
    expect(errors).toBeUndefined();
  });
});
