import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import { startThrowawayPostgres } from '../src/adapters/embedded-postgres';
import { featureEntities } from '../src/features/registry';
import { createDataSource } from '../src/kernel/db/data-source';

/** Runs `work` on an empty database of its own, to which the migrations of `dist/migrations` are known but not applied. */
export async function withEmptyDatabase<T>(work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const server = await startThrowawayPostgres();
  try {
    const dataSource = createDataSource({
      url: server.url,
      poolSize: 2,
      entities: featureEntities,
      migrations: ['dist/migrations/*.js'],
      applicationName: 'kindred scripts',
    });
    await dataSource.initialize();
    try {
      return await work(dataSource);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await server.stop();
  }
}
