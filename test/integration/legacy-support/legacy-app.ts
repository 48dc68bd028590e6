import { randomBytes } from 'node:crypto';

import { createDeterministicEmbedder } from '../../../src/adapters/deterministic-model';
import { recordKinds } from '../../../src/features/registry';
import type { LegacyParts } from '../../../src/legacy/legacy-parts';
import type { MoveSettings } from '../../../src/legacy/move-settings';
import type { TestApp } from '../../../src/testing/create-test-app';
import { startApp } from '../../support/app';
import { ForeignCollection, seedRecords, sqlOf, type Sql } from './document-table';

/** An old program's table and points beside an empty Kindred. */
export interface LegacyApp {
  app: TestApp;
  sql: Sql;
  parts: LegacyParts;
  collection: ForeignCollection;
  records: Record<string, number[]>;
  /** Every text that was embedded. */
  embedded: string[];
  settings(changes?: Partial<MoveSettings>): MoveSettings;
  close(): Promise<void>;
}

export interface LegacyAppOptions {
  profiles?: number;
  isRelaying?: boolean;
  vectorName?: string;
}

export async function startLegacyApp(
  ddl: string | readonly string[],
  options: LegacyAppOptions = {},
): Promise<LegacyApp> {
  const embedded: string[] = [];
  const app = await startApp({
    embedder: createDeterministicEmbedder({ onEmbed: (texts) => void embedded.push(...texts) }),
    isRelaying: options.isRelaying,
    relay: { pollMs: 20, retryBaseMs: 10, outageBaseMs: 10 },
  });
  const { core } = app;
  const sql = sqlOf(app);
  const records = await seedRecords(sql, options.profiles);
  for (const statement of [ddl].flat()) await sql(statement);
  const collection = new ForeignCollection(app, `old_${randomBytes(6).toString('hex')}`, options.vectorName);
  await collection.create();
  return {
    app,
    sql,
    records,
    collection,
    embedded,
    parts: {
      database: core.database,
      store: core.store,
      consistency: core.services.consistency,
      model: core.embedder.model,
      kinds: recordKinds,
    },
    settings: (changes) => ({
      table: { schema: 'public', name: 'vector_embeddings' },
      columns: {},
      entityTypes: {},
      embeddingTypes: {},
      matchBy: 'id',
      timeZone: 'UTC',
      vectorHome: collection.vectorName === undefined ? collection.name : `${collection.name}#${collection.vectorName}`,
      ...changes,
    }),
    close: async () => {
      await collection.drop();
      await app.close();
    },
  };
}
