import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { buildSchema, GraphQLError, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Caller } from '../../src/http/authentication';
import { createLogger } from '../../src/http/logger';
import { buildHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server';
import { DomainError } from '../../src/kernel/errors/domain-error';

export type TestContext = Caller & { requestId: string };

/** `slow` says `begin` here and waits for `end`. */
export const slowCalls = new EventEmitter().setMaxListeners(50);

export const LIMITS = {
  maxDepth: 8,
  maxAliases: 5,
  maxFields: 60,
  maxTokens: 1_000,
  maxCost: 1_000,
  defaultPageSize: 20,
  maxPageSize: 200,
};

/** A schema in the shape of ours, whose resolvers answer without any store. */
export function personSchema(): GraphQLSchema {
  const schema = buildSchema(`
    type Query {
      whoAmI: String!
      fail: String
      refuse: String
      slow: String
      people(first: Int, last: Int): PersonConnection!
      person(id: ID): Person
      persons(ids: [ID!]!): [Person]!
      searchPeople(query: String!, first: Int = 10): PersonConnection!
    }
    type Mutation { rename(name: String!): String! }
    type Subscription { count(to: Int!): Int! whoIsThere: String! people(first: Int): PersonConnection! }
    type PersonConnection { edges: [PersonEdge!]! nodes: [Person!]! totalCount: Int! }
    type PersonEdge { node: Person! score: Float! }
    type Skill { name: String! }
    type Person { name: String! skills: [Skill!]! similar(first: Int = 10, minScore: Float): PersonConnection! }
  `);
  const resolvers: Record<string, (source: unknown, args: Record<string, unknown>, context: TestContext) => unknown> = {
    whoAmI: (_source, _args, context) => `${context.actor} as ${context.role}`,
    fail: () => {
      throw new Error('secret detail of the inside');
    },
    refuse: () => {
      throw new DomainError('NOT_FOUND', 'There is no such person.');
    },
    slow: async () => {
      slowCalls.emit('begin');
      await once(slowCalls, 'end');
      return 'done';
    },
    people: () => ({ edges: [], nodes: [], totalCount: 0 }),
    searchPeople: () => ({ edges: [], nodes: [], totalCount: 0 }),
    persons: (_source, { ids }) => (ids as string[]).map(() => null),
  };
  for (const [name, field] of Object.entries(schema.getQueryType()?.getFields() ?? {})) field.resolve = resolvers[name];
  const rename = schema.getMutationType()?.getFields()['rename'];
  if (rename !== undefined) rename.resolve = (_source, { name }) => name as string;
  const streams: Record<string, GraphQLFieldResolver<unknown, TestContext, { to: number }>> = {
    async *count(_source, { to }) {
      try {
        for (let i = 1; i <= to; i += 1) {
          if (i === 13) throw new Error('secret detail of the inside');
          yield { count: i };
          if (i === 5) await new Promise((resolve) => slowCalls.once('end', resolve));
        }
      } finally {
        slowCalls.emit('ended');
      }
    },
    async *whoIsThere(_source, _args, { actor, role }) {
      yield await Promise.resolve({ whoIsThere: `${actor} as ${role}` });
    },
  };
  for (const [name, field] of Object.entries(schema.getSubscriptionType()?.getFields() ?? {})) {
    field.subscribe = streams[name] as GraphQLFieldResolver<unknown, unknown>;
  }
  return schema;
}

/** Collects what is logged, one parsed line each. */
export class LogLines extends Writable {
  readonly lines: Record<string, unknown>[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
    }
    done();
  }
}

export async function buildTestServer(
  options: Partial<HttpServerOptions<TestContext>> = {},
): Promise<HttpServer<TestContext> & { log: LogLines }> {
  const log = new LogLines();
  const server = await buildHttpServer<TestContext>({
    schema: personSchema(),
    makeContext: ({ actor, role, requestId }) => ({ actor, role, requestId }),
    formatError: (formatted, error) => {
      const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
      if (cause instanceof DomainError)
        return { ...formatted, extensions: { code: cause.code, details: cause.details } };
      return cause instanceof GraphQLError ? formatted : { message: 'hidden', extensions: { code: 'INTERNAL' } };
    },
    logger: createLogger({ level: 'debug', destination: log }),
    limits: LIMITS,
    authentication: {},
    corsOrigins: [],
    maxBodyBytes: 10_000,
    readiness: {},
    ...options,
  });
  return { ...server, log };
}
