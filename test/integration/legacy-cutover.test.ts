import { afterEach, describe, expect, it } from '@jest/globals';

import { abandon } from '../../src/legacy/abandon';
import { Copy } from '../../src/legacy/copy';
import { cutOver } from '../../src/legacy/cutover';
import { dropTable } from '../../src/legacy/drop-table';
import { rollBack } from '../../src/legacy/rollback';
import { verify } from '../../src/legacy/verify';
import { BARE_TABLE, DOCUMENT_TABLE, newPoints } from './legacy-support/document-table';
import { startLegacyApp, type LegacyApp, type LegacyAppOptions } from './legacy-support/legacy-app';

let opened: LegacyApp | undefined;

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

async function open(ddl: string, options?: LegacyAppOptions): Promise<LegacyApp> {
  opened = await startLegacyApp(ddl, options);
  return opened;
}

const INSERT = `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, metadata_json)
  VALUES ($1, $2, $3, $4, $5) RETURNING *`;

/** A table with a row for each of two profiles and a job, copied. */
async function copied(options?: LegacyAppOptions): Promise<{ legacy: LegacyApp; points: string[] }> {
  const legacy = await open(DOCUMENT_TABLE, options);
  const points = newPoints(6);
  await legacy.collection.put(points);
  const [one, two] = legacy.records.profile as [number, number];
  await legacy.sql(INSERT, ['profile', one, points[0], 'full_profile', '{"n": 1}']);
  await legacy.sql(INSERT, ['profile', two, points[1], 'full_profile', 'plain text']);
  await legacy.sql(INSERT, ['job_description', legacy.records.job_description?.[0], points[2], 'keywords', null]);
  await new Copy(legacy.parts).run(legacy.settings());
  return { legacy, points };
}

const rowsOf = (legacy: LegacyApp, table = 'vector_embeddings'): Promise<Record<string, unknown>[]> =>
  legacy.sql(`SELECT * FROM ${table} WHERE id > 0 ORDER BY id`);

