import { Socket } from 'node:net';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';

import { migrate } from '../../src/app/instance';
import type { Transaction } from '../../src/kernel/db/database';
import type { TestApp } from '../../src/testing/create-test-app';
import { Profile } from '../../src/features/profile/profile.entity';
import { startApp } from '../support/app';
import { until } from '../support/until';

/** What a mutation may be at when its connection breaks. */
const steps: Record<string, (transaction: Transaction) => Promise<unknown>> = {
  'a raw statement': (transaction) => transaction.query('SELECT 1 AS one'),
  'a statement of the manager': ({ manager }) => manager.query('SELECT 1'),
  'a locked look-up': ({ manager }) =>
    manager.findOne(Profile, { where: { id: 1 }, lock: { mode: 'pessimistic_write' } }),
  'an update': ({ manager }) => manager.update(Profile, { id: 1 }, { name: 'Other' }),
  'a deletion': ({ manager }) => manager.delete(Profile, { id: 1 }),
  'an insertion': ({ manager }) =>
    manager.createQueryBuilder().insert().into(Profile).values({ name: 'New' }).returning('id').execute(),
  'the commit': () => Promise.resolve(),
  'a fault that only a lost connection explains': () => Promise.reject(new TypeError('of undefined')),
};

describe('a connection that is lost within a transaction', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ isRelaying: false });
    await app.core.database.query(`INSERT INTO profiles (name) VALUES ('Ada')`);
  });
  afterAll(() => app.close());

  const terminate = (pid: number): Promise<unknown> =>
    app.core.database.query('SELECT pg_terminate_backend($1)', [pid]);
  const isGone = async (pid: number): Promise<boolean> =>
    (await app.core.database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid])).length === 0;

  async function attempt(step: (transaction: Transaction) => Promise<unknown>, isNoticed: boolean): Promise<void> {
    await app.core.database.transaction({}, async (transaction) => {
      const [row] = await transaction.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const pid = row?.pid ?? 0;
      const { queryRunner } = transaction.manager;
      await terminate(pid);
      await until(() => isGone(pid));
      if (isNoticed) await until(() => Promise.resolve(queryRunner?.isReleased === true));
      await step(transaction);
    });
  }

  it.each(Object.keys(steps))('is DATABASE_UNAVAILABLE at %s, whether it was noticed before or not', async (name) => {
    const step = steps[name] as (transaction: Transaction) => Promise<unknown>;
    const expected = { code: 'DATABASE_UNAVAILABLE', retryable: true };
    await expect(attempt(step, true)).rejects.toMatchObject(expected);
    if (!name.startsWith('a fault')) await expect(attempt(step, false)).rejects.toMatchObject(expected);
    expect(await app.core.database.query('SELECT name FROM profiles')).toEqual([{ name: 'Ada' }]);
  });

  it('does not end the process that holds a lock with it, and does nothing in that moment', async () => {
    const migrating = jest.spyOn(app.core.database.dataSource, 'runMigrations').mockImplementation(async () => {
      const [holder] = await app.core.database.query<{ pid: number }>(
        `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND objid = hashtext('kindred_migrations')::bigint::bit(32)::bigint::oid`,
      );
      if (!holder) throw new Error('Nobody holds the lock');
      await terminate(holder.pid);
      await until(() => isGone(holder.pid));
      return [];
    });
    expect(await migrate(app.core)).toEqual([]);
    expect(migrating).toHaveBeenCalledTimes(1);
    migrating.mockRestore();
    expect(await migrate(app.core)).toEqual([]);
  });

  it('does not hide a fault of the program', async () => {
    const fault = new TypeError('x is not a function');
    await expect(app.core.database.transaction({}, () => Promise.reject(fault))).rejects.toBe(fault);
  });
});

it('asks a silent connection whether its server is still there', async () => {
  const app = await startApp({ isRelaying: false });
  const asked = jest.spyOn(Socket.prototype, 'setKeepAlive');
  try {
    const client = new Client(app.core.database.pool.options);
    await client.connect();
    await client.end();
    expect(asked).toHaveBeenCalledWith(true, expect.any(Number));
  } finally {
    asked.mockRestore();
    await app.close();
  }
});
