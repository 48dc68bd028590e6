import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { startThrowawayPostgres, type EmbeddedPostgres } from '../adapters/embedded-postgres';
import { migrationFiles } from '../app/core';
import { createDataSource } from '../kernel/db/data-source';

/**
 * A throwaway PostgreSQL server whose database has been migrated. The first start with these migrations takes a second
 * longer and keeps its result for the others.
 */
export async function startMigratedPostgres(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  return startThrowawayPostgres({ settings, content: { key: await digestOfMigrations(), fill: migrate } });
}

async function migrate(url: string): Promise<void> {
  const dataSource = createDataSource({
    url,
    poolSize: 1,
    entities: [],
    migrations: [migrationFiles()],
    applicationName: 'kindred test',
  });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}

async function digestOfMigrations(): Promise<string> {
  const pattern = migrationFiles();
  const folder = path.dirname(pattern);
  const names = (await readdir(folder)).filter((name) => name.endsWith(path.extname(pattern))).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  const digest = createHash('sha256');
  texts.forEach((text, i) => digest.update(JSON.stringify([names[i], text])));
  return digest.digest('hex').slice(0, 16);
}
