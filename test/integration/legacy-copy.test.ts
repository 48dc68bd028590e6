import { afterEach, describe, expect, it } from '@jest/globals';

import { Copy } from '../../src/legacy/copy';
import { plan } from '../../src/legacy/plan';
import { verify } from '../../src/legacy/verify';
import { BARE_TABLE, DOCUMENT_TABLE, ForeignCollection, newPoints } from './legacy-support/document-table';
import { startLegacyApp, type LegacyApp, type LegacyAppOptions } from './legacy-support/legacy-app';

let opened: LegacyApp | undefined;

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

async function open(ddl: string | readonly string[], options?: LegacyAppOptions): Promise<LegacyApp> {
  opened = await startLegacyApp(ddl, options);
  return opened;
}

/** One row for each record, whole text, with a point. @returns point ids */
async function oneRowEach(legacy: LegacyApp): Promise<string[]> {
  const rows = Object.entries(legacy.records).flatMap(([type, ids]) => ids.map((id) => ({ type, id })));
  const points = newPoints(rows.length);
  const whole: Record<string, string> = {
    profile: 'full_profile',
    job_description: 'full_description',
    generated_resume: 'full_resume',
    work_experience: 'full_experience',
    project: 'full_project',
    education: 'full_education',
    skill: 'skill',
  };
  for (const [i, { type, id }] of rows.entries()) {
    await legacy.sql(
      `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, metadata_json)
       VALUES ($1, $2, $3, $4, '{"n": 1}')`,
      [type, id, points[i], whole[type]],
    );
  }
  return points;
}

describe('a copy of the document’s own table', () => {
  it('moves all seven kinds, and leaves their vectors as they are', async () => {
    const legacy = await open(DOCUMENT_TABLE);
    const points = await oneRowEach(legacy);
    const vectors = await legacy.collection.put(points);
    await legacy.app.settle();
    legacy.embedded.length = 0;

    await new Copy(legacy.parts, { batchSize: 3 }).run(legacy.settings());
    await legacy.app.settle();

    const report = await verify(legacy.parts);
    expect(report).toMatchObject({
      isVerified: true,
      legacy: points.length,
      migrated: points.length,
      quarantined: 0,
      differing: 0,
    });
    expect(report.types.map(({ checksums }) => checksums.legacy)).toEqual(
      report.types.map(({ checksums }) => checksums.migrated),
    );
    expect(legacy.embedded).toEqual([]);
    const alias = legacy.app.core.catalog.alias('profile');
    const stored = await legacy.app.core.store.retrieve(alias, points, { payload: true, vectors: ['dense'] });
    expect(stored).toHaveLength(legacy.records.profile?.length ?? 0);
    for (const point of stored) {
      const old = vectors.get(point.id) as number[];
      const cosine = old.reduce((sum, value, i) => sum + value * (point.dense?.[i] ?? 0), 0);
      expect(cosine).toBeCloseTo(1, 4);
      expect(point.payload).toMatchObject({ embedding_type: 'full_profile', archived: false });
      expect(point.payload).not.toHaveProperty('old');
    }
  });
});

/** `[type, id, point, …]` in the columns of the table at hand. */
async function insert(legacy: LegacyApp, columns: string, rows: readonly unknown[][]): Promise<void> {
  for (const row of rows) {
    const places = row.map((_, i) => `$${i + 1}`).join(', ');
    await legacy.sql(`INSERT INTO vector_embeddings (${columns}) VALUES (${places})`, row);
  }
}

async function reasons(legacy: LegacyApp): Promise<Record<string, string>> {
  const rows = await legacy.sql<{ key: string; reason: string }>(
    'SELECT legacy_key AS key, reason FROM legacy_quarantine ORDER BY legacy_key::numeric',
  );
  return Object.fromEntries(rows.map(({ key, reason }) => [key, reason]));
}

describe('a table with nothing but references and points', () => {
  it('has its rows numbered and taken for whole texts', async () => {
    const legacy = await open(BARE_TABLE, { isRelaying: false });
    const [one, two] = legacy.records.profile as [number, number];
    const points = newPoints(4);
    await legacy.collection.put(points);
    await insert(legacy, 'id, entity_type, entity_id, qdrant_point_id', [
      [10, 'profile', one, points[0]],
      [11, 'profile', two, points[1]],
      [12, 'profile', one, points[2]],
      [13, 'skill', legacy.records.skill?.[0], points[3]],
    ]);
    await new Copy(legacy.parts, { batchSize: 2 }).run(legacy.settings());

    const rows = await legacy.sql(
      `SELECT legacy_key AS key, profile_id AS profile, embedding_type AS type, chunk_index AS chunk FROM profile_embeddings ORDER BY legacy_key`,
    );
    expect(rows).toEqual([
      { key: '10', profile: one, type: 'full_profile', chunk: 0 },
      { key: '11', profile: two, type: 'full_profile', chunk: 0 },
      { key: '12', profile: one, type: 'full_profile', chunk: 1 },
    ]);
    expect(await verify(legacy.parts, { isComparingPoints: false })).toMatchObject({ differing: 0, migrated: 4 });
  });
});

