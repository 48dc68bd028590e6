import { describe, expect, it } from '@jest/globals';

import { Query } from 'pg';

import { startApp } from '../support/app';
import type { WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

/** What waits in the outbox, `kind key`, without the order. */
async function captured(path: WritePath, topic = 'source'): Promise<string[]> {
  const rows = await path.sql<{ kind: string; key: string }>('SELECT kind, key FROM outbox_events WHERE topic = $1', [
    topic,
  ]);
  return rows.map(({ kind, key }) => `${kind} ${key}`).sort();
}

/** Sends `data` as the rows of a COPY statement. */
async function copyIn(path: WritePath, statement: string, data: string): Promise<void> {
  const client = await path.database.pool.connect();
  try {
    const query = new Query({ text: statement });
    const ended = new Promise<void>((resolve, reject) => {
      query.on('end', () => resolve());
      query.on('error', reject);
    });
    Object.assign(query, {
      handleCopyInResponse: (connection: { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }) => {
        connection.sendCopyFromChunk(Buffer.from(data));
        connection.endCopyFrom();
      },
    });
    client.query(query);
    await ended;
  } finally {
    client.release();
  }
}

/** A profile with one of everything below it, all indexed. */
async function grownProfile(path: WritePath): Promise<number> {
  const id = await path.id(
    `INSERT INTO profiles (name, headline, summary) VALUES ('Ada', 'Engineer', 'Builds.') RETURNING id`,
  );
  await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [id]);
  await path.sql(`INSERT INTO work_experiences (profile_id, title) VALUES ($1, 'Analyst')`, [id]);
  await path.sql(`INSERT INTO projects (profile_id, name) VALUES ($1, 'Engine')`, [id]);
  await path.sql(`INSERT INTO educations (profile_id, institution) VALUES ($1, 'Home')`, [id]);
  await path.sql(`INSERT INTO generated_resumes (profile_id, title, content) VALUES ($1, 'Engineer', 'A resume.')`, [
    id,
  ]);
  await path.idle();
  return id;
}

const KINDS_OF_A_PROFILE = ['profile', 'skill', 'work_experience', 'project', 'education', 'generated_resume'];

