import { randomUUID } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';

import { recordKinds } from '../../src/features/registry';
import { constrain, type ConstrainResult } from '../../src/legacy/constrain';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';
import { seedRecords, sqlOf, type Sql } from './legacy-support/document-table';

const LOOSE_TABLE = `CREATE TABLE vector_embeddings (id SERIAL PRIMARY KEY, entity_type TEXT, entity_id INTEGER, qdrant_point_id UUID)`;
const INSERT = 'INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id) VALUES ($1, $2, $3)';

/** Those that the document lists, and the two that it lacks. */
const INDEXES = [
  'idx_vector_embeddings_profile',
  'idx_vector_embeddings_job_description',
  'idx_vector_embeddings_resume',
  'idx_vector_embeddings_work_experience',
  'idx_vector_embeddings_project',
  'idx_vector_embeddings_education',
  'idx_vector_embeddings_skill',
  'idx_vector_embeddings_qdrant_id',
  'idx_vector_embeddings_type',
];

/** The document's own validation, which locks nothing and knows neither education nor skill. */
const DOCUMENT_TRIGGER = [
  `CREATE FUNCTION validate_vector_embedding_entity() RETURNS TRIGGER AS $$
   BEGIN
     IF NEW.entity_type = 'profile' THEN
       IF NOT EXISTS (SELECT 1 FROM profiles WHERE id = NEW.entity_id) THEN
         RAISE EXCEPTION 'Profile with id % does not exist', NEW.entity_id;
       END IF;
     END IF;
     RETURN NEW;
   END;
   $$ LANGUAGE plpgsql`,
  `CREATE TRIGGER trg_validate_vector_embedding_entity BEFORE INSERT OR UPDATE ON vector_embeddings
   FOR EACH ROW EXECUTE FUNCTION validate_vector_embedding_entity()`,
];

let app: TestApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function open(): Promise<{ sql: Sql; records: Record<string, number[]>; run: () => Promise<ConstrainResult> }> {
  app = await startApp({ isRelaying: false });
  const sql = sqlOf(app);
  const records = await seedRecords(sql);
  await sql(LOOSE_TABLE);
  const { database } = app.core;
  return {
    sql,
    records,
    run: () => constrain({ database, kinds: recordKinds }, { table: 'vector_embeddings', columns: {}, parents: {} }),
  };
}

async function withClients<T>(work: (one: PoolClient, two: PoolClient) => Promise<T>): Promise<T> {
  const pool = (app as TestApp).core.database.pool;
  const [one, two] = [await pool.connect(), await pool.connect()];
  try {
    return await work(one, two);
  } finally {
    for (const client of [one, two]) {
      await client.query('ROLLBACK').catch(() => undefined);
      client.release();
    }
  }
}

/** Whether somebody waits for a lock that another transaction holds. */
const isWaiting = async (sql: Sql): Promise<boolean> =>
  (await sql(`SELECT 1 FROM pg_locks WHERE NOT granted`)).length > 0;

const orphans = (sql: Sql): Promise<unknown[]> =>
  sql(`SELECT v.id FROM vector_embeddings v LEFT JOIN profiles p ON p.id = v.entity_id
       WHERE v.entity_type = 'profile' AND p.id IS NULL`);