describe('after the cutover', () => {
  it('an old program reads what it read before', async () => {
    const { legacy } = await copied({ isRelaying: false });
    const types = (table: string): Promise<Record<string, unknown>[]> =>
      legacy.sql(
        `SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
        [table],
      );
    const [before, typesBefore] = [await rowsOf(legacy), await types('vector_embeddings')];
    await cutOver(legacy.parts);
    expect(await rowsOf(legacy)).toEqual(before);
    expect(await types('vector_embeddings')).toEqual(typesBefore);
  });

  it('what an old program writes lands in the typed tables, checked and indexed', async () => {
    const { legacy, points } = await copied();
    const [one, , three] = legacy.records.profile as number[];
    await cutOver(legacy.parts);

    const [inserted] = await legacy.sql(INSERT, ['profile', three, points[3], 'full_profile', '{"b": [1]}']);
    expect(inserted).toMatchObject({
      id: 4,
      entity_type: 'profile',
      entity_id: three,
      qdrant_point_id: points[3],
      chunk_index: 0,
      metadata_json: '{"b": [1]}',
      created_at: expect.any(Date),
    });
    await legacy.app.settle();
    const stored = await legacy.app.core.store.retrieve(
      legacy.app.core.catalog.alias('profile'),
      [points[3] as string],
      { payload: true, vectors: ['dense'] },
    );
    expect(stored).toMatchObject([{ payload: { entity_id: three, embedding_type: 'full_profile' } }]);

    const [updated] = await legacy.sql(
      `UPDATE vector_embeddings SET metadata_json = 'new', embedding_type = 'summary' WHERE qdrant_point_id = $1 RETURNING id, metadata_json, embedding_type`,
      [points[3]],
    );
    expect(updated).toEqual({ id: 4, metadata_json: 'new', embedding_type: 'summary' });
    const deleted = await legacy.sql(`DELETE FROM vector_embeddings WHERE id = 1 RETURNING entity_id`);
    expect(deleted).toEqual([{ entity_id: one }]);
    expect(await legacy.sql(`DELETE FROM vector_embeddings WHERE id = 1 RETURNING id`)).toEqual([]);
    await legacy.app.settle();
    // Two records have lost their only row of a text that they still have; those are made anew.
    expect((await legacy.app.core.services.consistency.check()).drift).toBe(0);
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true });
  });

  it('a change of entity_type moves the row', async () => {
    const { legacy, points } = await copied();
    const [, job] = legacy.records.job_description as number[];
    // An event of the profile that is still under way would have its text embedded anew, without the row that moves.
    await legacy.app.settle();
    await cutOver(legacy.parts);
    const [moved] = await legacy.sql(
      `UPDATE vector_embeddings SET entity_type = 'job_description', entity_id = $1, embedding_type = 'full_description'
       WHERE id = 1 RETURNING id, entity_type, entity_id, qdrant_point_id`,
      [job],
    );
    expect(moved).toEqual({ id: 1, entity_type: 'job_description', entity_id: job, qdrant_point_id: points[0] });
    const rows = await legacy.sql(
      `SELECT legacy_key AS key, job_description_id AS job FROM job_description_embeddings WHERE qdrant_point_id = $1`,
      [points[0]],
    );
    expect(rows).toEqual([{ key: '1', job }]);
    await legacy.app.settle();
    expect((await legacy.app.core.services.consistency.check()).drift).toBe(0);
  });

  it('what no record stands behind is refused', async () => {
    const { legacy, points } = await copied({ isRelaying: false });
    await cutOver(legacy.parts);
    const refused = async (values: unknown[]): Promise<string> => {
      try {
        await legacy.app.core.database.pool.query(INSERT, values);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await refused(['profile', 70007, points[3], 'full_profile', null])).toBe(
      'Profile with id 70007 does not exist',
    );
    expect(await refused(['education', 7, points[3], 'full_education', null])).toMatch(
      'Education with id 7 does not exist',
    );
    expect(await refused(['person', 7, points[3], 'full_profile', null])).toMatch("'person' is no entity type");
    expect(await refused(['profile', legacy.records.profile?.[2], points[3], 'shoe', null])).toMatch("'shoe'");
    expect(await refused(['profile', legacy.records.profile?.[0], points[3], 'full_profile', null])).toMatch(
      'duplicate key',
    );
    expect(await refused(['profile', legacy.records.profile?.[2], points[0], 'full_profile', null])).toMatch(
      'duplicate key',
    );
  });

  it('rows that Kindred made give way to an old program’s', async () => {
    const { legacy, points } = await copied();
    const [, , three] = legacy.records.profile as number[];
    await legacy.app.settle();
    await cutOver(legacy.parts);
    const own = await legacy.sql<{ id: number }>(
      `SELECT id FROM vector_embeddings WHERE entity_type = 'profile' AND entity_id = $1`,
      [three],
    );
    expect(own.length).toBeGreaterThan(0);
    for (const { id } of own) expect(id).toBeLessThan(0);
    await legacy.sql(INSERT, ['profile', three, points[3], 'full_profile', null]);
    const rows = await legacy.sql(
      `SELECT qdrant_point_id AS point FROM vector_embeddings WHERE entity_id = $1 AND entity_type = 'profile' AND embedding_type = 'full_profile'`,
      [three],
    );
    expect(rows).toEqual([{ point: points[3] }]);
    await legacy.app.settle();
    expect(await legacy.app.core.services.consistency.check()).toMatchObject({ drift: 0 });
  });

  it('another role may do what it could do with the table', async () => {
    const { legacy } = await copied({ isRelaying: false });
    await legacy.sql('GRANT SELECT, INSERT ON vector_embeddings TO pg_monitor');
    await cutOver(legacy.parts);
    const rights = await legacy.sql(
      `SELECT has_table_privilege('pg_monitor', 'vector_embeddings', 'SELECT') AS reads,
         has_table_privilege('pg_monitor', 'vector_embeddings', 'INSERT') AS inserts,
         has_table_privilege('pg_monitor', 'vector_embeddings', 'DELETE') AS deletes,
         has_table_privilege('pg_monitor', 'profile_embeddings', 'INSERT') AS "insertsBeside",
         prosecdef AS "writesForIt", proconfig[1] AS path
       FROM pg_proc WHERE proname = 'kindred_legacy_write'`,
    );
    expect(rights).toEqual([
      {
        reads: true,
        inserts: true,
        deletes: false,
        insertsBeside: false,
        writesForIt: true,
        path: 'search_path=public, pg_temp',
      },
    ]);
  });
});

describe('rolled back', () => {
  it('the table has the writes made since, and the rest to the byte', async () => {
    const { legacy, points } = await copied({ isRelaying: false });
    const [, two, three] = legacy.records.profile as number[];
    const before = await rowsOf(legacy);
    await cutOver(legacy.parts);
    await legacy.sql(INSERT, ['profile', three, points[3], 'full_profile', 'new']);
    await legacy.sql(`UPDATE vector_embeddings SET metadata_json = '{"changed": true}' WHERE id = 3`);
    await legacy.sql(`DELETE FROM vector_embeddings WHERE id = 1`);
    await legacy.sql('DELETE FROM profiles WHERE id = $1', [two]);
    const written = await rowsOf(legacy);
    await rollBack(legacy.parts);
    expect(await rowsOf(legacy)).toEqual(written);
    expect(written.map(({ id }) => id)).toEqual([3, 4]);
    expect(written[0]).toMatchObject({
      ...before[2],
      metadata_json: '{"changed": true}',
      updated_at: expect.any(Date),
    });

    // The move goes on from there.
    const [fresh] = await legacy.sql(INSERT, ['profile', legacy.records.profile?.[3], points[4], 'full_profile', null]);
    expect(fresh).toMatchObject({ id: 5 });
    await new Copy(legacy.parts).run(legacy.settings());
    expect(await verify(legacy.parts, { isComparingPoints: false })).toMatchObject({
      differing: 0,
      legacy: 3,
      migrated: 3,
    });
    await cutOver(legacy.parts);
    expect(await legacy.sql('SELECT id FROM vector_embeddings WHERE id > 0 ORDER BY id')).toEqual([
      { id: 3 },
      { id: 4 },
      { id: 5 },
    ]);
  });

  it('rows that their record outgrew since are as they were last', async () => {
    const { legacy, points } = await copied();
    const [one, , three] = legacy.records.profile as number[];
    await legacy.app.settle();
    await cutOver(legacy.parts);
    const insert = `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
      VALUES ('profile', $1, $2, 'full_profile', $3, 'written') RETURNING id`;
    for (const [chunk, point] of [points[3], points[4]].entries()) await legacy.sql(insert, [three, point, chunk]);
    await legacy.sql(insert, [one, points[5], 1]);
    await legacy.sql(
      `UPDATE vector_embeddings SET chunk_index = chunk_index + 5, metadata_json = 'moved on' WHERE id = 1`,
    );
    await legacy.app.settle();
    const written = await rowsOf(legacy);
    await legacy.sql(`UPDATE profiles SET summary = 'Another life.' WHERE id = ANY ($1)`, [[one, three]]);
    await legacy.app.settle();
    const superseded = await legacy.sql<{ key: string }>(
      `SELECT legacy_key AS key FROM legacy_quarantine WHERE reason = 'superseded' ORDER BY legacy_key`,
    );
    expect(superseded).toEqual([{ key: '1' }, { key: '5' }]);
    expect((await rowsOf(legacy)).map(({ id }) => id)).toEqual([2, 3, 4, 6]);

    await rollBack(legacy.parts);
    const back = await rowsOf(legacy);
    expect(back.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const id of [1, 2, 3, 5]) {
      expect(back.find((row) => row.id === id)).toEqual(written.find((row) => row.id === id));
    }
    await new Copy(legacy.parts).run(legacy.settings());
    await legacy.app.settle();
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true, legacy: 6, migrated: 4, quarantined: 2 });
    await cutOver(legacy.parts);
  });

  it('a key of a row in the quarantine is not given to another', async () => {
    const { legacy, points } = await copied({ isRelaying: false });
    const [, , three, four] = legacy.records.profile as number[];
    await legacy.sql(INSERT, ['profile', 999_999, points[3], 'full_profile', null]);
    await new Copy(legacy.parts).run(legacy.settings());
    await cutOver(legacy.parts);
    const insert =
      'INSERT INTO vector_embeddings (id, entity_type, entity_id, qdrant_point_id, embedding_type) VALUES ($1, $2, $3, $4, $5)';
    await expect(legacy.sql(insert, [4, 'profile', three, points[4], 'full_profile'])).rejects.toMatchObject({
      code: 'CONFLICT',
      cause: expect.objectContaining({
        code: '23505',
        message: expect.stringContaining('row 4 is in the quarantine: no_parent'),
      }),
    });
    await expect(legacy.sql('UPDATE vector_embeddings SET id = 4 WHERE id = 1')).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await legacy.sql(insert, [5, 'profile', four, points[4], 'full_profile']);
    await rollBack(legacy.parts);
    expect((await rowsOf(legacy)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  });

  it('the move can be given up, and nothing of it stays', async () => {
    const { legacy } = await copied();
    await legacy.app.settle();
    await abandon(legacy.parts);
    await legacy.app.settle();
    expect(await legacy.sql('SELECT 1 FROM profile_embeddings WHERE legacy_key IS NOT NULL')).toEqual([]);
    expect(await legacy.sql('SELECT * FROM legacy_move')).toEqual([]);
    expect(await legacy.sql(`SELECT tgname FROM pg_trigger WHERE tgname LIKE 'kindred\\_legacy%'`)).toEqual([]);
    expect(await legacy.app.core.services.consistency.check()).toMatchObject({ drift: 0 });
    const [own] = await legacy.sql(
      `SELECT count(*)::int AS count FROM profile_embeddings WHERE embedding_type = 'full_profile'`,
    );
    expect(own).toEqual({ count: legacy.records.profile?.length });
  });
});

describe('the old table', () => {
  it('is dropped only once everything is verified', async () => {
    const { legacy, points } = await copied();
    await expect(dropTable(legacy.parts)).rejects.toThrow('is in use');
    await cutOver(legacy.parts);
    await legacy.app.settle();
    // A row that vanished without anybody having deleted it.
    await legacy.sql(`ALTER TABLE profile_embeddings DISABLE TRIGGER kindred_legacy_keep`);
    await legacy.sql(`DELETE FROM profile_embeddings WHERE legacy_key = '1'`);
    await legacy.sql(`ALTER TABLE profile_embeddings ENABLE TRIGGER kindred_legacy_keep`);
    await legacy.app.settle();
    await expect(dropTable(legacy.parts)).rejects.toThrow('not verified');
    await rollBack(legacy.parts);
    await new Copy(legacy.parts).run(legacy.settings());
    await cutOver(legacy.parts);
    await legacy.app.settle();
    await dropTable(legacy.parts);
    expect(await legacy.sql(`SELECT to_regclass('vector_embeddings_before_kindred') AS name`)).toEqual([
      { name: null },
    ]);
    const [inserted] = await legacy.sql(INSERT, [
      'profile',
      legacy.records.profile?.[3],
      points[5],
      'full_profile',
      null,
    ]);
    expect(inserted).toMatchObject({ id: 4 });
    await expect(rollBack(legacy.parts)).rejects.toThrow('dropped');
  });

  it('is not cut over while a foreign key refers to it', async () => {
    const { legacy } = await copied({ isRelaying: false });
    await legacy.sql('CREATE TABLE notes (embedding_id INTEGER REFERENCES vector_embeddings (id))');
    await expect(cutOver(legacy.parts)).rejects.toThrow('notes_embedding_id_fkey on notes');
  });

  it('is not cut over while it is in use for long', async () => {
    const { legacy } = await copied({ isRelaying: false });
    const client = await legacy.app.core.database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM vector_embeddings');
      await expect(cutOver(legacy.parts, { lockTimeoutMs: 100 })).rejects.toThrow('nothing was changed');
      await client.query('ROLLBACK');
    } finally {
      client.release();
    }
    await cutOver(legacy.parts);
  });
});

describe('a table with nothing but references and points', () => {
  it('gets a view with the columns that it lacked, and numbers what is inserted', async () => {
    const legacy = await open(BARE_TABLE, { isRelaying: false });
    const points = newPoints(3);
    await legacy.collection.put(points);
    const [one] = legacy.records.profile as number[];
    await legacy.sql('INSERT INTO vector_embeddings VALUES (1, $1, $2, $3)', ['profile', one, points[0]]);
    await new Copy(legacy.parts).run(legacy.settings());
    await cutOver(legacy.parts);
    await legacy.sql('INSERT INTO vector_embeddings VALUES (2, $1, $2, $3)', ['profile', one, points[1]]);
    const rows = await legacy.sql(
      'SELECT id, embedding_type, chunk_index, metadata_json FROM vector_embeddings ORDER BY id',
    );
    expect(rows).toEqual([
      { id: 1, embedding_type: 'full_profile', chunk_index: 0, metadata_json: null },
      { id: 2, embedding_type: 'full_profile', chunk_index: 1, metadata_json: null },
    ]);
    await rollBack(legacy.parts);
    expect(await rowsOf(legacy)).toEqual([
      { id: 1, entity_type: 'profile', entity_id: one, qdrant_point_id: points[0] },
      { id: 2, entity_type: 'profile', entity_id: one, qdrant_point_id: points[1] },
    ]);
  });
});
