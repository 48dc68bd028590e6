import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
});

afterEach(async () => {
  await app.core.database.query('DELETE FROM stories');
  await app.core.database.query('DELETE FROM tag_concepts');
  await app.core.database.query('DELETE FROM content_items');
  await app.core.database.query('DELETE FROM tag_decisions');
  await app.core.database.query(`DELETE FROM tag_schemes WHERE name = 'other'`);
  await app.settle();
});

afterAll(async () => {
  await app.close();
});

const TEXT = 'a river of lamps above the town';

const saveScheme = (name: string, input: Record<string, unknown>): Promise<unknown> =>
  client.ask(
    'mutation ($name: String!, $input: TagSchemeInput!) { saveTagScheme(name: $name, input: $input) { name } }',
    {
      name,
      input,
    },
  );

const createTag = (name: string, description: string, more: Record<string, unknown> = {}): Promise<string> =>
  client.createTag({ name, description, ...more });

async function namesOn(story: string): Promise<string[]> {
  await app.settle();
  const [tags = []] = await client.tagsOf(story);
  return tags.map(({ tag, status, isImplied }) => `${tag.name} ${isImplied ? 'implied ' : ''}${status}`).sort();
}

async function chunkOf(story: string): Promise<string> {
  await app.settle();
  return (await client.chunkIds(story))[0] ?? '';
}

describe('the places of a text', () => {
  /** One text with the two nearest of three tags. */
  async function prepare(): Promise<{ story: string; best: string; second: string; third: string }> {
    await saveScheme('general', { threshold: 0.1, maxTags: 2, impliesParents: false });
    const best = await createTag('one', TEXT);
    const second = await createTag('two', 'a river of lamps');
    const third = await createTag('three', 'lamps of another sort');
    const story = await client.createStory(TEXT);
    expect(await namesOn(story)).toEqual(['one SUGGESTED', 'two SUGGESTED']);
    return { story, best, second, third };
  }

  it('are taken by what a person adds: the farthest suggestion makes way', async () => {
    const { story, third } = await prepare();
    await client.decide('addTags', await chunkOf(story), [third]);
    expect(await namesOn(story)).toEqual(['one SUGGESTED', 'three ACCEPTED']);
  });

  it('are taken by what a person accepts after all', async () => {
    const { story, best } = await prepare();
    await client.decide('rejectTags', await chunkOf(story), [best]);
    expect(await namesOn(story)).toEqual(['three SUGGESTED', 'two SUGGESTED']);
    await client.decide('acceptTags', await chunkOf(story), [best]);
    expect(await namesOn(story)).toEqual(['one ACCEPTED', 'two SUGGESTED']);
  });

  it('are as many as the scheme says, also when it says fewer than before', async () => {
    const { story } = await prepare();
    await saveScheme('general', { maxTags: 1 });
    expect(await namesOn(story)).toEqual(['one SUGGESTED']);
  });

  it('are those of the scheme that a tag is in now', async () => {
    const { story, best } = await prepare();
    await saveScheme('other', { threshold: 0.1, maxTags: 1 });
    const far = await createTag('four', 'a town of lamps', { scheme: 'other' });
    expect(await namesOn(story)).toEqual(['four SUGGESTED', 'one SUGGESTED', 'two SUGGESTED']);
    await client.updateTag(best, { scheme: 'other' });
    expect(await namesOn(story)).toEqual(['one SUGGESTED', 'three SUGGESTED', 'two SUGGESTED']);
    expect(far).not.toBe('');
  });

  it('are those of the scheme of the tag that another is merged into', async () => {
    const { story, best } = await prepare();
    await saveScheme('other', { threshold: 0.1, maxTags: 1 });
    await createTag('four', 'a river of lamps above a village', { scheme: 'other' });
    const target = await createTag('five', 'zz', { scheme: 'other', threshold: 0.9 });
    await client.decide('acceptTags', await chunkOf(story), [best]);
    expect(await namesOn(story)).toEqual(['four SUGGESTED', 'one ACCEPTED', 'two SUGGESTED']);
    await client.ask('mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { assignments } }', {
      s: best,
      t: target,
    });
    expect(await namesOn(story)).toEqual(['five ACCEPTED', 'three SUGGESTED', 'two SUGGESTED']);
  });

  it('are free where a tag that was rejected is merged into a suggested one', async () => {
    const { story, best } = await prepare();
    const source = await createTag('zz source', 'qqq');
    await client.decide('rejectTags', await chunkOf(story), [source]);
    expect(await namesOn(story)).toEqual(['one SUGGESTED', 'two SUGGESTED']);
    await client.ask('mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { assignments } }', {
      s: source,
      t: best,
    });
    expect(await namesOn(story)).toEqual(['three SUGGESTED', 'two SUGGESTED']);
  });
});

