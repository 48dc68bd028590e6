import { describe, expect, it } from '@jest/globals';

import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const insertProfile = `INSERT INTO profiles (name, headline, summary, location) VALUES ($1, $2, $3, 'Oslo') RETURNING id`;

describe('what plain SQL writes', () => {
  it('appears in the vector server with its payload', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines of brass.']);
    await path.idle();
    const points = await path.points('profile');
    expect(points.map((point) => point.payload.embedding_type).sort()).toEqual(['full_profile', 'summary']);
    expect(points[0]?.payload).toMatchObject({
      entity_id: id,
      archived: false,
      name: 'Ada',
      location: 'Oslo',
      skills: [],
    });
    expect(await path.drift()).toEqual([]);
  });
});

describe('a changed record', () => {
  it('has only its changed texts embedded', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines of brass.']);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [id]);
    await path.idle();
    const ids = (await path.points('profile')).map((point) => point.id).sort();
    path.embedded.length = 0;
    await path.sql(`UPDATE skills SET name = 'Poetry' WHERE profile_id = $1`, [id]);
    await path.idle();
    // The whole profile, its skills, and the skill itself; not the summary.
    expect(path.embedded.sort()).toEqual([
      'Engineer\nBuilds engines of brass.\nSkills: Poetry',
      'Poetry',
      'Skills: Poetry',
    ]);
    expect((await path.points('profile')).map((point) => point.id).sort()).toEqual(ids);
    expect(await path.drift()).toEqual([]);
  });

  it('is not embedded again when only its payload changed', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines of brass.']);
    await path.idle();
    path.embedded.length = 0;
    await path.sql(`UPDATE profiles SET location = 'Turin' WHERE id = $1`, [id]);
    await path.idle();
    expect(path.embedded).toEqual([]);
    expect((await path.points('profile')).map((point) => point.payload.location)).toEqual(['Turin', 'Turin']);
    expect(await path.drift()).toEqual([]);
  });

  it('is not touched when nothing of what is embedded or filtered changed', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines of brass.']);
    await path.idle();
    const before = await path.sql('SELECT point_id, revision FROM vector_points ORDER BY 1');
    await path.sql(`UPDATE profiles SET external_id = 'ada' WHERE id = $1`, [id]);
    await path.sql(`UPDATE profiles SET summary = summary || ' ' WHERE id = $1`, [id]);
    await path.idle();
    expect(await path.sql('SELECT point_id, revision FROM vector_points ORDER BY 1')).toEqual(before);
  });

  it('keeps the points of paragraphs that only moved', async () => {
    const path = await open();
    path.relay();
    const insert = `INSERT INTO stories (title, content) VALUES ('Tale', $1) RETURNING id`;
    const id = await path.id(insert, ['One came.\n\nTwo went.\n\nThree stayed.']);
    await path.idle();
    const pointOf = async (text: string) =>
      (await path.sql('SELECT qdrant_point_id FROM story_chunk_embeddings WHERE text = $1', [text]))[0];
    const two = await pointOf('Two went.');
    const three = await pointOf('Three stayed.');
    path.embedded.length = 0;
    await path.sql('UPDATE stories SET content = $2 WHERE id = $1', [
      id,
      'Zero.\n\nTwo went.\n\nThree stays.\n\nFour.',
    ]);
    await path.idle();
    expect(path.embedded.sort()).toEqual(['Four.', 'Three stays.', 'Zero.']);
    expect(await pointOf('Two went.')).toEqual(two);
    expect(await pointOf('Three stays.')).toEqual(three);
    expect(await path.drift()).toEqual([]);
  });

  it('takes the vector of an equal text from the point that has it', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', null, null]);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [id]);
    await path.idle();
    path.embedded.length = 0;
    const other = await path.id(insertProfile, ['Émilie', null, null]);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [other]);
    await path.idle();
    expect(path.embedded).toEqual([]);
    expect(await path.drift()).toEqual([]);
    const skills = await path.points('skill');
    const stored = await path.store.retrieve(
      path.catalog.alias('skill'),
      skills.map((point) => point.id),
      { payload: false, vectors: ['dense', 'lexical'] },
    );
    expect(stored[0]?.dense).toEqual(stored[1]?.dense);
    expect(stored[0]?.lexical).toEqual(stored[1]?.lexical);
  });
});

describe('a record that goes', () => {
  it('takes the points of its children with it', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines.']);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [id]);
    await path.sql(`INSERT INTO work_experiences (profile_id, title) VALUES ($1, 'Analyst')`, [id]);
    await path.idle();
    expect(await path.points('skill')).toHaveLength(1);
    await path.sql('DELETE FROM profiles WHERE id = $1', [id]);
    await path.idle();
    for (const kind of ['profile', 'skill', 'work_experience']) expect(await path.points(kind)).toEqual([]);
    expect(await path.sql('SELECT * FROM vector_points')).toEqual([]);
  });

  it('is followed when its table is truncated', async () => {
    const path = await open();
    path.relay();
    await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines.']);
    await path.idle();
    await path.sql('TRUNCATE profiles CASCADE');
    await path.idle();
    expect(await path.points('profile')).toEqual([]);
    expect(await path.sql('SELECT * FROM vector_points')).toEqual([]);
  });

  it('leaves nothing when it goes while it is being embedded', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let reached: () => void = () => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const path = await open({
      onEmbed: () => {
        reached();
        return held;
      },
    });
    path.relay({ pointConcurrency: 1 });
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines.']);
    await isReached;
    await path.sql('DELETE FROM profiles WHERE id = $1', [id]);
    release();
    await path.idle();
    expect(await path.points('profile')).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });
});

describe('an archived record', () => {
  it('keeps its points, marked, and comes back without being embedded', async () => {
    const path = await open();
    path.relay();
    const id = await path.id(insertProfile, ['Ada', 'Engineer', 'Builds engines.']);
    await path.sql(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Mathematics')`, [id]);
    await path.idle();
    path.embedded.length = 0;
    const archivedFlags = async () =>
      [...(await path.points('profile')), ...(await path.points('skill'))].map((point) => point.payload.archived);
    await path.sql('UPDATE profiles SET archived_at = now() WHERE id = $1', [id]);
    await path.idle();
    expect(new Set(await archivedFlags())).toEqual(new Set([true]));
    await path.sql('UPDATE profiles SET archived_at = NULL WHERE id = $1', [id]);
    await path.idle();
    expect(new Set(await archivedFlags())).toEqual(new Set([false]));
    expect(path.embedded).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a transaction that is rolled back', () => {
  it('captures nothing', async () => {
    const path = await open();
    const failed = path.database.transaction({}, async (transaction) => {
      await transaction.query(insertProfile, ['Ada', 'Engineer', 'Builds engines.']);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
  });
});

describe('a large record', () => {
  it('has a chunk for each window, each with its exact place in the text', async () => {
    const path = await open();
    path.relay();
    const text = Array.from({ length: 200 }, (_, i) => `Sentence number ${i} tells of the 🏔️ and the sea.`).join(' ');
    await path.sql(`INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'long', $1)`, [
      text,
    ]);
    await path.idle();
    const rows = await path.sql<{ text: string; start_offset: number; end_offset: number }>(
      'SELECT text, start_offset, end_offset FROM content_embeddings ORDER BY chunk_index',
    );
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) expect(text.slice(row.start_offset, row.end_offset)).toBe(row.text);
    expect(rows.map((row) => row.text).join(' ')).toBe(text);
    expect(await path.drift()).toEqual([]);
  });
});
