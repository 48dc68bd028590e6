import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';

import { addressesOf, untilIndexed, withDatabase, type StoreAddresses } from './support/both-stores';
import { killedAt, type Moment } from './support/killed-at';
import { cleanUp, runProgram, startProgram, temporaryFolder, type Program } from './support/program';

const COLLECTION = 'old_points';
const DIMENSIONS = 8;
const ROWS = 60;
const BATCH = 25;
/** Without a record, so that they go to the quarantine and are tried again at the end of a copy. */
const ORPHANS = 2;
const env = { KINDRED_DEMO: 'off', KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS) };
const COPY = ['copy', '--collection', COLLECTION, '--batch', String(BATCH)];

const READ = /INSERT INTO legacy_batch/;
const INSERTED = /INSERT INTO profile_embeddings \(.*legacy_key/s;
const COMMIT = /^COMMIT/;

const COPY_MOMENTS: Record<string, Moment> = {
  'once it has read its second batch': { once: READ, nth: 2, when: 'after' },
  'once the rows are inserted': { once: INSERTED, nth: 2, when: 'after' },
  'before the bookmark is kept with them': { once: INSERTED, nth: 2, at: COMMIT, when: 'before' },
  'once they are kept, before it hears of it': { once: INSERTED, nth: 2, at: COMMIT, when: 'after' },
  'once it has taken what was written meanwhile': { once: /DELETE FROM legacy_changes/, when: 'after' },
  'before it says that it is done': { once: /UPDATE legacy_move SET state = \$1/, when: 'before' },
};

const RENAMED = /ALTER TABLE .* RENAME TO/;

/** Of the cutover and of the rollback: the moment, and whether it has happened then. */
const EXCHANGE_MOMENTS: Record<string, [Moment, boolean]> = {
  'once the table is renamed': [{ once: RENAMED, when: 'after' }, false],
  'before the commit': [{ once: RENAMED, at: COMMIT, when: 'before' }, false],
  'after the commit': [{ once: RENAMED, at: COMMIT, when: 'after' }, true],
};

const folder = temporaryFolder();
let server: Program;
let stores: StoreAddresses;

async function serve(): Promise<void> {
  server = startProgram(folder, ['serve'], { env });
  await server.ready();
  stores = addressesOf(folder);
}

beforeAll(async () => {
  await serve();
  await onDatabase(fill);
});

afterAll(cleanUp);

const onDatabase = <T>(work: (client: Client) => Promise<T>): Promise<T> => withDatabase(stores.databaseUrl, work);

async function putPoints(path: string, body: object): Promise<void> {
  const response = await fetch(`${stores.qdrantUrl}/collections/${COLLECTION}${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'api-key': stores.qdrantApiKey ?? '', connection: 'close' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function fill(client: Client): Promise<void> {
  const points = Array.from({ length: ROWS + ORPHANS }, () => randomUUID());
  await putPoints('', { vectors: { size: DIMENSIONS, distance: 'Cosine' } });
  await putPoints('/points?wait=true', {
    points: points.map((id, i) => ({ id, vector: Array.from({ length: DIMENSIONS }, (_, n) => Math.sin(i + n)) })),
  });
  await client.query(`INSERT INTO profiles (name) SELECT 'Person ' || n FROM generate_series(1, ${ROWS}) n`);
  await client.query(`CREATE TABLE vector_embeddings (id SERIAL PRIMARY KEY, entity_type TEXT, entity_id INTEGER,
    qdrant_point_id UUID, embedding_type TEXT, metadata_json TEXT)`);
  await client.query(
    `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, metadata_json)
     SELECT 'profile', coalesce(p.id, 999999), point, 'full_profile', 'row ' || n
     FROM unnest($1::uuid[]) WITH ORDINALITY AS o (point, n)
     LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM profiles) p USING (n)`,
    [points],
  );
}

const legacy = (...args: string[]) => runProgram(folder, ['legacy', ...args], { env });

async function succeed(...args: string[]): Promise<void> {
  const { code, stderr } = await legacy(...args);
  if (code !== 0) throw new Error(`legacy ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** Runs a command that must die at that moment. */
async function die(moment: Moment, ...args: string[]): Promise<void> {
  const nodeOptions = killedAt(folder, moment);
  const { signal, stderr } = await runProgram(folder, ['legacy', ...args], { env, nodeOptions });
  expect({ signal, stderr: signal === null ? stderr : '' }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

interface Account {
  /** `key point metadata` of every row. */
  legacy: string[];
  moved: string[];
  quarantined: string[];
}

/** Where the rows are now. @param table what the polymorphic table is called */
async function account(table = 'vector_embeddings'): Promise<Account> {
  const all = async (client: Client, sql: string): Promise<string[]> =>
    (await client.query<{ row: string }>(sql)).rows.map(({ row }) => row).sort();
  return onDatabase(async (client) => ({
    legacy: await all(client, `SELECT concat_ws(' ', id, qdrant_point_id, metadata_json) AS row FROM ${table}`),
    moved: await all(
      client,
      `SELECT concat_ws(' ', legacy_key, qdrant_point_id, metadata_json #>> '{}') AS row FROM profile_embeddings
       WHERE legacy_key IS NOT NULL`,
    ),
    quarantined: await all(
      client,
      `SELECT concat_ws(' ', legacy_key, legacy_row ->> 'qdrant_point_id', legacy_row ->> 'metadata_json') AS row
       FROM legacy_quarantine`,
    ),
  }));
}

const accountedFor = ({ moved, quarantined }: Account): string[] => [...moved, ...quarantined].sort();

/** Nothing is in two places, and nothing is anywhere that was not in the table. */
function expectNothingInvented(found: Account): void {
  const made = accountedFor(found);
  expect(made).toEqual([...new Set(made)]);
  expect(found.legacy).toEqual(expect.arrayContaining(made));
}

function expectComplete(found: Account): void {
  expect(found.legacy).toHaveLength(ROWS + ORPHANS);
  expect(found.moved).toHaveLength(ROWS);
  expect(accountedFor(found)).toEqual(found.legacy);
}

async function isCutOver(): Promise<boolean> {
  const kind = await onDatabase((client) =>
    client.query<{ kind: string }>(
      `SELECT relkind::text AS kind FROM pg_class WHERE oid = 'vector_embeddings'::regclass`,
    ),
  );
  return kind.rows[0]?.kind === 'v';
}

describe('a plan', () => {
  it('says the same to programs, as JSON', async () => {
    const { code, stdout } = await legacy('plan', '--collection', COLLECTION, '--json');
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 0,
      table: 'public.vector_embeddings',
      rows: ROWS + ORPHANS,
      movable: ROWS,
      refused: { no_parent: ORPHANS },
      columns: { chunkIndex: null, entityType: { name: 'entity_type', type: 'text' } },
      points: { collection: COLLECTION, absent: 0 },
    });
  });
});

describe('a copy that is killed', () => {
  it.each(Object.entries(COPY_MOMENTS))('%s goes on, and every row is in one place', async (_, moment) => {
    await die(moment, ...COPY, '--no-wait');
    const left = await account();
    expectNothingInvented(left);
    // Whole batches: those before the one that was under way, and that one where it was kept.
    expect([0, BATCH, 2 * BATCH, ROWS + ORPHANS]).toContain(accountedFor(left).length);
    await succeed(...COPY, '--no-wait');
    expectComplete(await account());
    await succeed('rollback', '--abandon');
    expect((await account()).legacy).toEqual(left.legacy);
  });

  it('while points are in Qdrant and not yet noted as being there takes them over again, once', async () => {
    server.kill('SIGTERM');
    await server.ended;
    // No server runs, so this command has the stores and the relay in itself, and they die with it.
    await die({ once: /UPDATE vector_points p SET state = 'indexed'/, when: 'before' }, ...COPY);
    await succeed(...COPY);
    await serve();
    expectComplete(await account());
    await untilIndexed(stores);
    const { code, stdout } = await legacy('verify', '--json');
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 0,
      isVerified: true,
      legacy: ROWS + ORPHANS,
      migrated: ROWS,
      quarantined: ORPHANS,
    });
  });
});

