import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});

afterAll(async () => {
  await app.close();
});

interface Assigned {
  score: number;
  source: string;
  status: string;
  isImplied: boolean;
  model: { name: string };
  tag: { id: string; name: string };
}

async function ask<T>(query: string, variables: Record<string, unknown> = {}, actor = 'ada'): Promise<T> {
  const { data, errors } = await app.executeOperation<T>(query, variables, { actor });
  expect(errors).toBeUndefined();
  return data as T;
}

async function createTag(input: Record<string, unknown>): Promise<string> {
  const answer = await ask<{ createTag: { tag: { id: string } } }>(
    'mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }',
    { input },
  );
  return answer.createTag.tag.id;
}

async function createStory(content: string): Promise<string> {
  const answer = await ask<{ createStory: { story: { id: string } } }>(
    'mutation ($input: CreateStoryInput!) { createStory(input: $input) { story { id } } }',
    { input: { title: 'A story', content } },
  );
  return answer.createStory.story.id;
}

async function chunksOf(storyId: string): Promise<{ id: string; text: string; tags: Assigned[] }[]> {
  const { story } = await ask<{ story: { chunks: { nodes: { id: string; text: string; tags: Assigned[] }[] } } }>(
    `query ($id: ID!) { story(id: $id) { chunks(first: 50) { nodes { id text
       tags(status: [SUGGESTED, ACCEPTED, REJECTED]) { score source status isImplied model { name } tag { id name } } } } } }`,
    { id: storyId },
  );
  return story.chunks.nodes;
}

const summary = (tags: Assigned[]): string[] =>
  tags.map(({ tag, status, source }) => `${tag.name} ${status} ${source}`);

it('tags a chunk once it is indexed, follows decisions, and never brings back what was rejected', async () => {
  const ravens = await createTag({ name: 'ravens', description: 'black ravens above the tower' });
  const bread = await createTag({ name: 'bread', description: 'baking bread at dawn' });
  await app.settle();
  const story = await createStory('black ravens flew above the tower\n\nbaking bread at dawn\n\nnothing of the kind');
  await app.settle();

  const [first, second, third] = await chunksOf(story);
  expect(summary(first?.tags ?? [])).toEqual(['ravens SUGGESTED AUTO']);
  expect(first?.tags[0]).toMatchObject({ isImplied: false, model: { name: app.core.embedder.model.name } });
  expect(first?.tags[0]?.score).toBeGreaterThan(0.4);
  expect(summary(second?.tags ?? [])).toEqual(['bread SUGGESTED AUTO']);
  expect(third?.tags).toEqual([]);

  const decide = (mutation: string, targetId: string | undefined, tagIds: string[]): Promise<unknown> =>
    ask(`mutation ($t: ID!, $g: [ID!]!) { ${mutation}(targetId: $t, tagIds: $g) { tags { status } } }`, {
      t: targetId,
      g: tagIds,
    });
  await decide('acceptTags', first?.id, [ravens]);
  await decide('rejectTags', second?.id, [bread]);
  await decide('addTags', third?.id, [ravens]);
  await app.settle();

  // The text is embedded again, and the tag as well.
  await ask('mutation ($id: ID!, $input: UpdateTagInput!) { updateTag(id: $id, input: $input) { syncToken } }', {
    id: bread,
    input: { description: 'baking bread at dawn, every day' },
  });
  await ask('mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }', {
    id: story,
    input: {
      content: 'a new beginning\n\nblack ravens flew above the tower\n\nbaking bread at dawn\n\nnothing of the kind',
    },
  });
  await app.settle();
  const after = await chunksOf(story);
  expect(after.map(({ tags }) => summary(tags))).toEqual([
    [],
    ['ravens ACCEPTED AUTO'],
    ['bread REJECTED AUTO'],
    ['ravens ACCEPTED MANUAL'],
  ]);

  const log = await app.core.database.query(
    'SELECT action, tag_name, decided_by, score IS NOT NULL AS "hasScore" FROM tag_decisions ORDER BY id',
  );
  expect(log).toEqual([
    { action: 'accept', tag_name: 'ravens', decided_by: 'ada', hasScore: true },
    { action: 'reject', tag_name: 'bread', decided_by: 'ada', hasScore: true },
    { action: 'add', tag_name: 'ravens', decided_by: 'ada', hasScore: true },
  ]);
  const counts = await app.core.database.query('SELECT name, usage_count FROM tag_concepts ORDER BY name');
  expect(counts).toEqual([
    { name: 'bread', usage_count: 0 },
    { name: 'ravens', usage_count: 2 },
  ]);
});

it('finds texts for a tag that comes later', async () => {
  const story = await createStory('a lighthouse keeper reads to the sea');
  await app.settle();
  await createTag({ name: 'lighthouses', description: 'a lighthouse keeper by the sea' });
  await app.settle();
  const [chunk] = await chunksOf(story);
  expect(summary(chunk?.tags ?? [])).toEqual(['lighthouses SUGGESTED AUTO']);
});