describe('every way to write', () => {
  it('a mutation', async () => {
    const app = await startApp({ isRelaying: false });
    try {
      await app.executeOperation(
        'mutation { createJob(input: { title: "Clock maker", company: "Acme", description: "Makes clocks." }) { syncToken } }',
      );
      const events = await app.core.database.query('SELECT topic, kind FROM outbox_events');
      expect(events).toEqual([{ topic: 'source', kind: 'job_description' }]);
    } finally {
      await app.close();
    }
  });

  it('COPY', async () => {
    const path = await open();
    path.relay();
    await copyIn(path, 'COPY tag_concepts (name) FROM STDIN', 'copied 1\ncopied 2\ncopied 3\n');
    expect(await captured(path)).toHaveLength(3);
    await path.idle();
    expect((await path.points('tag_concept')).map((point) => point.payload.name).sort()).toEqual([
      'copied 1',
      'copied 2',
      'copied 3',
    ]);
    expect(await path.drift()).toEqual([]);
  });

  it('one statement over many rows', async () => {
    const path = await open();
    path.relay();
    await path.sql(
      `INSERT INTO tag_concepts (name, category) SELECT 'tag ' || i, 'old' FROM generate_series(1, 500) i`,
    );
    await path.idle();
    await path.sql(`UPDATE tag_concepts SET category = 'new', description = 'changed ' || id WHERE id % 2 = 0`);
    await path.idle();
    const points = await path.points('tag_concept');
    expect(points.filter((point) => point.payload.category === 'new')).toHaveLength(250);
    expect(await path.drift()).toEqual([]);
  });

  it('an insert that becomes an update, a merge, and statements within a statement', async () => {
    const path = await open();
    const id = await path.id(`INSERT INTO tag_concepts (name, external_id) VALUES ('a', 'a') RETURNING id`);
    await path.sql('DELETE FROM outbox_events');
    await path.sql(
      `INSERT INTO tag_concepts (name, external_id) VALUES ('b', 'a') ON CONFLICT (external_id) DO UPDATE SET name = EXCLUDED.name`,
    );
    expect(await captured(path)).toEqual([`tag_concept ${id}`]);
    await path.sql('DELETE FROM outbox_events');
    await path.sql(
      `MERGE INTO tag_concepts t USING (VALUES ('a', 'c'), ('z', 'd')) AS v (external_id, name) ON t.external_id = v.external_id
       WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (external_id, name) VALUES (v.external_id, v.name)`,
    );
    expect(await captured(path)).toHaveLength(2);
    await path.sql('DELETE FROM outbox_events');
    await path.sql(`WITH gone AS (DELETE FROM tag_concepts RETURNING *), made AS (
      INSERT INTO stories (title, content) SELECT name, name FROM gone RETURNING 1) SELECT count(*) FROM made`);
    expect((await captured(path)).map((event) => event.split(' ')[0])).toEqual(['story', 'story']);
  });

  it('a child that moves to another parent concerns both', async () => {
    const path = await open();
    const [from, to] = [
      await path.id(`INSERT INTO profiles (name) VALUES ('Ada') RETURNING id`),
      await path.id(`INSERT INTO profiles (name) VALUES ('Émilie') RETURNING id`),
    ];
    const skill = await path.id(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Physics') RETURNING id`, [from]);
    await path.sql('DELETE FROM outbox_events');
    await path.sql('UPDATE skills SET profile_id = $1', [to]);
    expect(await captured(path)).toEqual([`profile ${from}`, `profile ${to}`, `skill ${skill}`].sort());
  });
});

describe('a writer for whom the names of our tables mean nothing, or something else', () => {
  it.each([
    ['an empty search_path', [`SET LOCAL search_path = ''`]],
    [
      'tables of its own by those names',
      ['outbox_events', 'vector_points'].map(
        (name) => `CREATE TEMP TABLE ${name} (LIKE ${name} INCLUDING ALL) ON COMMIT DROP`,
      ),
    ],
  ])('is captured: %s', async (_, setUp) => {
    const path = await open();
    path.relay();
    const kept = await path.id(`INSERT INTO tag_concepts (name) VALUES ('kept') RETURNING id`);
    await path.idle();
    const [before] = await path.sql<{ path: string }>(`SELECT current_setting('search_path') AS path`);
    await path.database.transaction({}, async (transaction) => {
      for (const statement of setUp) await transaction.query(statement);
      const [own] = await transaction.query(`SELECT current_setting('search_path') AS path`);
      await transaction.query(`INSERT INTO public.stories (title, content) VALUES ('A', 'Once.')`);
      await transaction.query(`INSERT INTO public.profiles (name, headline) VALUES ('Ada', 'Engineer')`);
      await transaction.query(
        `UPDATE public.tag_concept_embeddings SET text = 'Somebody else' WHERE tag_concept_id = $1`,
        [kept],
      );
      await transaction.query(`UPDATE public.profiles SET headline = 'Mathematician'`);
      // What capture looks at is its own affair.
      expect(await transaction.query(`SELECT current_setting('search_path') AS path`)).toEqual([own]);
    });
    expect(await path.sql(`SELECT current_setting('search_path') AS path`)).toEqual([before]);
    await path.idle();
    expect((await path.points('story')).length).toBe(1);
    expect((await path.points('profile')).length).toBeGreaterThan(0);
    expect(await path.sql('SELECT text FROM tag_concept_embeddings')).toEqual([{ text: 'kept' }]);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a deletion', () => {
  it('goes down every level of cascades, for many records at once', async () => {
    const path = await open();
    path.relay();
    await grownProfile(path);
    await grownProfile(path);
    const kept = await grownProfile(path);
    await path.sql('DELETE FROM profiles WHERE id <> $1', [kept]);
    await path.idle();
    for (const kind of KINDS_OF_A_PROFILE) {
      const ids = new Set(
        (await path.points(kind)).map((point) => point.payload.profile_id ?? point.payload.entity_id),
      );
      expect([kind, [...ids]]).toEqual([kind, [kept]]);
    }
    expect(await path.drift()).toEqual([]);
  });

  it('of a parent and a change of its child in one transaction leave no event of what is gone behind', async () => {
    const path = await open();
    path.relay();
    const id = await grownProfile(path);
    await path.database.transaction({}, async (transaction) => {
      await transaction.query(`UPDATE skills SET name = 'Poetry' WHERE profile_id = $1`, [id]);
      await transaction.query('DELETE FROM profiles WHERE id = $1', [id]);
    });
    await path.idle();
    expect(await path.sql('SELECT * FROM vector_points')).toEqual([]);
    expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
    for (const kind of KINDS_OF_A_PROFILE) expect(await path.points(kind)).toEqual([]);
  });

  it('by TRUNCATE of a child table changes the texts of its parents', async () => {
    const path = await open();
    path.relay();
    await grownProfile(path);
    await path.sql('TRUNCATE skills CASCADE');
    await path.idle();
    expect(await path.points('skill')).toEqual([]);
    const texts = await path.sql<{ text: string }>('SELECT text FROM profile_embeddings');
    expect(texts.filter(({ text }) => text.includes('Mathematics'))).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });

  it('by TRUNCATE of everything leaves nothing', async () => {
    const path = await open();
    path.relay();
    await grownProfile(path);
    await path.sql('TRUNCATE profiles, skills, work_experiences, projects, educations, generated_resumes CASCADE');
    await path.idle();
    for (const kind of KINDS_OF_A_PROFILE) expect(await path.points(kind)).toEqual([]);
    expect(await path.sql('SELECT * FROM vector_points')).toEqual([]);
  });
});

describe('what is taken back', () => {
  it('is not captured: to a savepoint', async () => {
    const path = await open();
    const id = await path.database.transaction({}, async (transaction) => {
      const [row] = await transaction.query<{ id: number }>(
        `INSERT INTO tag_concepts (name) VALUES ('kept') RETURNING id`,
      );
      await transaction.query('SAVEPOINT before');
      await transaction.query(`INSERT INTO tag_concepts (name) VALUES ('lost')`);
      await transaction.query('ROLLBACK TO SAVEPOINT before');
      return row?.id;
    });
    expect(await captured(path)).toEqual([`tag_concept ${id}`]);
  });

  it('is not captured: a TRUNCATE', async () => {
    const path = await open();
    path.relay();
    await grownProfile(path);
    const before = await path.sql('SELECT point_id, revision, state FROM vector_points ORDER BY 1');
    const failed = path.database.transaction({}, async (transaction) => {
      await transaction.query('TRUNCATE profiles CASCADE');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
    expect(await path.sql('SELECT point_id, revision, state FROM vector_points ORDER BY 1')).toEqual(before);
  });
});

describe('the priority that a session sets', () => {
  it.each([
    ['', 0],
    ['0', 0],
    ['1', 1],
    ['-1', 0],
    ['7', 1],
    ['123456789', 1],
    ['urgent', 0],
  ])('%j becomes %i', async (setting, priority) => {
    const path = await open();
    await path.database.transaction({}, async (transaction) => {
      await transaction.query(`SELECT set_config('kindred.priority', $1, true)`, [setting]);
      await transaction.query(`INSERT INTO tag_concepts (name) VALUES ('tag')`);
    });
    expect(await path.sql('SELECT priority FROM outbox_events')).toEqual([{ priority }]);
  });
});
