import pino from 'pino';
import { createCore, type Core } from '../../src/app/core';
import type { RelaySettings } from '../../src/kernel/outbox/relay-settings';
import type { StoreTargets } from './processes';
import { zeroCostEmbedder } from './zero-cost-embedder';

/** Kindred on these stores, migrated and with its collections, with a model that costs nothing. */
export async function openCore(targets: StoreTargets, relay: Partial<RelaySettings> = {}): Promise<Core> {
  const core = await createCore({
    databaseUrl: targets.databaseUrl,
    poolSize: 10,
    applicationName: 'kindred bench',
    qdrantUrl: targets.qdrantUrl,
    collections: { prefix: targets.prefix },
    relay,
    embedder: zeroCostEmbedder(),
    logger: pino({ level: 'warn' }, pino.destination(2)),
  });
  await core.database.dataSource.runMigrations();
  await core.catalog.start();
  return core;
}
