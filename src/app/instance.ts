import type { Logger } from 'pino';

import { startTracing } from '../adapters/opentelemetry';
import type { FetchProgress } from '../adapters/local-model';
import type { Environment } from '../config/environment';
import { DomainError } from '../kernel/errors/domain-error';
import type { Embedder } from '../kernel/model/embedder';
import type { Meter } from '../kernel/telemetry/meter';
import { createCore, type Core } from './core';
import { createEmbedder } from './embedder';
import { attachStores, startStores, type Stores } from './stores';

export interface InstanceOptions {
  environment: Environment;
  logger: Logger;
  applicationName: string;
  /** `own`: be the one instance of the data folder. `attach`: use the running one's stores where there is one. */
  stores: 'own' | 'attach';
  onFetchProgress?: (progress: FetchProgress) => void;
  /** Whether to start although the stored embeddings are another model's, so that the model can be changed. */
  isModelChange?: boolean;
  /** Whether to start although changes are not captured completely, to report or restore that. */
  isCaptureDamageKnown?: boolean;
  /** Whether to change nothing: no migration, no collection. For commands that only look. */
  isInspection?: boolean;
  meter?: Meter;
}

/** Kindred on its stores, with the schema migrated and the collections checked. Nothing is relayed or served yet. */
export interface Instance {
  core: Core;
  stores: Stores;
  embedder: Embedder;
  close(): Promise<void>;
}

const POOL_SIZE = 20;

/** @throws DomainError with one readable message: configuration, a store that does not answer, a model that does not fit */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { environment, logger } = options;
  const stores =
    options.stores === 'own' ? await startStores(environment, logger) : await attachStores(environment, logger);
  const closers: (() => Promise<unknown>)[] = [() => stores.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { tracing } = environment;
    if (tracing) closers.push(startTracing(tracing));
    const embedder = createEmbedder(environment.embedder, options.onFetchProgress);
    closers.push(() => embedder.close());
    const next = environment.next && createEmbedder(environment.next, options.onFetchProgress);
    if (next) closers.push(() => next.close());
    const core = await createCore({
      databaseUrl: stores.databaseUrl,
      poolSize: POOL_SIZE,
      applicationName: options.applicationName,
      qdrantUrl: stores.qdrantUrl,
      qdrantApiKey: stores.qdrantApiKey,
      embedder,
      next,
      collections: {
        shardNumber: environment.qdrant.shardNumber,
        replicationFactor: environment.qdrant.replicationFactor,
        writeConsistencyFactor: environment.qdrant.writeConsistencyFactor,
        quantization: environment.qdrant.quantization,
        isOnDisk: environment.qdrant.isOnDisk,
      },
      relay: {
        pointBatchSize: environment.relay.batchSize,
        leaseMs: environment.relay.leaseMs,
        maxAttempts: environment.relay.maxAttempts,
      },
      logger,
      meter: options.meter,
    });
    closers.push(() => core.close());
    if (options.isInspection === true) {
      await checkVectorServer(core);
      return { core, stores, embedder, close };
    }
    await migrate(core);
    if (options.isCaptureDamageKnown !== true) await core.capture.check();
    // Or the work of a process that was killed would wait until its leases end by themselves.
    if (stores.origin === 'started' && environment.databaseUrl === undefined) await core.endLeases();
    await checkVectorServer(core);
    await core.catalog.start({ isModelChange: options.isModelChange });
    return { core, stores, embedder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const MIGRATION_LOCK = 'kindred_migrations';

/** Brings the schema up to date. Processes that start together take turns. */
export function migrate(core: Core): Promise<string[]> {
  return core.database.session(async (client) => {
    try {
      await client.query('SELECT pg_advisory_lock(hashtext($1))', [MIGRATION_LOCK]);
      const done = await core.database.dataSource.runMigrations();
      return done.map((migration) => migration.name);
    } finally {
      await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    }
  });
}

async function checkVectorServer(core: Core): Promise<void> {
  try {
    await core.store.ping();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DomainError('VECTOR_STORE_UNAVAILABLE', `Qdrant does not answer at QDRANT_URL: ${reason}`, {
      cause: error,
    });
  }
}