describe('a constrained table', () => {
  it('has what the document lists, and the violators in its quarantine', async () => {
    const { sql, records, run } = await open();
    const [one] = records.profile as number[];
    const point = randomUUID();
    await sql(INSERT, ['profile', one, point]);
    await sql(INSERT, ['profile', one, point]);
    await sql(INSERT, ['profile', 999999, randomUUID()]);
    await sql(INSERT, ['education', 999999, randomUUID()]);
    await sql(INSERT, ['employee', one, randomUUID()]);
    await sql(INSERT, [null, one, randomUUID()]);
    await sql(INSERT, ['profile', null, randomUUID()]);
    await sql(INSERT, ['skill', records.skill?.[0], null]);
    expect((await run()).quarantined).toEqual({
      no_entity_type: 1,
      unknown_entity_type: 1,
      no_entity_id: 1,
      no_point_id: 1,
      no_parent: 2,
      shared_point: 1,
    });
    expect(await sql('SELECT id FROM vector_embeddings')).toEqual([{ id: 1 }]);
    expect(
      await sql(`SELECT row ->> 'id' AS id FROM vector_embeddings_quarantine WHERE reason = 'shared_point'`),
    ).toEqual([{ id: '2' }]);
    const indexes = (
      await sql<{ name: string }>(`SELECT indexname AS name FROM pg_indexes WHERE tablename = 'vector_embeddings'`)
    ).map(({ name }) => name);
    expect(indexes).toEqual(expect.arrayContaining(INDEXES));
    const refused = async (values: unknown[]): Promise<string> =>
      sql(INSERT, values).then(
        () => 'accepted',
        (error: Error) => (error.cause as Error | undefined)?.message ?? error.message,
      );
    expect(await refused(['profile', 70007, randomUUID()])).toBe('Profile with id 70007 does not exist');
    expect(await refused(['education', 70007, randomUUID()])).toBe('Education with id 70007 does not exist');
    expect(await refused(['skill', 70007, randomUUID()])).toBe('Skill with id 70007 does not exist');
    expect(await refused(['employee', 1, randomUUID()])).toMatch('chk_entity_type');
    expect(await refused(['profile', one, point])).toMatch('qdrant_point_id');
    expect(await refused(['profile', one, null])).toMatch('null value');
  });

  it('loses the rows of records that go, and touches what changes', async () => {
    const { sql, records, run } = await open();
    await run();
    for (const [type, [id]] of Object.entries(records)) await sql(INSERT, [type, id, randomUUID()]);
    const [before] = await sql<{ at: Date }>(
      `SELECT updated_at AS at FROM vector_embeddings WHERE entity_type = 'project'`,
    );
    await sql(`UPDATE vector_embeddings SET metadata_json = 'x' WHERE entity_type = 'project'`);
    const [after] = await sql<{ at: Date }>(
      `SELECT updated_at AS at FROM vector_embeddings WHERE entity_type = 'project'`,
    );
    expect(after?.at.getTime()).toBeGreaterThan(before?.at.getTime() ?? 0);
    // The profile's skills, projects and so on go with it by their own foreign keys.
    await sql('DELETE FROM profiles WHERE id = $1', [records.profile?.[0]]);
    expect(await sql('SELECT entity_type AS type FROM vector_embeddings')).toEqual([{ type: 'job_description' }]);
    await sql('TRUNCATE job_descriptions CASCADE');
    expect(await sql('SELECT 1 FROM vector_embeddings')).toEqual([]);
  });

  it('has ids and points of text turned into what they stand for', async () => {
    const { sql, records, run } = await open();
    await sql('DROP TABLE vector_embeddings');
    await sql(
      `CREATE TABLE vector_embeddings (id BIGINT PRIMARY KEY, entity_type TEXT, entity_id VARCHAR(40), qdrant_point_id TEXT,
         embedding_type TEXT, note TEXT)`,
    );
    const [one, two] = records.profile as [number, number];
    const [first, second] = [randomUUID(), randomUUID()];
    const rows: unknown[][] = [
      [1, 'profile', String(one), first],
      [2, 'profile', String(two), second.toUpperCase()],
      [3, 'profile', 'one', randomUUID()],
      [4, 'profile', '99999999999', randomUUID()],
      [5, 'profile', '3000000000', randomUUID()],
      [6, 'profile', '', randomUUID()],
      [7, 'profile', String(one), 'no uuid'],
      [8, 'profile', '999999', randomUUID()],
      [9, 'skill', String(records.skill?.[0]), first],
    ];
    for (const row of rows) {
      await sql(
        'INSERT INTO vector_embeddings (id, entity_type, entity_id, qdrant_point_id) VALUES ($1, $2, $3, $4)',
        row,
      );
    }
    expect((await run()).quarantined).toEqual({ bad_entity_id: 4, bad_point_id: 1, no_parent: 1, shared_point: 1 });
    expect(
      await sql(
        'SELECT id::int, entity_id, qdrant_point_id AS point, embedding_type AS type FROM vector_embeddings ORDER BY id',
      ),
    ).toEqual([
      { id: 1, entity_id: one, point: first, type: 'full' },
      { id: 2, entity_id: two, point: second, type: 'full' },
    ]);
    expect(
      await sql(
        `SELECT row ->> 'entity_id' AS id FROM vector_embeddings_quarantine WHERE reason = 'bad_entity_id' ORDER BY 1`,
      ),
    ).toEqual([{ id: '' }, { id: '3000000000' }, { id: '99999999999' }, { id: 'one' }]);
    await sql('DELETE FROM profiles WHERE id = $1', [one]);
    expect(await sql('SELECT id::int FROM vector_embeddings')).toEqual([{ id: 2 }]);
  });

  it('can be constrained again, and shows its SQL without running it', async () => {
    const { sql, run } = await open();
    const { database } = (app as TestApp).core;
    const dry = await constrain(
      { database, kinds: recordKinds },
      { table: 'vector_embeddings', columns: {}, parents: {}, isDryRun: true },
    );
    expect(dry.steps.map((step) => step.sql).join('\n')).toMatch('FOR KEY SHARE');
    expect(await sql(`SELECT to_regclass('vector_embeddings_quarantine') AS name`)).toEqual([{ name: null }]);
    await run();
    expect((await run()).quarantined).toEqual({});
  });
});

