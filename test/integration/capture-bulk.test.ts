import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';

import { startApp } from '../support/app';
import type { TestApp } from '../../src/testing/create-test-app';

/** So many that comparing each with each would take minutes. */
const MANY = 60_000;
let app: TestApp;

beforeAll(async () => {
  app = await startApp({ isRelaying: false });
});

afterAll(async () => {
  await app?.close();
});

/** One session, which keeps its plans. */
async function inSession<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await app.core.database.pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

it('a change of very many rows is captured by a session that has changed single ones before', async () => {
  await inSession(async (client) => {
    await client.query(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, $1) i`, [MANY]);
    for (let i = 0; i < 12; i++) await client.query(`UPDATE tag_concepts SET name = name || '.' WHERE id = 1`);
    await client.query('DELETE FROM outbox_events');
    await client.query(`UPDATE tag_concepts SET description = 'changed'`);
  });
  const [row] = await app.core.database.query<{ queued: number }>(
    `SELECT count(*)::int AS queued FROM outbox_events WHERE kind = 'tag_concept' AND topic = 'source'`,
  );
  expect(row).toEqual({ queued: MANY });
});
