import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
});

afterEach(async () => {
  await app.core.database.query('DELETE FROM tag_concepts');
  await app.core.database.query('DELETE FROM stories');
  await app.core.database.query('DELETE FROM tag_decisions');
  await app.settle();
});

afterAll(async () => {
  await app.close();
});

const RAVENS = 'black ravens flew above the tower';
const BREAD = 'baking bread at dawn in the village';
const OTHER = 'nothing of the kind was ever seen';

const storyOf = (...paragraphs: string[]): string => paragraphs.join('\n\n');

async function rewrite(story: string, input: Record<string, unknown>): Promise<void> {
  await client.ask(
    'mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }',
    { id: story, input },
  );
  await app.settle();
}

/** Of each chunk in order, its tags with status and source. */
async function tagsOf(story: string): Promise<string[]> {
  const tags = await client.tagsOf(story, ['SUGGESTED', 'ACCEPTED', 'REJECTED']);
  return tags.map((list) => list.map(({ tag, status, source }) => `${tag.name} ${status} ${source}`).join(', '));
}

async function chunkWith(story: string, index: number): Promise<string> {
  return (await client.chunkIds(story))[index] ?? '';
}

/** Ravens are rejected for their paragraph, bread is accepted for its own, and ravens are added to the third. */
async function decided(): Promise<{ story: string; ravens: string; bread: string }> {
  const ravens = await client.createTag({ name: 'ravens', description: 'black ravens above the tower' });
  const bread = await client.createTag({ name: 'bread', description: 'baking bread at dawn' });
  const story = await client.createStory(storyOf(RAVENS, BREAD, OTHER));
  await app.settle();
  await client.decide('rejectTags', await chunkWith(story, 0), [ravens]);
  await client.decide('acceptTags', await chunkWith(story, 1), [bread]);
  await client.decide('addTags', await chunkWith(story, 2), [ravens]);
  await app.settle();
  return { story, ravens, bread };
}

describe('a decision', () => {
  it('comes back with the text that was taken out and is put in again', async () => {
    const { story } = await decided();
    await rewrite(story, { content: 'something else altogether' });
    expect(await tagsOf(story)).toEqual(['']);
    await rewrite(story, { content: storyOf('a new beginning', OTHER, RAVENS, BREAD) });
    expect(await tagsOf(story)).toEqual(['', 'ravens ACCEPTED MANUAL', 'ravens REJECTED AUTO', 'bread ACCEPTED AUTO']);
    const usage = await app.core.database.query('SELECT name, usage_count FROM tag_concepts ORDER BY name');
    expect(usage).toEqual([
      { name: 'bread', usage_count: 1 },
      { name: 'ravens', usage_count: 1 },
    ]);
    const log = await app.core.database.query('SELECT action, decided_by FROM tag_decisions ORDER BY id');
    expect(log).toEqual(['reject', 'accept', 'add'].map((action) => ({ action, decided_by: 'ada' })));
  });

  it('says who made it when it is back', async () => {
    const { story } = await decided();
    await rewrite(story, { content: OTHER });
    await rewrite(story, { content: storyOf(OTHER, BREAD) });
    const rows = await app.core.database.query(
      `SELECT a.updated_by, a.score IS NOT NULL AS "hasScore", a.model_id IS NOT NULL AS "hasModel"
       FROM story_chunk_tags a JOIN tag_concepts tag ON tag.id = a.tag_concept_id WHERE tag.name = 'bread'`,
    );
    expect(rows).toEqual([{ updated_by: 'ada', hasScore: true, hasModel: true }]);
  });

  it('stays with a text that moves, and is that of every text of the story that is the same', async () => {
    const { story } = await decided();
    await rewrite(story, { content: storyOf(OTHER, BREAD, RAVENS) });
    expect(await tagsOf(story)).toEqual(['ravens ACCEPTED MANUAL', 'bread ACCEPTED AUTO', 'ravens REJECTED AUTO']);
    await rewrite(story, { content: storyOf(RAVENS, OTHER, BREAD, RAVENS, BREAD) });
    expect(await tagsOf(story)).toEqual([
      'ravens REJECTED AUTO',
      'ravens ACCEPTED MANUAL',
      'bread ACCEPTED AUTO',
      'ravens REJECTED AUTO',
      'bread ACCEPTED AUTO',
    ]);
  });

  it('survives chunking in another way and back, and another title as context', async () => {
    const { story } = await decided();
    await rewrite(story, { chunkingStrategy: 'TOKEN', chunkTokens: 64 });
    expect(await tagsOf(story)).toHaveLength(1);
    await rewrite(story, { chunkingStrategy: 'PARAGRAPH', chunkTokens: null, chunkContext: 'TITLE', title: 'Another' });
    expect(await tagsOf(story)).toEqual([
      expect.stringContaining('ravens REJECTED'),
      expect.stringContaining('bread ACCEPTED'),
      expect.stringContaining('ravens ACCEPTED'),
    ]);
  });

  it('passes to a text that is edited, and comes back with either wording', async () => {
    const { story } = await decided();
    const edited = 'black ravens flew high above the old tower';
    await rewrite(story, { content: storyOf(edited, BREAD, OTHER) });
    expect((await tagsOf(story))[0]).toBe('ravens REJECTED AUTO');
    await rewrite(story, { content: storyOf(BREAD, OTHER) });
    await rewrite(story, { content: storyOf(BREAD, edited, OTHER, 'a wall between the two of them', RAVENS) });
    expect(await tagsOf(story)).toEqual([
      'bread ACCEPTED AUTO',
      'ravens REJECTED AUTO',
      'ravens ACCEPTED MANUAL',
      '',
      'ravens REJECTED AUTO',
    ]);
  });

  it('that was taken back does not return', async () => {
    const { story, ravens } = await decided();
    // Added by a person, so removing takes it away; rejected, so adding turns it round.
    await client.decide('removeTags', await chunkWith(story, 2), [ravens]);
    await client.decide('addTags', await chunkWith(story, 0), [ravens]);
    await rewrite(story, { content: BREAD });
    await rewrite(story, { content: storyOf(RAVENS, BREAD, OTHER) });
    expect(await tagsOf(story)).toEqual(['ravens ACCEPTED MANUAL', 'bread ACCEPTED AUTO', '']);
  });

  it('holds for its story only', async () => {
    await decided();
    const other = await client.createStory(storyOf(RAVENS, BREAD));
    await app.settle();
    expect(await tagsOf(other)).toEqual(['ravens SUGGESTED AUTO', 'bread SUGGESTED AUTO']);
  });

  it('goes over to the tag that its own is merged into, while its text is out', async () => {
    const { story, ravens } = await decided();
    const crows = await client.createTag({ name: 'corvids', description: 'crows and their kin', threshold: 0.99 });
    await rewrite(story, { content: BREAD });
    await client.ask('mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { assignments } }', {
      s: ravens,
      t: crows,
    });
    await rewrite(story, { content: storyOf(RAVENS, BREAD, OTHER) });
    expect(await tagsOf(story)).toEqual(['corvids REJECTED AUTO', 'bread ACCEPTED AUTO', 'corvids ACCEPTED MANUAL']);
  });

  it('written by plain SQL is kept as well', async () => {
    const { story } = await decided();
    await app.core.database.query(`UPDATE story_chunk_tags SET status = 'rejected' WHERE status = 'accepted'`);
    await rewrite(story, { content: 'something else altogether' });
    await rewrite(story, { content: storyOf(BREAD, OTHER) });
    expect(await tagsOf(story)).toEqual(['bread REJECTED AUTO', 'ravens REJECTED MANUAL']);
  });
});
