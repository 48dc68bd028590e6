import 'reflect-metadata';
import path from 'node:path';

import { createQdrantStore, type QdrantRequestReport } from '../adapters/qdrant';
// First: the order in which types are declared is that of schema.graphql.
import { featureEntities, recordKinds } from '../features/registry';
import { featureFollowUps } from '../features/follow-ups';
import { CheckStore } from '../kernel/consistency/check-store';
import { Consistency } from '../kernel/consistency/consistency';
import { LightCheck } from '../kernel/consistency/light-check';
import { Database } from '../kernel/db/database';
import { createDataSource } from '../kernel/db/data-source';
import { EmbeddingList } from '../kernel/embedding/embedding-list';
import { EmbeddingReader } from '../kernel/embedding/embedding-reader';
import { DomainError } from '../kernel/errors/domain-error';
import type { GraphQLContext } from '../kernel/graphql/context';
import type { Services } from '../kernel/graphql/services';
import { Loaders } from '../kernel/graphql/loaders';
import { Eraser } from '../kernel/lifecycle/erasure';
import { Purge } from '../kernel/lifecycle/purge';
import type { Logger } from '../kernel/logging/logger';
import type { ChunkWindow } from '../kernel/model/chunk-window';
import { ModelChange, type ModelChangeParts } from '../kernel/model-change/model-change';
import type { Embedder } from '../kernel/model/embedder';
import { Embedders } from '../kernel/model/embedders';
import { DeadLetters } from '../kernel/outbox/dead-letters';
import { Capture } from '../kernel/outbox/capture';
import { IndexingProgressSource } from '../kernel/outbox/indexing-progress';
import { OutboxBacklog, type Backlog } from '../kernel/outbox/outbox-backlog';
import { OutboxStore } from '../kernel/outbox/outbox-store';
import { Relay, type RelayParts } from '../kernel/outbox/relay';
import type { RelaySettings } from '../kernel/outbox/relay-settings';
import type { StepHook } from '../kernel/outbox/relay-step';
import { Sync } from '../kernel/outbox/sync';
import { RecordReader } from '../kernel/record/record-reader';
import { RecordWriter } from '../kernel/record/record-writer';
import { KindRegistry } from '../kernel/record/registry';
import { SearchService } from '../kernel/search/search-service';
import { instrumentedEmbedder, instrumentedStore } from '../kernel/telemetry/instrumented';
import { silentMeter, type Meter } from '../kernel/telemetry/meter';
import { chunkWindow } from '../kernel/vector/chunk-window';
import { CollectionCatalog, defaultCollectionSettings, type CollectionSettings } from '../kernel/vector/collections';
import { PointReader } from '../kernel/vector/point-reader';
import type { Route } from '../kernel/vector/route';
import type { VectorStore } from '../kernel/vector/vector-store';

export interface CoreOptions {
  databaseUrl: string;
  poolSize: number;
  applicationName: string;
  qdrantUrl: string;
  qdrantApiKey?: string;
  /** Longest wait for one answer of the vector server; the adapter's default unless given. */
  qdrantTimeoutMs?: number;
  embedder: Embedder;
  /** Of the model that is to follow, while it is being changed. */
  next?: Embedder;
  collections?: Partial<CollectionSettings>;
  relay?: Partial<RelaySettings>;
  logger: Logger;
  onVectorRequest?: (report: QdrantRequestReport) => void;
  meter?: Meter;
  /** For tests of faults, which kill a change of the model at a step. */
  onModelChangeStep?: ModelChangeParts['onStep'];
}

/** Everything between the two stores and the outside, wired once. Nothing has been asked of either store yet. */
export interface Core {
  database: Database;
  store: VectorStore;
  /** The configured one. */
  embedder: Embedder;
  embedders: Embedders;
  catalog: CollectionCatalog;
  /** What chunks have to fit into now. */
  window(): Promise<ChunkWindow>;
  registry: KindRegistry;
  services: Services;
  sync: Sync;
  capture: Capture;
  purge: Purge;
  lightCheck: LightCheck;
  /** What the last complete checks found, of whichever process. */
  checks: CheckStore;
  /** @param onStep for tests of faults, which kill or stall a relay at a step */
  createRelay(onStep?: StepHook, options?: Pick<RelayParts, 'isFillingOnly'>): Relay;
  /** Changes the model: builds collections beside the live ones and promotes them. */
  modelChange: ModelChange;
  /** What the relay has before it. */
  backlog(): Promise<Backlog>;
  /** Whether the vector side has followed everything captured; dead letters do not count. */
  isIdle(): Promise<boolean>;
  /** Ends the leases of workers that are known to be gone. */
  endLeases(): Promise<void>;
  /** What one request's resolvers get. */
  createContext(caller: Pick<GraphQLContext, 'actor' | 'role' | 'requestId'>): GraphQLContext;
  /** Resolves once the live model answers. @throws COLLECTION_MISMATCH it is not one of this process's */
  modelReady(): Promise<void>;
  close(): Promise<void>;
}