describe('a record that is deleted while a row is written for it', () => {
  it('leaves an orphan behind the document’s own trigger', async () => {
    const { sql, records } = await open();
    for (const statement of DOCUMENT_TRIGGER) await sql(statement);
    await withClients(async (writer, deleter) => {
      await writer.query('BEGIN');
      await writer.query(INSERT, ['profile', records.profile?.[0], randomUUID()]);
      await deleter.query('DELETE FROM profiles WHERE id = $1', [records.profile?.[0]]);
      await writer.query('COMMIT');
    });
    expect(await orphans(sql)).toHaveLength(1);
  });

  it('waits for the row, and takes it along', async () => {
    const { sql, records, run } = await open();
    await run();
    await withClients(async (writer, deleter) => {
      await writer.query('BEGIN');
      await writer.query(INSERT, ['profile', records.profile?.[0], randomUUID()]);
      const deleted = deleter.query('DELETE FROM profiles WHERE id = $1', [records.profile?.[0]]);
      await until(() => isWaiting(sql));
      await writer.query('COMMIT');
      await deleted;
    });
    expect(await sql(`SELECT 1 FROM vector_embeddings`)).toEqual([]);
  });

  it('makes the row fail when it goes first', async () => {
    const { sql, records, run } = await open();
    await run();
    await withClients(async (writer, deleter) => {
      await deleter.query('BEGIN');
      await deleter.query('DELETE FROM profiles WHERE id = $1', [records.profile?.[0]]);
      const written = writer.query(INSERT, ['profile', records.profile?.[0], randomUUID()]);
      const failed = expect(written).rejects.toThrow('does not exist');
      await until(() => isWaiting(sql));
      await deleter.query('COMMIT');
      await failed;
    });
    expect(await orphans(sql)).toEqual([]);
  });

  it('cannot be deleted by a transaction that does not see the row', async () => {
    const { sql, records, run } = await open();
    await run();
    await withClients(async (writer, deleter) => {
      await deleter.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await deleter.query('SELECT 1 FROM profiles');
      await writer.query(INSERT, ['profile', records.profile?.[0], randomUUID()]);
      await expect(deleter.query('DELETE FROM profiles WHERE id = $1', [records.profile?.[0]])).rejects.toThrow(
        'READ COMMITTED',
      );
    });
    expect(await orphans(sql)).toEqual([]);
  });

  it('leaves no orphan among many writers and deleters', async () => {
    const { sql, run } = await open();
    await run();
    const seed = Math.floor(Math.random() * 1e9);
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const ids = (
      await sql<{ id: number }>(`INSERT INTO profiles (name) SELECT 'P' FROM generate_series(1, 40) RETURNING id`)
    ).map(({ id }) => id);
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        const id = ids[next(ids.length)];
        const [statement, values] =
          next(3) === 0 ? ['DELETE FROM profiles WHERE id = $1', [id]] : [INSERT, ['profile', id, randomUUID()]];
        await sql(statement, values as unknown[]).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
    expect({ seed, orphans: await orphans(sql) }).toEqual({ seed, orphans: [] });
  });
});
