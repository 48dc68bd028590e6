import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { Client } from 'pg';

import type { RelayStep } from '../../src/kernel/outbox/relay-step';
import type { Counters } from './counters';
import { DatabaseProxy } from './faults/database-proxy';
import { EmbeddingServer, MODELS } from './faults/embedding-server';
import { LATEST_ARRIVAL_MS, VectorProxy } from './faults/vector-proxy';
import { ChaosDatabase } from './processes/chaos-database';
import { ManagedProcess } from './processes/managed-process';
import { SETTINGS_VARIABLE, type RelayProcessSettings, type StepOrder } from './processes/relay-orders';
import type { Random } from '../support/random';
import { abandon, connect, type DatabaseAddress } from './writers/sql-client';

const ROOT = path.resolve(__dirname, '..', '..');
const CLI = path.join(ROOT, 'dist', 'cli.js');
const RELAY_PROCESS = path.join(__dirname, 'processes', 'relay.process.ts');
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** Everything that waits is quick here, in the proportions that production has. */
const QDRANT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 15_000;
const LEASE_MS = 2_000;
const LOGGED_WITHIN_MS = 2_000;
/** As the report calls them. */
export const STEP_NAMES: Record<RelayStep, string> = {
  claimed: 'claimed',
  rendered: 'rendered',
  embedded: 'embedded',
  upserted: 'upserted',
  acking: 'before ack',
  acked: 'after ack',
};
/** Longest time that a relay process stands still. */
export const LONGEST_STALL_MS = 3_000;
const RELAY_SETTINGS: RelayProcessSettings['relay'] = {
  leaseMs: LEASE_MS,
  embedTimeoutMs: 4_000,
  pollMs: 200,
  maxAttempts: 5,
  retryBaseMs: 100,
  retryMaxMs: 2_000,
  outageBaseMs: 100,
  outageMaxMs: 1_000,
  // Later than any request can arrive: a process may stand still before it sends one that then is late.
  recheckMs: QDRANT_TIMEOUT_MS + LATEST_ARRIVAL_MS + LONGEST_STALL_MS + LEASE_MS,
};

const MODEL_VARIABLE = /^KINDRED_(NEXT_)?EMBED/;

/** Of `MODELS`: the configured one and, if two are given, the next. */
export type ConfiguredModels = readonly [number] | readonly [number, number];

export interface CommandResult {
  /** Null when it was killed. */
  code: number | null;
  output: string;
}

/** One relay process, and what it has been told to do. */
export class RelayProcess {
  private deadlyStep: string | undefined;
  private isFrozen = false;
  /** Whether it has started and not ended since. */
  isRelaying = false;
  readonly process: ManagedProcess;

  constructor(name: string, settings: RelayProcessSettings, folder: string, random: Random, counters: Counters) {
    this.process = new ManagedProcess({
      name,
      args: ['-r', path.join(ROOT, 'scripts', 'register-typescript.js'), RELAY_PROCESS],
      env: { ...inheritedEnvironment(), [SETTINGS_VARIABLE]: JSON.stringify(settings) },
      logFile: path.join(folder, `${name}.log`),
      restartAfterMs: () => random.int(50, 800),
      onMessage: () => (this.isRelaying = true),
      onExit: (signal) => {
        this.isRelaying = false;
        if (signal === 'SIGKILL') counters.kill(this.deadlyStep ?? 'relay at a random moment');
        this.deadlyStep = undefined;
        this.isFrozen = false;
      },
    });
  }

  order(order: StepOrder): void {
    this.process.tell(order);
    if (order.action === 'die') this.deadlyStep = `relay at step "${STEP_NAMES[order.step]}"`;
  }

  kill(): void {
    this.isRelaying = false;
    this.deadlyStep = undefined;
    this.process.signal('SIGKILL');
  }

  freeze(): void {
    this.isFrozen = true;
    this.process.signal('SIGSTOP');
  }

  thaw(): void {
    if (this.isFrozen) this.process.signal('SIGCONT');
    this.isFrozen = false;
  }

  /** Whatever it was told is forgotten. */
  relax(): void {
    this.thaw();
    this.process.tell({ step: 'acked', after: Number.MAX_SAFE_INTEGER, action: 0 } satisfies StepOrder);
    this.deadlyStep = undefined;
  }
}

/** All of Kindred and what it stands on, each part a process of its own with a proxy before it. */
export class System {
  readonly database: ChaosDatabase;
  readonly databaseProxy: DatabaseProxy;
  readonly vectorProxy: VectorProxy;
  readonly embedding: EmbeddingServer;
  vectorServer!: ManagedProcess;
  api!: ManagedProcess;
  relays: RelayProcess[] = [];
  /** Whether a collection has vanished since a process was started for it. */
  hasLostCollections = false;
  private vectorPort = 0;
  private isApiUp = false;
  private apiUrl = '';
  private databasePort = 0;
  private environment: Record<string, string | undefined> = {};

