import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';

const DAY_MS = 24 * 3_600_000;

describe('a purge', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
    await app.core.database.query(
      `INSERT INTO tag_concepts (name, archived_at)
       SELECT 'tag ' || i, CASE WHEN i > 250 THEN now() - interval '20 days' WHEN i > 10 THEN now() - interval '40 days' END
       FROM generate_series(1, 260) i`,
    );
    await app.core.database.query(`
      WITH old AS (INSERT INTO profiles (name, headline, archived_at) VALUES ('Old', 'x', now() - interval '40 days') RETURNING id)
      INSERT INTO skills (profile_id, name) SELECT id, 'Knots' FROM old`);
    await app.settle();
  });
  afterAll(() => app.close());

  const recordsOf = (counts: readonly { kind: string; records: number }[]): Record<string, number> =>
    Object.fromEntries(counts.filter(({ records }) => records > 0).map(({ kind, records }) => [kind, records]));

  it('plans without deleting', async () => {
    expect(recordsOf(await app.core.purge.plan(30 * DAY_MS))).toEqual({ profile: 1, tag_concept: 240 });
    expect(recordsOf(await app.core.purge.plan(10 * DAY_MS))).toEqual({ profile: 1, tag_concept: 250 });
    expect(recordsOf(await app.core.purge.plan(50 * DAY_MS))).toEqual({});
  });

  it.each([
    [
      'another process purges, and leaves no kind out',
      `SELECT pg_advisory_xact_lock(hashtext('kindred_purge'))`,
      'advisory',
    ],
    ['others hold what it is to delete', `SELECT 1 FROM profiles WHERE name = 'Older' FOR KEY SHARE`, 'DELETE'],
  ])('waits while %s', async (_, hold, waiter) => {
    const { database, purge } = app.core;
    let purged: ReturnType<typeof purge.run> = Promise.resolve([]);
    await database.query(`INSERT INTO profiles (name, archived_at) VALUES ('Older', now() - interval '400 days')`);
    await app.settle();
    await database.transaction({}, async (transaction) => {
      await transaction.query(hold);
      purged = purge.run(300 * DAY_MS);
      await until(async () => {
        const waiting = await database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
             AND application_name = 'kindred test' AND query LIKE '%' || $1 || '%'`,
          [waiter],
        );
        return waiting.length === 1;
      });
    });
    expect(recordsOf(await purged)).toEqual({ profile: 1 });
  });

  it('leaves what others go on holding, and deletes the rest', async () => {
    const { database, purge } = app.core;
    await database.query(
      `INSERT INTO profiles (name, archived_at) SELECT name, now() - interval '400 days' FROM unnest('{Held,Free}'::text[]) name`,
    );
    await app.settle();
    await database.transaction({}, async (transaction) => {
      await transaction.query(`SELECT 1 FROM profiles WHERE name = 'Held' FOR KEY SHARE`);
      expect(recordsOf(await purge.run(300 * DAY_MS))).toEqual({ profile: 1 });
    });
    expect(recordsOf(await purge.run(300 * DAY_MS))).toEqual({ profile: 1 });
  });

  it('deletes what was archived before, with what belongs to it, and the points follow', async () => {
    const counts = await Promise.all([app.core.purge.run(30 * DAY_MS), app.core.purge.run(30 * DAY_MS)]);
    const total = (kind: string): number =>
      counts.flat().reduce((sum, one) => sum + (one.kind === kind ? one.records : 0), 0);
    expect([total('profile'), total('tag_concept')]).toEqual([1, 240]);
    expect(await app.core.database.query('SELECT 1 FROM skills')).toEqual([]);
    const left = await app.core.database.query<{ archived: boolean; count: number }>(
      `SELECT archived_at IS NOT NULL AS archived, count(*)::int AS count FROM tag_concepts GROUP BY 1 ORDER BY 1`,
    );
    expect(left).toEqual([
      { archived: false, count: 10 },
      { archived: true, count: 10 },
    ]);
    await app.settle();
    const report = await app.core.services.consistency.check();
    expect(report.drift).toBe(0);
    expect(report.kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({ rows: 20, points: 20 });
    expect(recordsOf(await app.core.purge.run(30 * DAY_MS))).toEqual({});
  });
});