describe('an exchange of table and view that is killed', () => {
  beforeAll(() => succeed(...COPY));

  it.each(Object.entries(EXCHANGE_MOMENTS))(
    'in the cutover, %s, has happened as a whole or not at all',
    async (_, [moment, hasHappened]) => {
      const before = await account();
      await die(moment, 'cutover');
      expect(await isCutOver()).toBe(hasHappened);
      if (hasHappened) {
        expect(await legacy('cutover')).toMatchObject({ code: 1, stderr: expect.stringContaining('cut over already') });
      } else await succeed('cutover');
      const after = await account('vector_embeddings_before_kindred');
      expect(after).toEqual(before);
      expectComplete(after);
      await succeed('rollback');
      expect(await account()).toEqual(before);
    },
  );

  it.each(Object.entries(EXCHANGE_MOMENTS))(
    'in the rollback, %s, keeps what was written through the view',
    async (when, [moment, hasHappened]) => {
      await succeed('cutover');
      await onDatabase((client) =>
        client.query('UPDATE vector_embeddings SET metadata_json = $1 WHERE id = 1', [`written to be killed ${when}`]),
      );
      await die(moment, 'rollback');
      expect(await isCutOver()).toBe(!hasHappened);
      if (!hasHappened) await succeed('rollback');
      const after = await account();
      expect(after.legacy.filter((row) => row.endsWith(`written to be killed ${when}`))).toHaveLength(1);
      expectComplete(after);
      await succeed(...COPY);
    },
  );
});
