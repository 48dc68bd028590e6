import DataLoader from 'dataloader';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import type { GraphQLScalarType } from 'graphql';
import { GraphQLError, buildSchema, type GraphQLSchema } from 'graphql';
import { WebSocket } from 'ws';

import { createLogger } from '../../src/http/logger';
import type { HttpServerOptions } from '../../src/http/server';
import { DomainError } from '../../src/kernel/errors/domain-error';
import { createErrorFormatter } from '../../src/kernel/graphql/format-error';
import { buildTestServer, LogLines, type TestContext } from '../support/http-server';

const fail = (): never => {
  throw new Error('the cause');
};
/** What libraries reject with need not be an error. */
const rejected = (reason: unknown): Promise<never> =>
  Promise.resolve().then(() => Promise.reject<never>(reason as Error));
const loaderOf = (): DataLoader<string, string> => new DataLoader(() => Promise.reject(new Error('the cause')));

/** What a field does instead of answering; `the cause` is what the log has to hold. */
const faults: Record<string, { type: string; resolve: () => unknown }> = {
  throws: { type: 'String', resolve: fail },
  rejects: { type: 'String', resolve: () => Promise.reject(new Error('the cause')) },
  throwsText: { type: 'String', resolve: () => rejected('the cause') },
  throwsObject: { type: 'String', resolve: () => rejected({ reason: 'the cause' }) },
  refusesInternally: {
    type: 'String',
    resolve: () => Promise.reject(new DomainError('INTERNAL', 'the cause')),
  },
  throwsCoded: {
    type: 'String',
    resolve: () => Promise.reject(new GraphQLError('the cause', { extensions: { code: 'INTERNAL' } })),
  },
  throwsServerError: {
    type: 'String',
    resolve: () => Promise.reject(new GraphQLError('the cause', { extensions: { code: 'INTERNAL_SERVER_ERROR' } })),
  },
  loads: { type: 'String', resolve: () => loaderOf().load('one') },
  isNull: { type: 'String!', resolve: () => null },
  isNoNumber: { type: 'Int', resolve: () => 'the cause' },
  isNoLetter: { type: 'Letter', resolve: () => 'the cause' },
  isNoList: { type: '[String!]', resolve: () => 'the cause' },
  serialises: { type: 'Faulty', resolve: () => 'serialise' },
  isNestedIn: { type: '[Inner!]', resolve: () => [{}] },
};

function faultySchema(): GraphQLSchema {
  const fields = Object.entries(faults).map(([name, { type }]) => `${name}: ${type}`);
  const schema = buildSchema(`
    scalar Faulty
    enum Letter { A B }
    type Inner { fails: String! }
    type Query { ${fields.join('\n')} unsendable: Faulty fine(n: Int): Int }
    type Mutation { throws: String }
    type Subscription { refuses: Int breaks: Int fails: Int isNoNumber: Int }
  `);
  const query = schema.getQueryType()?.getFields() ?? {};
  for (const [name, { resolve }] of Object.entries(faults)) if (query[name]) query[name].resolve = resolve;
  const inner = schema.getType('Inner') as unknown as { getFields(): Record<string, { resolve?: () => unknown }> };
  Object.assign(inner.getFields().fails ?? {}, { resolve: fail });
  const faulty = schema.getType('Faulty') as GraphQLScalarType;
  faulty.serialize = (value) => (value === 'serialise' ? fail() : 10n);
  Object.assign(query.unsendable ?? {}, { resolve: () => 'unsendable' });
  Object.assign(schema.getMutationType()?.getFields().throws ?? {}, { resolve: fail });
  const streams = schema.getSubscriptionType()?.getFields() ?? {};
  const once = (value: object) =>
    async function* () {
      yield await Promise.resolve(value);
    };
  Object.assign(streams.refuses ?? {}, { subscribe: fail });
  Object.assign(streams.breaks ?? {}, {
    async *subscribe() {
      yield await Promise.resolve({ breaks: 1 });
      fail();
    },
  });
  Object.assign(streams.fails ?? {}, { subscribe: once({}), resolve: fail });
  Object.assign(streams.isNoNumber ?? {}, { subscribe: once({ isNoNumber: 'the cause' }) });
  return schema;
}

type Server = Awaited<ReturnType<typeof start>>;
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(options: Partial<HttpServerOptions<TestContext>> = {}) {
  const lines = new LogLines();
  const logger = createLogger({ level: 'info', destination: lines });
  const server = await buildTestServer({
    schema: faultySchema(),
    logger,
    formatError: createErrorFormatter((cause, { path, requestId }) =>
      logger.error({ err: cause, field: path?.join('.'), reqId: requestId }, 'a request failed'),
    ),
    ...options,
  });
  open.push(server);
  return { app: server.app, listen: () => server.listen({ host: '127.0.0.1', port: 0 }), lines };
}

interface Answer {
  errors?: { extensions: { code: string } }[];
}

