import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import type { ApolloServer } from '@apollo/server';
import { print, type DocumentNode, type FormattedExecutionResult } from 'graphql';
import { Client } from 'pg';
import pino from 'pino';

import { createDeterministicEmbedder } from '../adapters/deterministic-model';
import { startEmbeddedQdrant } from '../adapters/embedded-qdrant';
import type { QdrantRequestReport } from '../adapters/qdrant';
import { createCore, type Core } from '../app/core';
import { buildKindredSchema } from '../app/schema';
import { createGraphQLServer } from '../http/graphql-server';
import { isInsufficientPrivilege } from '../kernel/db/database-errors';
import type { GraphQLContext, Role } from '../kernel/graphql/context';
import { createErrorFormatter } from '../kernel/graphql/format-error';
import type { Embedder } from '../kernel/model/embedder';
import type { Relay } from '../kernel/outbox/relay';
import type { RelaySettings } from '../kernel/outbox/relay-settings';
import type { Meter } from '../kernel/telemetry/meter';
import { startMigratedPostgres } from './migrated-postgres';

export interface TestAppOptions {
  /** A PostgreSQL server where this may create databases; a throwaway one is started unless given. */
  postgresUrl?: string;
  /** A migrated database on that server to copy; saves the migrations. */
  templateDatabase?: string;
  /** A Qdrant server; an embedded one in memory is started unless given. Collections are deleted in the end. */
  qdrantUrl?: string;
  qdrantApiKey?: string;
  /** The deterministic embedder unless given. */
  embedder?: Embedder;
  /** Of a model that is to follow; none unless given. */
  next?: Embedder;
  /** Whether a relay follows the writes; on unless false. */
  isRelaying?: boolean;
  relay?: Partial<RelaySettings>;
  meter?: Meter;
  /** Told of errors whose message clients do not see; thrown away unless given. */
  onHiddenError?: (error: unknown) => void;
}

/** A typed document, as the code generator makes it, or GraphQL text. */
export type Operation<TData, TVariables> =
  | string
  | (DocumentNode & { __apiType?: (variables: TVariables) => TData })
  | { toString(): string; __apiType?: (variables: TVariables) => TData };

export interface Caller {
  actor?: string;
  role?: Role;
}

/** Counts of what was asked of the two stores. */
export interface RoundTrips {
  sql: string[];
  vector: QdrantRequestReport[];
}

export interface TestApp {
  core: Core;
  apollo: ApolloServer<GraphQLContext>;
  /** Undefined when `isRelaying` is false. */
  relay: Relay | undefined;
  databaseUrl: string;
  qdrantUrl: string;
  /** Runs an operation through the whole GraphQL layer, in this process, without HTTP. */
  executeOperation<TData = Record<string, unknown>, TVariables = Record<string, unknown>>(
    operation: Operation<TData, TVariables>,
    variables?: TVariables,
    caller?: Caller,
  ): Promise<FormattedExecutionResult<TData>>;
  /** Resolves once the vector side has followed everything written so far. */
  settle(timeoutMs?: number): Promise<void>;
  /** What `work` asks of PostgreSQL and Qdrant. The relay should be idle. */
  countRoundTrips<T>(work: () => Promise<T>): Promise<{ result: T; trips: RoundTrips }>;
  close(): Promise<void>;
}

const SETTLE_TIMEOUT_MS = 60_000;
const LIMITS = {
  maxDepth: 20,
  maxAliases: 100,
  maxFields: 2000,
  maxCost: 1_000_000,
  maxTokens: 10_000,
  defaultPageSize: 20,
  maxPageSize: 200,
};

async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  try {
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  } catch (error) {
    if (!isInsufficientPrivilege(error)) throw error;
    // The server's own vacuum is at work there, which may not be ended by force. Asked without, it ends by itself.
    await client.query(`DROP DATABASE ${name}`);
  }
}

function databaseUrl(serverUrl: string, database: string): string {
  // `URL` cannot hold a socket path for a host, so only the path is exchanged.
  return serverUrl.replace(/^(postgres(?:ql)?:\/\/[^/?]*)\/[^?]*/, `$1/${database}`);
}

