import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
});

afterAll(async () => {
  await app.close();
});

const DEPTH = 8;

it('reads ancestors and descendants at any depth in one statement each', async () => {
  const chain: string[] = [];
  for (let i = 0; i < DEPTH; i++) chain.push(await client.createTag({ name: `level ${i}`, parentId: chain.at(-1) }));
  await app.settle();
  const { result, trips } = await app.countRoundTrips(() =>
    client.ask<{ tags: { nodes: { name: string; ancestors: { name: string }[]; descendants: { name: string }[] }[] } }>(
      '{ tags(orderBy: { field: NAME }) { nodes { name ancestors { name } descendants { name } } } }',
    ),
  );
  const levels = Array.from({ length: DEPTH }, (_, i) => ({ name: `level ${i}` }));
  for (const [i, tag] of result.tags.nodes.entries()) {
    expect(tag.ancestors).toEqual(levels.slice(0, i).reverse());
    expect(tag.descendants).toEqual(levels.slice(i + 1));
  }
  expect(trips.sql.filter((sql) => sql.includes('RECURSIVE'))).toHaveLength(2);
});

it('finds tags like a tag', async () => {
  const boats = await client.createTag({ name: 'boats', description: 'sailing boats harbour' });
  const ships = await client.createTag({ name: 'ships', description: 'sailing boats harbour ships' });
  await app.settle();
  const { tag } = await client.ask<{ tag: { similarTags: { edges: { score: number; node: { id: string } }[] } } }>(
    'query ($id: ID!) { tag(id: $id) { similarTags(first: 1) { edges { score node { id } } } } }',
    { id: boats },
  );
  expect(tag.similarTags.edges).toEqual([{ score: expect.any(Number), node: { id: ships } }]);
});

describe('a tag in use', () => {
  let story: string;
  let chunks: string[];
  let tag: string;
  let other: string;

  beforeAll(async () => {
    await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 1 }) { name } }');
    tag = await client.createTag({ name: 'often used' });
    other = await client.createTag({ name: 'used once' });
    story = await client.createStory('one paragraph\n\nanother paragraph\n\nthe third of them');
    await app.settle();
    chunks = await client.chunkIds(story);
  });

  it('knows when it was last put on something', async () => {
    const lastUsed = async (): Promise<string | null> =>
      (
        await client.ask<{ tag: { lastUsedAt: string | null } }>('query ($id: ID!) { tag(id: $id) { lastUsedAt } }', {
          id: tag,
        })
      ).tag.lastUsedAt;
    expect(await lastUsed()).toBeNull();
    await client.decide('addTags', chunks[0] ?? '', [tag]);
    const first = await lastUsed();
    expect(first).not.toBeNull();
    await client.decide('rejectTags', chunks[0] ?? '', [tag]);
    expect(await lastUsed()).toBe(first);
    await client.decide('addTags', chunks[1] ?? '', [tag]);
    expect(Date.parse((await lastUsed()) ?? '')).toBeGreaterThan(Date.parse(first ?? ''));
  });

  it('is in the profile of the story, most frequent first, without what is rejected or archived', async () => {
    await client.decide('addTags', chunks[2] ?? '', [tag, other]);
    const profile = async (): Promise<unknown> =>
      (
        await client.ask<{ story: { tags: unknown } }>(
          'query ($id: ID!) { story(id: $id) { tags { chunkCount tag { name } } } }',
          { id: story },
        )
      ).story.tags;
    expect(await profile()).toEqual([
      { chunkCount: 2, tag: { name: 'often used' } },
      { chunkCount: 1, tag: { name: 'used once' } },
    ]);
    await client.ask('mutation ($id: ID!) { archiveStoryChunk(id: $id) { syncToken } }', { id: chunks[2] });
    expect(await profile()).toEqual([{ chunkCount: 1, tag: { name: 'often used' } }]);
  });
});

it('follows an edited description in the background, both ways', async () => {
  await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 0.4 }) { name } }');
  const tag = await client.createTag({ name: 'zz', description: 'owls barns' });
  const story = await client.createStory('owls barns\n\nlamps rivers');
  await app.settle();
  const names = async (): Promise<string[][]> =>
    (await client.tagsOf(story)).map((tags) => tags.map(({ tag: { name } }) => name));
  expect(await names()).toEqual([['zz'], []]);
  await client.updateTag(tag, { description: 'lamps rivers' });
  await app.settle();
  expect(await names()).toEqual([[], ['zz']]);
});