describe('implied tags', () => {
  it('go with the tag that implied them, when that is deleted', async () => {
    await saveScheme('general', { threshold: 0.4, maxTags: 5, impliesParents: true });
    const root = await createTag('zz root', 'qqq');
    const leaf = await createTag('lamps', TEXT, { parentId: root });
    const story = await client.createStory(TEXT);
    expect(await namesOn(story)).toEqual(['lamps SUGGESTED', 'zz root implied SUGGESTED']);
    await client.ask('mutation ($id: ID!) { deleteTag(id: $id) { deletedId } }', { id: leaf });
    expect(await namesOn(story)).toEqual([]);
  });

  it('are suggested by themselves once what implied them goes elsewhere', async () => {
    await saveScheme('general', { threshold: 0.4, maxTags: 5, impliesParents: true });
    const broad = await createTag('zz broad', 'qqq');
    const leaf = await createTag('zz leaf', 'www', { parentId: broad });
    const story = await client.createStory(TEXT);
    await client.decide('addTags', await chunkOf(story), [leaf]);
    await client.updateTag(broad, { description: TEXT });
    expect(await namesOn(story)).toEqual(['zz broad implied ACCEPTED', 'zz leaf ACCEPTED']);
    await client.ask('mutation ($id: ID!) { moveTag(id: $id, parentId: null) { id } }', { id: leaf });
    expect(await namesOn(story)).toEqual(['zz broad SUGGESTED', 'zz leaf ACCEPTED']);
  });

  it('follow a tag of a scheme that implies none, between those of one that does', async () => {
    await saveScheme('general', { threshold: 0.4, maxTags: 5, impliesParents: false });
    await saveScheme('other', { threshold: 0.4, impliesParents: true });
    const root = await createTag('zz root', 'qqq');
    const middle = await createTag('zz middle', 'www');
    await createTag('lamps', TEXT, { scheme: 'other', parentId: middle });
    const story = await client.createStory(TEXT);
    const chunk = await chunkOf(story);
    await client.decide('addTags', chunk, [middle]);
    expect(await namesOn(story)).toEqual(['lamps SUGGESTED', 'zz middle ACCEPTED']);
    await client.ask('mutation ($id: ID!, $p: ID) { moveTag(id: $id, parentId: $p) { id } }', { id: middle, p: root });
    expect(await namesOn(story)).toEqual(['lamps SUGGESTED', 'zz middle ACCEPTED', 'zz root implied SUGGESTED']);
  });
});

describe('an implied tag that a person accepts', () => {
  const decisions = (): Promise<{ tag: string; action: string; score: number | null }[]> =>
    app.core.database.query('SELECT tag_name AS tag, action, score FROM tag_decisions ORDER BY id');

  /** One text with an accepted tag, which implies a broader one. */
  async function prepare(): Promise<{ story: string; root: string }> {
    await saveScheme('general', { threshold: 0.4, maxTags: 5, impliesParents: true });
    const root = await createTag('zz root', 'qqq');
    const leaf = await createTag('lamps', TEXT, { parentId: root });
    const story = await client.createStory(TEXT);
    await client.decide('acceptTags', await chunkOf(story), [leaf]);
    expect(await namesOn(story)).toEqual(['lamps ACCEPTED', 'zz root implied ACCEPTED']);
    return { story, root };
  }

  it.each(['acceptTags', 'addTags'])('is a decision like any other: %s', async (mutation) => {
    const { story, root } = await prepare();
    await client.decide(mutation, await chunkOf(story), [root]);
    expect(await namesOn(story)).toEqual(['lamps ACCEPTED', 'zz root ACCEPTED']);
    expect(await decisions()).toMatchObject([
      { tag: 'lamps', action: 'accept' },
      { tag: 'zz root', action: 'accept' },
    ]);
    const rewrite = (content: string): Promise<unknown> =>
      client.ask(
        'mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }',
        { id: story, input: { content } },
      );
    await rewrite('something else altogether');
    expect(await namesOn(story)).toEqual([]);
    await rewrite(TEXT);
    expect(await namesOn(story)).toEqual(['lamps ACCEPTED', 'zz root ACCEPTED']);
  });

  it('is not said to have been as near as the tag that implied it', async () => {
    const { story, root } = await prepare();
    await client.decide('acceptTags', await chunkOf(story), [root]);
    const [leafScore = 0, rootScore = 1] = (await decisions()).map(({ score }) => score ?? undefined);
    expect(leafScore).toBeGreaterThan(0.5);
    expect(rootScore).toBeLessThan(0.3);
  });
});

