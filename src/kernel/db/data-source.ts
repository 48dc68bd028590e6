import { DataSource, DefaultNamingStrategy, type DataSourceOptions, type Table } from 'typeorm';

import { ConsistencyCheck } from '../consistency/consistency-check.entity';
import { UnfinishedErasure } from '../lifecycle/unfinished-erasure.entity';
import { EmbeddingGeneration } from '../model/embedding-generation.entity';
import { EmbeddingModel } from '../model/embedding-model.entity';
import { OutboxEvent } from '../outbox/outbox-event.entity';
import { StandbyPoint } from '../vector/standby-point.entity';
import { VectorPoint } from '../vector/vector-point.entity';

const OWN_TABLES = [
  OutboxEvent,
  VectorPoint,
  StandbyPoint,
  EmbeddingModel,
  EmbeddingGeneration,
  ConsistencyCheck,
  UnfinishedErasure,
];

export interface DataSourceSettings {
  /** Connection string; may name a unix socket (`postgres://user@/db?host=/path`). */
  url: string;
  poolSize: number;
  /** Classes of the features' tables. */
  entities: readonly (new () => object)[];
  /** Migration classes, or globs of compiled files. */
  migrations: NonNullable<DataSourceOptions['migrations']>;
  applicationName: string;
}

/** `pk_<table>`, like the other constraints, instead of a digest. */
class ReadableNames extends DefaultNamingStrategy {
  override primaryKeyName(table: Table | string): string {
    return `pk_${typeof table === 'string' ? table : table.name}`;
  }
}

/** For a new connection or one of the pool's; without it, a server that accepts and is silent is waited for for ever. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * When a silent connection is first asked whether its other end is still there. The system asks a few times more; without it,
 * a statement or a listener whose server vanished without a word would wait for ever.
 */
const FIRST_PROBE_MS = 10_000;

/** The one place that says how Kindred talks to PostgreSQL. Not connected yet. */
export function createDataSource(settings: DataSourceSettings): DataSource {
  return new DataSource({
    type: 'postgres',
    url: settings.url,
    entities: [...OWN_TABLES, ...settings.entities],
    migrations: settings.migrations,
    migrationsTableName: 'kindred_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    namingStrategy: new ReadableNames(),
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    applicationName: settings.applicationName,
    poolSize: settings.poolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: { keepAlive: true, keepAliveInitialDelayMillis: FIRST_PROBE_MS },
  });
}