/**
 * Kindred in this process, on real stores of its own: a migrated PostgreSQL database, a vector server, a fast embedder,
 * and a relay between them. Ready in well under two seconds once the machine has started it before.
 */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const closers: Closers = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await start(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

type Closers = (() => Promise<unknown>)[];

/** The URL of a database of its own, migrated unless it is `isEmpty`. */
async function startDatabase(
  options: TestAppOptions,
  id: string,
  closers: Closers,
): Promise<{ url: string; isEmpty: boolean }> {
  const { postgresUrl, templateDatabase } = options;
  if (postgresUrl === undefined) {
    const server = await startMigratedPostgres();
    closers.push(() => server.stop());
    return { url: server.url, isEmpty: false };
  }
  const name = `kindred_test_${id}`;
  const template = templateDatabase === undefined ? '' : ` TEMPLATE ${templateDatabase}`;
  await onServer(postgresUrl, (client) => client.query(`CREATE DATABASE ${name}${template}`));
  closers.push(() => onServer(postgresUrl, (client) => dropDatabase(client, name)));
  return { url: databaseUrl(postgresUrl, name), isEmpty: templateDatabase === undefined };
}

async function startVectorServer(options: TestAppOptions, closers: Closers): Promise<string> {
  if (options.qdrantUrl !== undefined) return options.qdrantUrl;
  const server = await startEmbeddedQdrant({ dataDir: ':memory:' });
  closers.push(() => server.close());
  return server.url;
}

async function startStores(options: TestAppOptions, id: string, closers: Closers) {
  const starting = [startDatabase(options, id, closers), startVectorServer(options, closers)] as const;
  // Not Promise.all: what the faster one started must be known to `closers` when the other fails.
  const settled = Promise.allSettled(starting);
  // Both wait for something outside this thread, which is free to build the schema meanwhile.
  await nextTurn();
  buildKindredSchema();
  const [database, qdrantUrl] = await settled;
  if (database.status === 'rejected') throw database.reason;
  if (qdrantUrl.status === 'rejected') throw qdrantUrl.reason;
  return { database: database.value, qdrantUrl: qdrantUrl.value };
}

async function start(options: TestAppOptions, closers: Closers, close: () => Promise<void>): Promise<TestApp> {
  const id = randomBytes(6).toString('hex');
  const { database, qdrantUrl } = await startStores(options, id, closers);
  const { url } = database;

  const trips: RoundTrips = { sql: [], vector: [] };
  const logger = pino({ level: 'silent' });
  const embedder = options.embedder ?? createDeterministicEmbedder();
  closers.push(() => embedder.close());
  const core = await createCore({
    databaseUrl: url,
    poolSize: 10,
    applicationName: 'kindred test',
    qdrantUrl,
    qdrantApiKey: options.qdrantApiKey,
    embedder,
    next: options.next,
    collections: { prefix: `t_${id}_` },
    relay: { pollMs: 200, ...options.relay },
    logger,
    onVectorRequest: (report) => trips.vector.push(report),
    meter: options.meter,
  });
  closers.push(() => core.close());
  if (database.isEmpty) await core.database.dataSource.runMigrations();
  await core.catalog.start();
  if (options.qdrantUrl !== undefined) {
    closers.push(async () => {
      const collections = await core.store.listCollections();
      const own = collections.filter((name) => name.startsWith(`t_${id}_`));
      await Promise.all(own.map((name) => core.store.deleteCollection(name)));
    });
  }
  const apollo = createGraphQLServer<GraphQLContext>({
    schema: buildKindredSchema(),
    limits: LIMITS,
    logger,
    formatError: createErrorFormatter(options.onHiddenError ?? (() => undefined)),
  });
  await apollo.start();
  closers.push(() => apollo.stop());
  let relay: Relay | undefined;
  if (options.isRelaying !== false) {
    relay = core.createRelay();
    relay.start();
    closers.push(() => (relay as Relay).stop());
  }
  core.database.observe(({ sql }) => trips.sql.push(sql));

  return {
    core,
    apollo,
    relay,
    databaseUrl: url,
    qdrantUrl,
    executeOperation: async <TData, TVariables>(
      operation: Operation<TData, TVariables>,
      variables?: TVariables,
      caller: Caller = {},
    ) => {
      const query = typeof operation === 'object' && 'kind' in operation ? print(operation) : String(operation);
      const response = await apollo.executeOperation<Record<string, unknown>>(
        { query, variables: variables as Record<string, unknown> | undefined },
        { contextValue: core.createContext({ actor: caller.actor ?? 'test', role: caller.role ?? 'admin' }) },
      );
      if (response.body.kind !== 'single') throw new Error('Incremental delivery is not used here');
      return response.body.singleResult as unknown as FormattedExecutionResult<TData>;
    },
    settle: async (timeoutMs = SETTLE_TIMEOUT_MS) => {
      const deadline = Date.now() + timeoutMs;
      for (let pauseMs = 2; !(await core.isIdle()); pauseMs = Math.min(pauseMs * 2, 50)) {
        if (Date.now() > deadline) throw new Error(`The relay was not done after ${timeoutMs} ms`);
        await delay(pauseMs);
      }
    },
    countRoundTrips: async (work) => {
      trips.sql.length = 0;
      trips.vector.length = 0;
      const result = await work();
      return { result, trips: { sql: [...trips.sql], vector: [...trips.vector] } };
    },
    close,
  };
}