async function ask({ app }: Server, query: string): Promise<string[]> {
  const answer = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json', 'x-request-id': 'the-request' },
    payload: { query },
  });
  expect(answer.body).not.toContain('the cause');
  return (answer.json<Answer>().errors ?? []).map(({ extensions }) => extensions.code);
}

const loggedErrors = ({ lines }: Server): Record<string, unknown>[] =>
  lines.lines.filter((line) => line.level === 'error');

/** A line that says what happened, where from, and to whom. */
const EXPLAINED = expect.objectContaining({
  reqId: 'the-request',
  err: expect.objectContaining({ message: expect.any(String), stack: expect.stringMatching(/\n +at /) }),
});
/** The same where no request was under way yet, or any more. */
const CAUSE = expect.objectContaining({ err: expect.objectContaining({ stack: expect.stringMatching(/\n +at /) }) });
/** Faults that are not the words of a resolver. */
const WORDED_BY_GRAPHQL = ['isNull', 'isNoList', 'isNestedIn'];
const queryOf = (name: string): string => (name === 'isNestedIn' ? '{ isNestedIn { fails } }' : `{ ${name} }`);

describe('an answer INTERNAL has its cause in the log, once, with a stack', () => {
  it.each(Object.keys(faults))('where a field %s', async (name) => {
    const server = await start();
    expect(await ask(server, queryOf(name))).toEqual(['INTERNAL']);
    const logged = loggedErrors(server);
    expect(logged).toEqual([EXPLAINED]);
    expect(String(logged[0]?.field)).toMatch(new RegExp(`^${name}`));
    if (!WORDED_BY_GRAPHQL.includes(name)) expect(JSON.stringify(logged[0]?.err)).toContain('the cause');
  });

  it.each(Object.keys(faults))('where a field of a compiled query %s', async (name) => {
    const server = await start({ isJitEnabled: true });
    const times = 6;
    for (let i = 0; i < times; i++) expect(await ask(server, queryOf(name))).toEqual(['INTERNAL']);
    const logged = loggedErrors(server);
    expect(logged).toEqual(Array.from({ length: times }, () => EXPLAINED));
    if (!WORDED_BY_GRAPHQL.includes(name)) expect(JSON.stringify(logged.at(-1)?.err)).toContain('the cause');
  });

  it('for each of several in one answer', async () => {
    const server = await start();
    expect(await ask(server, '{ throws rejects isNoNumber }')).toEqual(['INTERNAL', 'INTERNAL', 'INTERNAL']);
    expect(
      loggedErrors(server)
        .map(({ field }) => field)
        .sort(),
    ).toEqual(['isNoNumber', 'rejects', 'throws']);
  });

  it('where a mutation fails', async () => {
    const server = await start();
    expect(await ask(server, 'mutation { throws }')).toEqual(['INTERNAL']);
    expect(loggedErrors(server)).toEqual([EXPLAINED]);
  });

  it.each([false, true])('where the answer cannot be written (compiled: %s)', async (isJitEnabled) => {
    const server = await start({ isJitEnabled });
    const times = 5;
    for (let i = 0; i < times; i++) expect(await ask(server, '{ unsendable }')).toEqual(['INTERNAL']);
    expect(loggedErrors(server)).toEqual(Array.from({ length: times }, () => CAUSE));
  });

  it.each<[string, Partial<HttpServerOptions<TestContext>>]>([
    ['the context cannot be made', { makeContext: fail }],
    ['the start of a request fails', { plugins: [{ requestDidStart: fail }] }],
    [
      'the check of an operation fails',
      { plugins: [{ requestDidStart: async () => ({ didResolveOperation: fail }) }] },
    ],
    ['the end of a request fails', { plugins: [{ requestDidStart: async () => ({ willSendResponse: fail }) }] }],
  ])('where %s', async (_, options) => {
    const server = await start(options);
    expect(await ask(server, '{ fine }')).toEqual(['INTERNAL']);
    // Apollo adds lines of its own that do not say where from.
    const explained = loggedErrors(server).filter(({ err }) =>
      (err as Error | undefined)?.message.includes('the cause'),
    );
    expect(explained).toEqual([CAUSE]);
  });

  it.each(['refuses', 'breaks', 'fails', 'isNoNumber'])('where a subscription %s', async (name) => {
    const server = await start();
    const url = await server.listen();
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    open.push({ close: () => client.dispose() });
    const codes: unknown[] = [];
    const note = (errors: readonly { extensions?: { code?: unknown } }[] | undefined): void => {
      for (const { extensions } of errors ?? []) codes.push(extensions?.code);
    };
    await new Promise<void>((resolve) => {
      client.subscribe(
        { query: `subscription { ${name} }` },
        {
          next: ({ errors }) => note(errors),
          error: (errors) => {
            note(Array.isArray(errors) ? (errors as GraphQLError[]) : undefined);
            resolve();
          },
          complete: resolve,
        },
      );
    });
    expect(codes).toEqual(['INTERNAL']);
    expect(loggedErrors(server)).toEqual([CAUSE]);
  });
});
