import { describe, expect, it } from '@jest/globals';

import type { WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const STORY = ['# The well', 'The well was dry.', 'Nobody knew why.', 'Then it rained.'].join('\n\n');

/** The records' rows as the relay made them: what is at which place. */
const rowsOf = (path: WritePath, table: string): Promise<unknown[]> =>
  path.sql(
    `SELECT to_jsonb(row) - ARRAY['id', 'uuid', 'qdrant_point_id', 'created_at', 'updated_at', 'created_by', 'updated_by'] AS row
     FROM ${table} row ORDER BY row.embedding_type, to_jsonb(row) ->> 'chunk_index', to_jsonb(row) ->> 'paragraph_index'`,
  );

describe('embedding rows that somebody changes by hand', () => {
  it.each([
    [`a text`, `UPDATE story_chunk_embeddings SET text = 'Somebody else.' WHERE paragraph_index = 1`],
    [`every text`, `UPDATE story_chunk_embeddings SET text = upper(text)`],
    [`a context line`, `UPDATE story_chunk_embeddings SET context_line = 'Elsewhere' WHERE paragraph_index = 0`],
    [`a hash`, `UPDATE story_chunk_embeddings SET content_hash = repeat('0', 64)`],
    [`a place`, `UPDATE story_chunk_embeddings SET paragraph_index = 9 WHERE paragraph_index = 1`],
    [`offsets`, `UPDATE story_chunk_embeddings SET start_offset = 0, end_offset = 1 WHERE paragraph_index = 1`],
    [`tokens`, `UPDATE story_chunk_embeddings SET token_count = token_count + 100`],
    [`headings`, `UPDATE story_chunk_embeddings SET heading_path = ARRAY['Elsewhere']`],
    [`a row less`, `DELETE FROM story_chunk_embeddings WHERE paragraph_index = 1`],
    [`no row left`, `DELETE FROM story_chunk_embeddings`],
    [`an empty table`, `TRUNCATE story_chunk_embeddings CASCADE`],
    [
      `a row of another record`,
      `WITH other AS (INSERT INTO stories (title, content) VALUES ('Other', '') RETURNING id)
       UPDATE story_chunk_embeddings SET story_id = other.id FROM other WHERE paragraph_index = 1`,
    ],
  ])('are put right: %s', async (_, statement) => {
    const path = await open();
    path.relay();
    await path.sql(`INSERT INTO stories (title, content) VALUES ('The well', $1)`, [STORY]);
    await path.idle();
    const before = await rowsOf(path, 'story_chunk_embeddings');
    expect(before.length).toBeGreaterThan(2);

    await path.sql(statement);
    await path.idle();

    expect(await rowsOf(path, 'story_chunk_embeddings')).toEqual(before);
    expect(await path.drift()).toEqual([]);
  });

  it('are put right: a type', async () => {
    const path = await open();
    path.relay();
    await path.sql(
      `INSERT INTO job_descriptions (title, description, requirements) VALUES ('Smith', 'Forges.', '{An arm}')`,
    );
    await path.idle();
    const before = await rowsOf(path, 'job_description_embeddings');

    await path.sql(
      `UPDATE job_description_embeddings SET embedding_type = 'keywords', chunk_index = 5 WHERE embedding_type = 'requirements'`,
    );
    await path.idle();

    expect(await rowsOf(path, 'job_description_embeddings')).toEqual(before);
    expect(await path.drift()).toEqual([]);
  });

  it('have their record looked at once, and never what the relay itself writes', async () => {
    const path = await open();
    let records = 0;
    path.relay({}, (step, { topic, keys }) => {
      if (step === 'rendered' && topic === 'source') records += keys;
    });
    const id = await path.id(`INSERT INTO stories (title, content) VALUES ('The well', $1) RETURNING id`, [STORY]);
    await path.idle();
    expect(records).toBe(1);

    // One paragraph is edited, one goes, those after it move, one comes.
    await path.sql(`UPDATE stories SET content = $2 WHERE id = $1`, [
      id,
      ['# The well', 'The well was quite dry.', 'Then it rained.', 'It rained for days.'].join('\n\n'),
    ]);
    await path.idle();
    expect(records).toBe(2);

    await path.sql(`UPDATE story_chunk_embeddings SET text = 'Somebody else.', token_count = 0`);
    await path.idle();
    expect(records).toBe(3);

    await path.sql(`UPDATE story_chunk_embeddings SET metadata_json = '{"seen": true}', updated_by = 'me'`);
    await path.sql('DELETE FROM stories');
    await path.idle();
    expect(records).toBe(3);
    expect(await path.points('story')).toEqual([]);
  });
});