it('logs how near a text is as it reads now, not as it read when it was last decided on', async () => {
  await saveScheme('general', { threshold: 0.4, maxTags: 5, impliesParents: false });
  const lamps = await createTag('lamps', TEXT);
  const content = await client.ask<{ createContent: { content: { id: string } } }>(
    'mutation ($input: CreateContentInput!) { createContent(input: $input) { content { id } } }',
    { input: { contentType: 'thought', contentId: '1', content: TEXT } },
  );
  const { id } = content.createContent.content;
  await app.settle();
  await client.decide('acceptTags', id, [lamps]);
  await client.ask(
    'mutation ($id: ID!, $input: UpdateContentInput!) { updateContent(id: $id, input: $input) { syncToken } }',
    {
      id,
      input: { content: 'bread is baked at dawn' },
    },
  );
  await app.settle();
  await client.decide('removeTags', id, [lamps]);
  const rows = await app.core.database.query<{ action: string; score: number }>(
    'SELECT action, score FROM tag_decisions ORDER BY id',
  );
  expect(rows.map(({ action, score }) => [action, score > 0.4])).toEqual([
    ['accept', true],
    ['reject', false],
  ]);
});

it('merges tags of equal texts of a story by what holds of the target first', async () => {
  await saveScheme('general', { threshold: 0.99, maxTags: 5, impliesParents: false });
  const source = await createTag('zz source', 'qqq');
  const target = await createTag('zz target', 'www');
  const story = await client.createStory(`${TEXT}\n\n${TEXT}`);
  await app.settle();
  const [first = '', second = ''] = await client.chunkIds(story);
  await client.decide('rejectTags', first, [source]);
  await client.decide('addTags', second, [target]);
  await client.ask('mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { assignments } }', {
    s: source,
    t: target,
  });
  await client.ask(
    'mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }',
    {
      id: story,
      input: { content: `${TEXT}\n\n${TEXT}\n\n${TEXT}` },
    },
  );
  await app.settle();
  const tags = await client.tagsOf(story, ['SUGGESTED', 'ACCEPTED', 'REJECTED']);
  expect(tags.map((list) => list.map(({ status }) => status))).toEqual([['REJECTED'], ['ACCEPTED'], ['ACCEPTED']]);
});

it('merges tags however long others write suggestions', async () => {
  const source = await createTag('zz source', 'qqq');
  const target = await createTag('zz target', 'www');
  await app.settle();
  const { database } = app.core;
  let merged: Promise<unknown> | undefined;
  await database.transaction({}, async (tagging) => {
    await tagging.query(`SELECT pg_advisory_xact_lock_shared(hashtext('kindred_tagging'))`);
    let isOver = false;
    merged = client
      .ask('mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { aliases } }', {
        s: source,
        t: target,
      })
      .finally(() => (isOver = true));
    merged.catch(() => undefined);
    // Longer than those who write suggestions wait for others.
    await until(async () => {
      const waiting = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
           AND clock_timestamp() - query_start > interval '600 ms'`,
      );
      return isOver || waiting.length > 0;
    });
  });
  expect(await merged).toEqual({ mergeTags: { aliases: 1 } });
});