describe('a damaged table', () => {
  const DAMAGED = `CREATE TABLE vector_embeddings (
    id BIGINT PRIMARY KEY, entity_type TEXT, entity_id TEXT, qdrant_point_id TEXT, embedding_type TEXT,
    chunk_index INTEGER, metadata_json TEXT, created_at TIMESTAMP, score NUMERIC, "Odd ""name" TEXT
  )`;

  it('has what cannot move in the quarantine, whole and with its reason', async () => {
    const legacy = await open(DAMAGED, { isRelaying: false });
    const [one, two, three] = legacy.records.profile as number[];
    const points = newPoints(12);
    await legacy.collection.put(points);
    const [missing] = newPoints(1);
    const columns = 'id, entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json, score';
    await insert(legacy, columns, [
      [1, 'profile', one, points[0], 'full_profile', 0, '{"a": 1}', 1.5],
      [2, 'profile', one, points[1], 'full_profile', 0, null, null], // the chunk of 1
      [3, 'profile', two, points[0], 'full_profile', 0, null, null], // the point of 1
      [4, null, one, points[2], null, null, null, null],
      [5, 'employee', one, points[3], null, null, null, null],
      [6, 'profile', null, points[4], null, null, null, null],
      [7, 'profile', 'seven', points[5], null, null, null, null],
      [8, 'profile', '999999', points[6], null, null, null, null],
      [9, 'profile', two, null, null, null, null, null],
      [10, 'profile', two, 'no uuid', null, null, null, null],
      [11, 'profile', two, points[7], 'shoe size', 0, null, null],
      [12, 'profile', two, points[8], 'summary', -1, null, null],
      [13, 'profile', two, missing, 'summary', 0, null, null],
      [14, 'profile', two, points[9], 'summary', null, 'not JSON', null],
      [15, 'profile', three, points[10], '', null, '{"a":"\\u0000"}', null],
      [16, 'profile', '99999999999999999999', points[11], null, null, null, null],
    ]);
    await new Copy(legacy.parts, { batchSize: 4 }).run(legacy.settings());

    expect(await reasons(legacy)).toEqual({
      2: 'duplicate_chunk',
      3: 'shared_point',
      4: 'no_entity_type',
      5: 'unknown_entity_type',
      6: 'no_entity_id',
      7: 'bad_entity_id',
      8: 'no_parent',
      9: 'no_point_id',
      10: 'bad_point_id',
      11: 'unknown_embedding_type',
      12: 'bad_chunk_index',
      13: 'missing_point',
      16: 'bad_entity_id',
    });
    const [kept] = await legacy.sql(`SELECT legacy_row FROM legacy_quarantine WHERE legacy_key = '11'`);
    expect(kept).toMatchObject({ legacy_row: { id: 11, embedding_type: 'shoe size', 'Odd "name': null } });
    const moved = await legacy.sql(
      `SELECT legacy_key AS key, metadata_json AS metadata, legacy_extra AS extra FROM profile_embeddings ORDER BY legacy_key::int`,
    );
    expect(moved).toEqual([
      { key: '1', metadata: { a: 1 }, extra: { score: 1.5, 'Odd "name': null } },
      { key: '14', metadata: 'not JSON', extra: { score: null, 'Odd "name': null } },
      { key: '15', metadata: '{"a":"\\u0000"}', extra: { score: null, 'Odd "name': null } },
    ]);
    expect(await verify(legacy.parts, { isComparingPoints: false })).toMatchObject({
      legacy: 16,
      migrated: 3,
      quarantined: 13,
      differing: 0,
    });
  });

  it('is told about by a plan that changes nothing', async () => {
    const legacy = await open(DAMAGED, { isRelaying: false });
    const [one] = legacy.records.profile as number[];
    const points = newPoints(3);
    await legacy.collection.put(points.slice(0, 2));
    const columns = 'id, entity_type, entity_id, qdrant_point_id';
    await insert(legacy, columns, [
      [1, 'profile', one, points[0]],
      [2, 'profile', one, points[1]],
      [3, 'profile', one, points[2]],
      [4, 'employee', one, points[0]],
    ]);
    const { table: _, ...settings } = legacy.settings();
    const state = () =>
      legacy.sql(`
        SELECT (SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class) AS relations,
          (SELECT string_agg(v::text, ' ' ORDER BY id) FROM vector_embeddings v) AS rows`);
    const [before] = await state();
    const made = await plan(legacy.parts, { ...settings, table: 'vector_embeddings', layout: null });
    const [after] = await state();
    expect(after).toEqual(before);
    expect(made).toMatchObject({
      rows: 4,
      movable: 2,
      refused: { unknown_entity_type: 1, missing_point: 1 },
      columns: { uuid: null, updatedAt: null, chunkIndex: { type: 'integer' } },
      extraColumns: [{ name: 'score' }, { name: 'Odd "name' }],
      points: { distinct: 3, absent: 1 },
    });
    const { store } = legacy.parts;
    // One more is listed, and dropped before it is looked at.
    const listing = new Proxy(store, {
      get: (target, name) => {
        if (name === 'listCollections') return async () => ['dropped_meanwhile', ...(await store.listCollections())];
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const unnamed = await plan(
      { ...legacy.parts, store: listing },
      {
        ...settings,
        table: 'vector_embeddings',
        vectorHome: null,
        layout: null,
      },
    );
    expect(unnamed.points.foundIn).toMatchObject([{ collection: legacy.collection.name, found: 2, of: 3 }]);
  });
});

describe('a table whose names are others', () => {
  it('moves by its own names, types and keys', async () => {
    const legacy = await open(
      [
        'CREATE SCHEMA "Old App"',
        `CREATE TABLE "Old App"."Vectors; --" (
           "Key" UUID PRIMARY KEY DEFAULT gen_random_uuid(), kind TEXT, ref TEXT, point UUID, label TEXT, at DATE)`,
      ],
      { isRelaying: false, vectorName: 'text' },
    );
    const [job] = legacy.records.job_description as number[];
    await legacy.sql(`UPDATE job_descriptions SET external_id = 'job/one' WHERE id = $1`, [job]);
    const points = newPoints(1);
    await legacy.collection.put(points);
    await legacy.sql(
      `INSERT INTO "Old App"."Vectors; --" (kind, ref, point, label, at) VALUES ('vacancy', 'job/one', $1, 'needs', '2024-05-01')`,
      [points[0]],
    );
    await new Copy(legacy.parts).run(
      legacy.settings({
        table: { schema: 'Old App', name: 'Vectors; --' },
        columns: {
          key: 'Key',
          entityType: 'kind',
          entityId: 'ref',
          pointId: 'point',
          embeddingType: 'label',
          createdAt: 'at',
        },
        entityTypes: { vacancy: 'job_description' },
        embeddingTypes: { needs: 'requirements' },
        matchBy: 'external_id',
        timeZone: 'Europe/Berlin',
      }),
    );
    const [row] = await legacy.sql(
      `SELECT job_description_id AS job, embedding_type AS type, created_at AS at FROM job_description_embeddings`,
    );
    expect(row).toEqual({ job, type: 'requirements', at: new Date('2024-04-30T22:00:00Z') });
    expect(await verify(legacy.parts, { isComparingPoints: false })).toMatchObject({ differing: 0, migrated: 1 });
  });
});

describe('vectors that were taken over', () => {
  it('stay when their record is rendered, and give way when its text changes', async () => {
    const legacy = await open(DOCUMENT_TABLE);
    const [one] = legacy.records.profile as number[];
    const points = newPoints(2);
    const vectors = await legacy.collection.put(points);
    await insert(legacy, 'entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index', [
      ['profile', one, points[0], 'full_profile', 0],
      ['profile', one, points[1], 'full_profile', 1],
    ]);
    await new Copy(legacy.parts).run(legacy.settings());
    await legacy.app.settle();
    const alias = legacy.app.core.catalog.alias('profile');
    const stored = async (id: string): Promise<number[]> => {
      const [point] = await legacy.app.core.store.retrieve(alias, [id], { payload: false, vectors: ['dense'] });
      return point?.dense ?? [];
    };
    const isOld = async (id: string): Promise<boolean> => {
      const [now, old] = [await stored(id), vectors.get(id) as number[]];
      return now.length > 0 && now.every((value, i) => Math.abs(value - (old[i] as number)) < 1e-4);
    };
    // Only the payload concerns them.
    await legacy.sql(`UPDATE profiles SET location = 'Oslo' WHERE id = $1`, [one]);
    await legacy.app.settle();
    expect(await isOld(points[0] as string)).toBe(true);
    expect(await isOld(points[1] as string)).toBe(true);
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true, migrated: 2 });

    await legacy.sql(`UPDATE profiles SET summary = 'Now a baker.' WHERE id = $1`, [one]);
    await legacy.app.settle();
    expect(await isOld(points[0] as string)).toBe(false);
    expect(await stored(points[1] as string)).toEqual([]);
    const rows = await legacy.sql(
      `SELECT qdrant_point_id AS point, text FROM profile_embeddings WHERE profile_id = $1 AND embedding_type = 'full_profile'`,
      [one],
    );
    expect(rows).toMatchObject([{ point: points[0], text: expect.stringContaining('Now a baker.') }]);
    // The chunk that is no longer needed is not lost, and is not copied again.
    await new Copy(legacy.parts).run(legacy.settings());
    await legacy.app.settle();
    expect(await reasons(legacy)).toEqual({ 2: 'superseded' });
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true, legacy: 2, migrated: 1, quarantined: 1 });
  });

  it('stay where they are when Kindred’s own collection has them, and get its payload', async () => {
    const legacy = await open(DOCUMENT_TABLE, { isRelaying: false });
    const { core } = legacy.app;
    const [one] = legacy.records.profile as number[];
    const points = newPoints(2);
    const alias = core.catalog.alias('profile');
    const own = new ForeignCollection(legacy.app, alias, 'dense');
    const vectors = await own.put(points);
    await insert(legacy, 'entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index', [
      ['profile', one, points[0], 'full_profile', 0],
      ['profile', one, points[1], 'full_profile', 1],
    ]);
    await new Copy(legacy.parts).run(legacy.settings({ vectorHome: `${alias}#dense` }));
    const relay = core.createRelay();
    relay.start();
    await legacy.app.settle();
    await relay.stop();
    const stored = await core.store.retrieve(alias, points, { payload: true, vectors: ['dense'] });
    expect(stored).toHaveLength(2);
    for (const point of stored) {
      const old = vectors.get(point.id) as number[];
      for (const [i, value] of old.entries()) expect(point.dense?.[i]).toBeCloseTo(value, 4);
      expect(point.payload).toMatchObject({ entity_id: one, embedding_type: 'full_profile' });
      expect(point.payload).not.toHaveProperty('old');
    }
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true, migrated: 2 });
  });

  it('are replaced by the record’s own text where they cannot be had', async () => {
    const legacy = await open(DOCUMENT_TABLE, { isRelaying: false });
    const [one] = legacy.records.profile as number[];
    const points = newPoints(1);
    await legacy.collection.put(points);
    await insert(legacy, 'entity_type, entity_id, qdrant_point_id, embedding_type', [
      ['profile', one, points[0], 'full_profile'],
    ]);
    await new Copy(legacy.parts).run(legacy.settings());
    await legacy.collection.remove(points);
    const relay = legacy.app.core.createRelay();
    relay.start();
    await legacy.app.settle();
    await relay.stop();
    const [row] = await legacy.sql(
      `SELECT e.text, p.state, p.adopted_from FROM profile_embeddings e JOIN vector_points p ON p.point_id = e.qdrant_point_id
       WHERE e.legacy_key IS NOT NULL`,
    );
    expect(row).toMatchObject({
      text: expect.stringContaining('hive'),
      state: 'indexed',
      adopted_from: null,
    });
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true });
  });

  it('are made anew with --reembed', async () => {
    const legacy = await open(DOCUMENT_TABLE);
    const [one] = legacy.records.profile as number[];
    const points = newPoints(1);
    await insert(legacy, 'entity_type, entity_id, qdrant_point_id, embedding_type', [
      ['profile', one, points[0], 'full_profile'],
    ]);
    await legacy.app.settle();
    await new Copy(legacy.parts).run(legacy.settings({ vectorHome: null }));
    await legacy.app.settle();
    expect(await verify(legacy.parts)).toMatchObject({ isVerified: true, migrated: 1 });
    const [row] = await legacy.sql(`SELECT text FROM profile_embeddings WHERE qdrant_point_id = $1`, [points[0]]);
    expect(row).toMatchObject({ text: expect.stringContaining('hive') });
  });
});
