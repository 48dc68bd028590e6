import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { startThrowawayPostgres, type EmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { createQdrantStore } from '../../src/adapters/qdrant';
import { migrationFiles } from '../../src/app/core';
import { featureFollowUps } from '../../src/features/follow-ups';
import { featureEntities, recordKinds } from '../../src/features/registry';
import { createDataSource } from '../../src/kernel/db/data-source';
import { Database } from '../../src/kernel/db/database';
import type { Logger } from '../../src/kernel/logging/logger';
import type { Embedder } from '../../src/kernel/model/embedder';
import type { RelaySettings } from '../../src/kernel/outbox/relay-settings';
import type { StepHook } from '../../src/kernel/outbox/relay-step';
import { OutboxBacklog } from '../../src/kernel/outbox/outbox-backlog';
import { OutboxStore } from '../../src/kernel/outbox/outbox-store';
import { Relay } from '../../src/kernel/outbox/relay';
import { CollectionCatalog, defaultCollectionSettings } from '../../src/kernel/vector/collections';
import type { StoredPoint, VectorStore } from '../../src/kernel/vector/vector-store';

const TEMPLATE = 'kindred_template';
const DEADLINE_MS = 90_000;

export const kindNames = recordKinds.filter((kind) => kind.embedding).map((kind) => kind.kind);

/** Fast enough that tests wait for work and not for timers. */
export const quickRelay: Partial<RelaySettings> = {
  pollMs: 20,
  retryBaseMs: 10,
  retryMaxMs: 50,
  outageBaseMs: 10,
  outageMaxMs: 50,
  recheckMs: 100,
};

export interface LoggedLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

/** Keeps what is logged, for assertions. */
export function recordingLogger(lines: LoggedLine[] = []): Logger & { lines: LoggedLine[] } {
  const at = (level: LoggedLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A database server and a vector server for one test file. */
export class WritePathServers {
  private constructor(
    private readonly postgres: EmbeddedPostgres,
    readonly qdrantUrl: string,
    private readonly closeQdrant: () => Promise<void>,
  ) {}

  static async start(): Promise<WritePathServers> {
    const postgres = await startThrowawayPostgres();
    const realUrl = process.env.QDRANT_URL;
    const qdrant = realUrl ? undefined : await startEmbeddedQdrant({ dataDir: ':memory:' });
    const servers = new WritePathServers(postgres, realUrl ?? qdrant?.url ?? '', async () => qdrant?.close());
    await servers.sql(`CREATE DATABASE ${TEMPLATE}`);
    const template = servers.dataSource(TEMPLATE, 1);
    await template.initialize();
    await template.runMigrations();
    await template.destroy();
    return servers;
  }

  /** A migrated database of its own, and collections of its own. */
  async open(parts: OpenOptions = {}): Promise<WritePath> {
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    await this.sql(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    const dataSource = this.dataSource(name, 12);
    await dataSource.initialize();
    return WritePath.open(new Database(dataSource), this.qdrantUrl, `${name}_`, parts);
  }

  async close(): Promise<void> {
    await this.closeQdrant();
    await this.postgres.stop();
  }

  private dataSource(database: string, poolSize: number) {
    const url = this.postgres.url.replace(/@\/[^?]*/, `@/${database}`);
    return createDataSource({
      url,
      poolSize,
      entities: featureEntities,
      migrations: [migrationFiles()],
      applicationName: 'kindred-test',
    });
  }

  private async sql(statement: string): Promise<void> {
    const admin = this.dataSource(this.postgres.connection.database, 1);
    await admin.initialize();
    await admin.query(statement);
    await admin.destroy();
  }
}

export interface OpenOptions {
  /** Sees every embedding call; may wait or throw. */
  onEmbed?: (texts: readonly string[]) => void | Promise<void>;
  embedder?: Embedder;
  /** Stands between the relay and the vector server. */
  wrapStore?: (store: VectorStore) => VectorStore;
}

/** The whole write path on real parts, without a relay running until one is started. */
export class WritePath {
  readonly logger = recordingLogger();
  readonly outbox: OutboxStore;
  readonly backlog: OutboxBacklog;
  private readonly relays: Relay[] = [];

  private constructor(
    readonly database: Database,
    readonly store: VectorStore,
    readonly prefix: string,
    readonly embedder: Embedder,
    readonly catalog: CollectionCatalog,
    private readonly qdrant: VectorStore,
    /** Every text embedded, in order. */
    readonly embedded: string[],
  ) {
    this.outbox = new OutboxStore(database);
    this.backlog = new OutboxBacklog(database);
  }

  static async open(database: Database, qdrantUrl: string, prefix: string, parts: OpenOptions): Promise<WritePath> {
    const qdrant = createQdrantStore({ url: qdrantUrl, timeoutMs: 5_000 });
    const store = parts.wrapStore?.(qdrant) ?? qdrant;
    const texts: string[] = [];
    const embedder =
      parts.embedder ??
      createDeterministicEmbedder({
        onEmbed: async (batch) => {
          await parts.onEmbed?.(batch);
          texts.push(...batch);
        },
      });
    const catalog = new CollectionCatalog({
      database,
      store,
      model: embedder.model,
      kinds: recordKinds,
      logger: recordingLogger(),
      settings: { ...defaultCollectionSettings, prefix },
    });
    await catalog.start();
    return new WritePath(database, store, prefix, embedder, catalog, qdrant, texts);
  }

  relay(settings: Partial<RelaySettings> = {}, onStep?: StepHook): Relay {
    const { database, store, embedder, catalog, logger } = this;
    const relay = new Relay({
      database,
      store,
      embedder,
      catalog,
      kinds: recordKinds,
      followUps: featureFollowUps({
        database,
        store,
        route: () => catalog.route,
      }),
      logger,
      settings: { ...quickRelay, ...settings },
      onStep,
    });
    this.relays.push(relay);
    relay.start();
    return relay;
  }

  sql<Row extends object = Record<string, unknown>>(statement: string, values: unknown[] = []): Promise<Row[]> {
    return this.database.query<Row>(statement, values);
  }

  async id(statement: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.sql<{ id: number }>(statement, values);
    if (!row) throw new Error('the statement returned no id');
    return row.id;
  }

  /** Waits until the relays have nothing left to do. */
  async idle(): Promise<void> {
    await eventually(async () => expectTrue(await this.backlog.isIdle(kindNames), 'the outbox is not idle'));
  }

  /** Everything that the vector server has of a kind. */
  async points(kind: string): Promise<StoredPoint[]> {
    const { points } = await this.qdrant.scroll(this.catalog.alias(kind), { limit: 10_000, payload: true });
    return points;
  }

  async vectors(kind: string, ids: string[]): Promise<Map<string, number[]>> {
    const points = await this.qdrant.retrieve(this.catalog.alias(kind), ids, { payload: false, vectors: ['dense'] });
    return new Map(points.map((point) => [point.id, point.dense ?? []]));
  }

  /** Compares both stores completely, vectors included, and says what differs; nothing when all is well. */
  async drift(): Promise<string[]> {
    const found: string[] = [];
    for (const kind of recordKinds) {
      const spec = kind.embedding;
      if (!spec) continue;
      const rows = await this.sql<{
        id: string;
        hash: string;
        type: string;
        source: number;
        archived: boolean;
        revision: string;
        state: string;
        payload: Record<string, unknown>;
        text: string;
      }>(
        `SELECT e.qdrant_point_id AS id, e.content_hash AS hash, coalesce(e.context_line || E'\\n', '') || e.text AS text, e.embedding_type AS type,
           e.${spec.sourceColumn} AS source, e.archived_at IS NOT NULL AS archived, p.revision, p.state, p.payload
         FROM ${spec.table} e JOIN vector_points p ON p.point_id = e.qdrant_point_id`,
      );
      const points = new Map((await this.points(kind.kind)).map((point) => [point.id, point]));
      const vectors = await this.vectors(kind.kind, [...points.keys()]);
      const expectedVectors = await createDeterministicEmbedder().embed(
        rows.map((row) => row.text),
        { purpose: 'document' },
      );
      for (const [i, row] of rows.entries()) {
        const point = points.get(row.id);
        points.delete(row.id);
        const expected = {
          ...row.payload,
          archived: row.archived || row.payload.archived === true,
          embedding_type: row.type,
          content_hash: row.hash,
          revision: Number(row.revision),
        };
        if (row.state !== 'indexed') found.push(`${kind.kind} ${row.id} is ${row.state}`);
        if (!point) found.push(`${kind.kind} ${row.id} has no point`);
        else if (canonical(point.payload) !== canonical(expected)) {
          found.push(`${kind.kind} ${row.id} has ${canonical(point.payload)} instead of ${canonical(expected)}`);
        }
        const cosine = dot(vectors.get(row.id) ?? [], expectedVectors[i] ?? []);
        if (point && Math.abs(cosine - 1) > 1e-4) found.push(`${kind.kind} ${row.id} has the vector of another text`);
      }
      for (const id of points.keys()) found.push(`${kind.kind} ${id} is an orphan`);
    }
    return found;
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.stop()));
    const names = (await this.qdrant.listCollections()).filter((name) => name.startsWith(this.prefix));
    await Promise.all(names.map((name) => this.qdrant.deleteCollection(name)));
    await this.qdrant.close();
    await this.database.close();
  }
}

function canonical(payload: object): string {
  return JSON.stringify(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

function expectTrue(value: boolean, message: string): void {
  if (!value) throw new Error(message);
}

/** Repeats `check` until it passes; its last error after the deadline. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(10);
    }
  }
}
