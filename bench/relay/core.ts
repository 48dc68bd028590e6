import pino from 'pino';
import { createCore, type Core } from '../../src/app/core';
import type { StoreTargets } from './processes';
import { zeroCostEmbedder } from './zero-cost-embedder';

/** Kindred on these stores, migrated and with its collections, with a model that costs nothing. */
export async function openCore(targets: StoreTargets, modelMs = 0): Promise<Core> {
  const core = await createCore({
    databaseUrl: targets.databaseUrl,
    poolSize: 10,
    applicationName: 'kindred bench',
    qdrantUrl: targets.qdrantUrl,
    collections: { prefix: targets.prefix },
    embedder: zeroCostEmbedder(modelMs),
    logger: pino({ level: 'warn' }, pino.destination(2)),
  });
  await core.database.dataSource.runMigrations();
  await core.catalog.start();
  return core;
}