/** The compiled migrations, or their sources where the program itself runs from source. */
export function migrationFiles(): string {
  return __filename.endsWith('.ts')
    ? path.resolve(__dirname, '..', '..', 'migrations', '*.ts')
    : path.resolve(__dirname, '..', 'migrations', '*.js');
}

/** @throws DATABASE_UNAVAILABLE when the database does not answer */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { logger, meter = silentMeter } = options;
  const embedder = instrumentedEmbedder(options.embedder, meter);
  const embedders = new Embedders(embedder, options.next && instrumentedEmbedder(options.next, meter));
  const dataSource = createDataSource({
    url: options.databaseUrl,
    poolSize: options.poolSize,
    entities: featureEntities,
    migrations: [migrationFiles()],
    applicationName: options.applicationName,
  });
  try {
    await dataSource.initialize();
  } catch (error) {
    throw new DomainError(
      'DATABASE_UNAVAILABLE',
      `PostgreSQL does not answer at DATABASE_URL: ${(error as Error).message || 'connection refused'}. Is it running, and may this user log in?`,
      { cause: error, retryable: true },
    );
  }
  const database = new Database(dataSource);
  const qdrant = createQdrantStore({
    url: options.qdrantUrl,
    apiKey: options.qdrantApiKey,
    timeoutMs: options.qdrantTimeoutMs,
    log: logger,
    onRequest: options.onVectorRequest,
  });
  const store = instrumentedStore(qdrant, meter);
  const registry = new KindRegistry(recordKinds);
  const catalog = new CollectionCatalog({
    database,
    store,
    model: embedder.model,
    next: embedders.next?.model,
    kinds: recordKinds,
    logger,
    settings: { ...defaultCollectionSettings, ...options.collections },
  });
  const window = (): Promise<ChunkWindow> => chunkWindow(catalog, embedders);
  const route = (): Route => catalog.route;
  const followUps = featureFollowUps({ database, store, route });
  const sync = new Sync(database);
  const backlog = new OutboxBacklog(database);
  const kindNames = registry.embeddable.map((kind) => kind.kind);
  const search = new SearchService({ store, embedders, catalog });
  const checks = new CheckStore(database);
  const services: Services = {
    registry,
    records: new RecordReader(database, registry),
    writer: new RecordWriter(database, registry, (transaction) => sync.tokenOf(transaction)),
    embeddings: new EmbeddingReader(database),
    embeddingList: new EmbeddingList(database, registry.embeddable),
    points: new PointReader(database, store, route),
    search,
    sync,
    consistency: new Consistency({
      database,
      store,
      catalog,
      kinds: recordKinds,
      window,
      checks,
    }),
    deadLetters: new DeadLetters(database, registry.embeddable),
    eraser: new Eraser({ database, store, catalog, kinds: recordKinds, cache: search.rememberedTexts }),
    database,
    store,
    route,
    refreshRoute: () => catalog.refresh(),
    progress: new IndexingProgressSource(database, kindNames),
  };
  return {
    database,
    store,
    embedder,
    embedders,
    catalog,
    window,
    registry,
    services,
    sync,
    capture: new Capture(database, recordKinds),
    purge: new Purge(database, recordKinds),
    lightCheck: new LightCheck(database, store, registry.embeddable, route),
    checks,
    createRelay: (onStep, relayOptions) =>
      new Relay({
        database,
        store,
        embedder,
        next: embedders.next,
        catalog,
        kinds: recordKinds,
        followUps,
        logger,
        settings: options.relay,
        onStep,
        meter,
        ...relayOptions,
      }),
    modelChange: new ModelChange({
      database,
      store,
      catalog,
      embedders,
      kinds: recordKinds,
      followUps,
      logger,
      onStep: options.onModelChangeStep,
    }),
    backlog: () => backlog.count(kindNames),
    isIdle: () => backlog.isIdle(kindNames),
    endLeases: () => new OutboxStore(database).endLeases(),
    createContext: ({ actor, role, requestId }) => ({
      services,
      loaders: new Loaders(services),
      actor,
      role,
      requestId,
    }),
    modelReady: async () => {
      catalog.checkLive();
      await embedders.of(catalog.liveModel)?.ready();
    },
    close: async () => {
      await Promise.all([database.close(), store.close()]);
    },
  };
}