  constructor(
    readonly folder: string,
    private readonly random: Random,
    private readonly counters: Counters,
  ) {
    this.database = new ChaosDatabase(path.join(folder, 'postgres'));
    this.databaseProxy = new DatabaseProxy(random.fork('database proxy'), () => this.database.socket);
    this.vectorProxy = new VectorProxy(random.fork('vector proxy'), counters, () => this.vectorPort);
    this.embedding = new EmbeddingServer(random.fork('embedding server'), counters);
  }

  /** The vector server itself, without the proxy. */
  get vectorUrl(): string {
    return `http://127.0.0.1:${this.vectorPort}`;
  }

  get address(): DatabaseAddress {
    return { host: '127.0.0.1', port: this.databasePort, ...this.database.role };
  }

  /** Where the API listens, or did before it was killed. */
  get graphqlUrl(): string {
    return this.apiUrl;
  }

  get isReady(): boolean {
    return this.isApiUp && this.vectorPort > 0 && this.relays.every((relay) => relay.isRelaying);
  }

  /** Which parts run, for people. */
  get state(): string {
    const parts: [name: string, isUp: boolean][] = [
      ['API', this.isApiUp],
      ['vector server', this.vectorPort > 0],
      ...this.relays.map((relay, i): [string, boolean] => [`relay ${i + 1}`, relay.isRelaying]),
    ];
    const requests = this.vectorProxy.isIdle ? 'no request' : 'requests';
    return `${parts.map(([name, isUp]) => `${name} ${isUp ? 'runs' : 'is away'}`).join(', ')}, ${requests} on the way`;
  }

  async start(relayCount: number): Promise<void> {
    await this.database.start();
    this.databasePort = await this.databaseProxy.listen();
    this.startVectorServer();
    const qdrantUrl = await this.vectorProxy.listen();
    const baseUrl = await this.embedding.listen();
    const { host, port, user, database } = this.address;
    const databaseUrl = `postgresql://${user}@${host}:${port}/${database}`;
    this.environment = {
      ...inheritedEnvironment(),
      DATABASE_URL: databaseUrl,
      QDRANT_URL: qdrantUrl,
      OPENAI_BASE_URL: baseUrl,
      ...modelVariables([0, 1]),
      KINDRED_DATA_DIR: path.join(this.folder, 'data'),
      KINDRED_RELAY: 'off',
      KINDRED_RELAY_LEASE_MS: String(LEASE_MS),
      KINDRED_DEMO: 'off',
      KINDRED_RATE_LIMIT_PER_MINUTE: '0',
      PORT: '0',
    };
    while (this.vectorPort === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const migrated = await this.command('migrate');
    if (migrated.code !== 0) throw new Error(`kindred migrate failed: ${migrated.output}`);
    this.startApi();
    const settings: RelayProcessSettings = {
      databaseUrl,
      qdrantUrl,
      qdrantTimeoutMs: QDRANT_TIMEOUT_MS,
      embeddings: MODELS.map(({ name: model, ...limits }) => ({ baseUrl, model, ...limits, timeoutMs: 1_500 })),
      relay: RELAY_SETTINGS,
    };
    for (let i = 1; i <= relayCount; i++) {
      const relay = new RelayProcess(
        `relay-${i}`,
        settings,
        this.folder,
        this.random.fork(`relay ${i}`),
        this.counters,
      );
      relay.process.start();
      this.relays.push(relay);
    }
  }

  /** A connection past all writers, for looking. */
  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await connect(this.address, 'chaos observer');
    try {
      return await work(client);
    } finally {
      abandon(client);
    }
  }

