import 'reflect-metadata';

import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { startMigratedPostgres } from '../../src/testing/migrated-postgres';
import { closers, serverVariables } from './shared-servers';

/** Apps of several files at once, each with a pool of its own. */
const MAX_CONNECTIONS = '300';

/**
 * Starts what all test files share: one PostgreSQL server with a migrated template, and one vector server, which is a
 * real one where QDRANT_URL names it. Test files learn of them through the environment.
 */
export default async function globalSetup(): Promise<void> {
  const postgres = startMigratedPostgres({ max_connections: MAX_CONNECTIONS }).then((server) => {
    closers.push(() => server.stop());
    // Nobody may be connected to a database that is copied, so clients go by another one.
    process.env[serverVariables.postgresUrl] = server.url.replace('@/kindred?', '@/postgres?');
    process.env[serverVariables.templateDatabase] = server.connection.database;
  });
  const realUrl = process.env.QDRANT_URL;
  const qdrant = (async () => {
    if (realUrl !== undefined && realUrl !== '') {
      process.env[serverVariables.qdrantUrl] = realUrl;
      return;
    }
    const server = await startEmbeddedQdrant({ dataDir: ':memory:' });
    closers.push(() => server.close());
    process.env[serverVariables.qdrantUrl] = server.url;
  })();
  await Promise.all([postgres, qdrant]);
}
