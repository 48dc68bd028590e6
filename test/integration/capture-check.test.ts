import { describe, expect, it } from '@jest/globals';

import { recordKinds } from '../../src/features/registry';
import { createDataSource } from '../../src/kernel/db/data-source';
import { Database } from '../../src/kernel/db/database';
import { DomainError } from '../../src/kernel/errors/domain-error';
import { Capture } from '../../src/kernel/outbox/capture';
import { startMigratedPostgres } from '../../src/testing/migrated-postgres';
import type { WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const paths = useWritePaths();

async function open(): Promise<{ path: WritePath; capture: Capture }> {
  const path = await paths.open();
  return { path, capture: new Capture(path.database, recordKinds) };
}

async function run(path: WritePath, statements: string): Promise<void> {
  for (const statement of statements.split(';')) await path.sql(statement);
}

const messageOf = (check: Promise<void>): Promise<string> =>
  check.then(
    () => 'nothing',
    (error: unknown) => {
      expect(error).toBeInstanceOf(DomainError);
      expect((error as DomainError).code).toBe('CAPTURE_DAMAGED');
      return (error as DomainError).message;
    },
  );

const damages: [damage: string, statement: string, message: string][] = [
  [
    'a trigger is dropped',
    'DROP TRIGGER kindred_capture_profiles_update ON profiles',
    'table profiles: the trigger kindred_capture_profiles_update is missing',
  ],
  [
    'a trigger is disabled',
    'ALTER TABLE skills DISABLE TRIGGER kindred_capture_skills_insert',
    'table skills: the trigger kindred_capture_skills_insert is disabled',
  ],
  [
    'all triggers of a table are disabled',
    'ALTER TABLE story_chunk_embeddings DISABLE TRIGGER USER',
    'table story_chunk_embeddings: the trigger kindred_capture_story_chunk_embeddings_truncate is disabled',
  ],
  [
    'the hash of texts is no longer kept',
    'DROP TRIGGER kindred_hash_text ON profile_embeddings',
    'table profile_embeddings: the trigger kindred_hash_text is missing',
  ],
  [
    'triggers are enabled again in the ordinary way, as pg_restore --disable-triggers does',
    'ALTER TABLE stories ENABLE TRIGGER USER',
    'table stories: the trigger kindred_capture_stories_delete does not fire in every session (ENABLE ALWAYS)',
  ],
  [
    'a trigger fires for some rows only',
    `DROP TRIGGER kindred_capture_stories_insert ON stories;
     CREATE TRIGGER kindred_capture_stories_insert AFTER INSERT ON stories REFERENCING NEW TABLE AS new_rows
       FOR EACH STATEMENT WHEN (current_user = 'somebody') EXECUTE FUNCTION kindred_capture_stories();
     ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_insert`,
    'table stories: the trigger kindred_capture_stories_insert differs from what the specs demand',
  ],
  [
    'a trigger calls something else',
    `DROP TRIGGER kindred_capture_stories_delete ON stories;
     CREATE TRIGGER kindred_capture_stories_delete AFTER DELETE ON stories REFERENCING OLD TABLE AS old_rows
       FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_projects();
     ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_delete`,
    'table stories: the trigger kindred_capture_stories_delete differs from what the specs demand',
  ],
  [
    'a function has another body',
    `CREATE OR REPLACE FUNCTION kindred_capture_job_descriptions() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'`,
    'table job_descriptions: the function kindred_capture_job_descriptions() differs from what the specs demand',
  ],
  [
    'a function is dropped with its triggers',
    'DROP FUNCTION kindred_capture_tag_concepts CASCADE',
    'table tag_concepts: the function kindred_capture_tag_concepts() and its triggers are missing',
  ],
];

describe('capture', () => {
  it('is complete in a migrated database', async () => {
    const { capture } = await open();
    expect(await capture.findDamage()).toEqual([]);
    await capture.check();
  });

  it.each(damages)('is found damaged when %s, and whole again once restored', async (_, statement, message) => {
    const { path, capture } = await open();
    await run(path, statement);
    const said = await messageOf(capture.check());
    expect(said).toContain(message);
    expect(said).toContain(`'kindred migrate --restore-capture'`);
    const repair = await capture.restore();
    expect(repair.damages.map((damage) => damage.message)).toContain(message);
    await capture.check();
  });

  it('goes on in sessions whose ordinary triggers are off, and names the setting that does that', async () => {
    const server = await startMigratedPostgres({ session_replication_role: 'replica' });
    const dataSource = createDataSource({
      url: server.url,
      poolSize: 2,
      entities: [],
      migrations: [],
      applicationName: 'kindred-test',
    });
    try {
      await dataSource.initialize();
      const database = new Database(dataSource);
      await database.query(`INSERT INTO tag_concepts (name) VALUES ('silent')`);
      expect(await database.query('SELECT topic, kind FROM outbox_events')).toEqual([
        { topic: 'source', kind: 'tag_concept' },
      ]);
      const [problem] = await new Capture(database, recordKinds).findDamage();
      expect(problem?.message).toContain(`session_replication_role is 'replica' for this connection`);
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
      await server.stop();
    }
  });

  it('names a newer version where one has migrated the database', async () => {
    const { path, capture } = await open();
    await run(path, damages[7]?.[1] ?? '');
    await path.sql(
      `INSERT INTO kindred_migrations (timestamp, name) VALUES (9990000000000, 'AddSomething9990000000000')`,
    );
    const message = await messageOf(capture.check());
    expect(message).toContain('A newer version has migrated it.');
    expect(message).not.toContain('--restore-capture');
    // A running process goes on.
    await capture.watch();
  });

  it('is watched while running, without asking the database each time', async () => {
    const { path, capture } = await open();
    let asked = 0;
    path.database.observe(({ sql }) => {
      if (sql.includes('pg_trigger')) asked++;
    });
    await Promise.all(Array.from({ length: 50 }, () => capture.watch()));
    expect(asked).toBe(1);
    await path.sql('DROP TRIGGER kindred_capture_profiles_insert ON profiles');
    // As a process does that has not asked lately.
    expect(await messageOf(new Capture(path.database, recordKinds).watch())).toContain(
      'kindred_capture_profiles_insert',
    );
  });
});

describe('what was written while capture was damaged', () => {
  it('is followed after it has been restored', async () => {
    const { path, capture } = await open();
    path.relay();
    const id = await path.id(`INSERT INTO profiles (name, headline) VALUES ('Ada', 'Engineer') RETURNING id`);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics'), ($1, 'Poetry')`, [id]);
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('kept'), ('going'), ('changing')`);
    await path.idle();
    for (const table of ['skills', 'skill_embeddings', 'tag_concepts', 'tag_concept_embeddings']) {
      await path.sql(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    }
    await path.sql(`DELETE FROM skill_embeddings WHERE text LIKE 'Poetry%'`);
    await path.sql(`DELETE FROM skills WHERE name = 'Poetry'`);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Chess')`, [id]);
    await path.sql(`DELETE FROM tag_concept_embeddings WHERE text LIKE 'going%'`);
    await path.sql(`DELETE FROM tag_concepts WHERE name = 'going'`);
    await path.sql(`UPDATE tag_concepts SET name = 'changed' WHERE name = 'changing'`);
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('came')`);
    await path.idle();
    expect(await path.drift()).not.toEqual([]);

    const { queued } = await capture.restore();
    expect(queued).toBeGreaterThan(0);
    await path.idle();
    expect(await capture.findDamage()).toEqual([]);
    expect(await path.drift()).toEqual([]);
    expect((await path.points('tag_concept')).map((point) => point.payload.name).sort()).toEqual([
      'came',
      'changed',
      'kept',
    ]);
    expect((await path.points('skill')).map((point) => point.payload.name).sort()).toEqual(['Chess', 'Mathematics']);
    const [profile] = await path.sql<{ text: string }>(
      `SELECT text FROM profile_embeddings WHERE embedding_type = 'skills'`,
    );
    expect(profile?.text).toContain('Chess');
    expect(profile?.text).not.toContain('Poetry');
  });
});