  /** Ends one session of PostgreSQL as a crash does, on which it ends all others and recovers. */
  async killSession(random: Random): Promise<void> {
    const pids = await this.withClient(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`,
      );
      return rows.map(({ pid }) => pid);
    });
    if (pids.length > 0) process.kill(random.pick(pids), 'SIGKILL');
  }

  /** Deletes a kind's live collection, as a vector server does that lost its disk. */
  async loseCollection(kind: string): Promise<void> {
    const collection = await this.withClient(async (client) => {
      const { rows } = await client.query<{ collection: string }>(
        `SELECT collection FROM embedding_generations WHERE kind = $1 AND state = 'live'`,
        [kind],
      );
      return rows[0]?.collection;
    });
    if (collection === undefined) return;
    await fetch(`${this.vectorUrl}/collections/${collection}`, { method: 'DELETE' });
    this.hasLostCollections = true;
  }

  /** Deletions that commands want to have looked at again are due as soon as those of the relays. */
  async hastenChecks(): Promise<void> {
    await this.withClient((client) =>
      client.query(
        `UPDATE outbox_events SET available_at = least(available_at, now() + $1 * interval '1 millisecond')`,
        [RELAY_SETTINGS.recheckMs],
      ),
    );
  }

  restartRelay(): void {
    this.relays[0]?.kill();
    this.hasLostCollections = false;
  }

  /** The data of a GraphQL operation that must succeed. */
  async ask<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${this.apiUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(`${query} answered ${JSON.stringify(errors)}`);
    return data;
  }

  /** Runs `kindred …args` on these stores. */
  async command(...args: string[]): Promise<CommandResult> {
    return this.commandWith({}, ...args);
  }

  /**
   * The same with other models configured, past what is done to requests to the vector server, or until it is killed by a
   * signal.
   */
  async commandWith(
    { models = [0, 1], isSpared, signal }: { models?: ConfiguredModels; isSpared?: boolean; signal?: AbortSignal },
    ...args: string[]
  ): Promise<CommandResult> {
    const environment = Object.entries(this.environment).filter(([name]) => !MODEL_VARIABLE.test(name));
    const env: Record<string, string | undefined> = { ...Object.fromEntries(environment), ...modelVariables(models) };
    if (isSpared === true && this.vectorPort > 0) env.QDRANT_URL = this.vectorUrl;
    const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill);
    if (signal?.aborted === true) kill();
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const [code] = (await once(child, 'close')) as [number | null];
    signal?.removeEventListener('abort', kill);
    return { code, output };
  }

  /** Errors that the API logged around a moment, one JSON line each. */
  errorsLoggedByApi(at: Date): string[] {
    const lines = readFileSync(path.join(this.folder, 'api.log'), 'utf8').split('\n');
    return lines.filter((line) => {
      const time = /"level":(?:50|"error").*?"time":"?([^",}]+)/.exec(line)?.[1];
      const loggedAt =
        time === undefined ? Number.NaN : Date.parse(/^\d+$/.test(time) ? new Date(Number(time)).toISOString() : time);
      return Math.abs(loggedAt - at.getTime()) < LOGGED_WITHIN_MS;
    });
  }

  /** Stops every part, whether or not another could be stopped. */
  async stop(): Promise<void> {
    const stopped = await Promise.allSettled([...this.relays.map((relay) => relay.process.stop()), this.api?.stop()]);
    stopped.push(
      ...(await Promise.allSettled([this.vectorProxy.close(), this.embedding.close(), this.databaseProxy.close()])),
      ...(await Promise.allSettled([this.vectorServer?.stop(), this.database.stop()])),
    );
    for (const one of stopped) if (one.status === 'rejected') throw one.reason;
  }

  private startVectorServer(): void {
    this.vectorServer = new ManagedProcess({
      name: 'vector-server',
      args: [CLI, 'vector-server', '--data', path.join(this.folder, 'qdrant'), '--port', '0'],
      env: inheritedEnvironment(),
      logFile: path.join(this.folder, 'vector-server.log'),
      restartAfterMs: () => this.random.int(100, 1_500),
      onLine: (line) => {
        const port = /^Listening on http:\/\/.*:(\d+)$/.exec(line)?.[1];
        if (port !== undefined) this.vectorPort = Number(port);
      },
      onExit: (signal) => {
        this.vectorPort = 0;
        if (signal === 'SIGKILL') this.counters.kill('vector server');
      },
    });
    this.vectorServer.start();
  }

  private startApi(): void {
    this.api = new ManagedProcess({
      name: 'api',
      args: [CLI, 'serve'],
      env: this.environment,
      logFile: path.join(this.folder, 'api.log'),
      restartAfterMs: () => 300,
      onLine: (line) => {
        const url = /GraphQL\s+(http:\/\/\S+)\/graphql/.exec(line)?.[1];
        if (url === undefined) return;
        this.apiUrl = url;
        this.isApiUp = true;
      },
      onExit: (signal) => {
        this.isApiUp = false;
        if (signal === 'SIGKILL') this.counters.kill('API server');
      },
    });
    this.api.start();
  }
}

/** What a process needs of the surroundings; nothing that could be a setting. */
function inheritedEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
}

/** As [operations](../../docs/operations.md) says: the next model beside the configured one. */
function modelVariables(models: ConfiguredModels): Record<string, string> {
  const variables = models.map((index, i) => {
    const { name, dimensions, maxTokens } = MODELS[index] ?? MODELS[0];
    const prefix = i === 0 ? 'KINDRED_' : 'KINDRED_NEXT_';
    return {
      [`${prefix}EMBEDDER`]: 'openai',
      [`${prefix}EMBEDDING_MODEL`]: name,
      [`${prefix}EMBEDDING_DIMENSIONS`]: String(dimensions),
      [`${prefix}EMBEDDING_MAX_TOKENS`]: String(maxTokens),
    };
  });
  return Object.assign({}, ...variables) as Record<string, string>;
}
