import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { tagTree } from '../../src/features/tag/vocabulary/tag-usage';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { refusalOf } from '../support/results';
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
  await app.core.database.query(`UPDATE tag_schemes SET threshold = 0.4, max_tags = 5, implies_parents = false`);
  await app.core.database.query('DELETE FROM tag_categories');
  await app.settle();
});

afterAll(async () => {
  await app.close();
});

it('refuses names that differ from another name or alias only in case, white space or Unicode form', async () => {
  await client.createTag({ name: 'Café culture', aliases: ['coffee houses'] });
  for (const name of ['CAFE\u0301  culture', ' café culture', 'Coffee\u00a0Houses', 'ｃoffee houses']) {
    expect(await client.failure('createTag', { name })).toMatchObject({ code: 'CONFLICT', field: 'name' });
  }
  const other = await client.createTag({ name: 'tea' });
  expect(await client.failure('updateTag', { aliases: ['CAFÉ CULTURE'] }, other)).toMatchObject({ code: 'CONFLICT' });
  expect(await client.failure('createTag', { name: 'water', aliases: ['still', ' '] })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'input.aliases[1]',
  });
  const found = await client.ask(
    '{ a: tag(name: "coffee HOUSES") { name } b: tag(name: "cafe\u0301 culture") { name } }',
  );
  expect(found).toEqual({ a: { name: 'Café culture' }, b: { name: 'Café culture' } });
});

it.each([
  ['a NUL', 'rav\u0000ens', /NUL/],
  ['half of a surrogate pair', 'rav\ud83dens', /surrogate/],
  ['white space alone', ' \u00a0\n', /blank/],
  ['nothing that can be seen', '\u200b\u0007', /blank/],
  ['more than 200 characters', 'x'.repeat(201), /200/],
])('refuses a name or an alias with %s', async (_, text, says) => {
  for (const [field, input] of [
    ['input.name', { name: text }],
    ['input.aliases[0]', { name: 'ravens', aliases: [text] }],
  ] as const) {
    const refused = await app.executeOperation(
      'mutation ($input: CreateTagInput!) { createTag(input: $input) { syncToken } }',
      { input },
    );
    expect(refused.errors?.[0]).toMatchObject({
      message: expect.stringMatching(says),
      extensions: { code: 'BAD_INPUT', field },
    });
  }
});

it.each([
  ['a tag', 'mutation ($v: Float) { createTag(input: { name: "x", threshold: $v }) { syncToken } }'],
  ['a scheme', 'mutation ($v: Float) { saveTagScheme(name: "general", input: { threshold: $v }) { name } }'],
  ['a category', 'mutation ($v: Float) { setTagCategoryThreshold(scheme: "general", category: "x", threshold: $v) }'],
])('refuses thresholds of %s that are no cosine', async (_, mutation) => {
  for (const v of [1.01, -1.01, 42]) {
    const { errors } = await app.executeOperation(mutation, { v });
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('from -1 to 1'),
      extensions: { code: 'BAD_INPUT' },
    });
  }
});

it('refuses a tag of no scheme, a scheme in use to be deleted, and rules out of range', async () => {
  expect(await client.failure('createTag', { name: 'x', scheme: 'nowhere' })).toMatchObject({
    code: 'BAD_INPUT',
    field: 'scheme',
  });
  await client.createTag({ name: 'y' });
  const refused = await app.executeOperation('mutation { deleteTagScheme(name: "general") }');
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT' });
  const unknown = await app.executeOperation('mutation { deleteTagScheme(name: "nowhere") }');
  expect(unknown.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' });
  const places = await app.executeOperation(
    'mutation { saveTagScheme(name: "general", input: { maxTags: 0 }) { name } }',
  );
  expect(places.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', field: 'input.maxTags' });
});

it('follows thresholds of tags, categories and schemes, and withdraws what they no longer allow', async () => {
  const moon = await client.createTag({ name: 'moon', description: 'the moon over the harbour', category: 'sky' });
  const story = await client.createStory('the moon over the harbour was red');
  await app.settle();
  const names = async (): Promise<string[]> => (await client.tagsOf(story)).flat().map(({ tag }) => tag.name);
  expect(await names()).toEqual(['moon']);

  await client.ask('mutation { setTagCategoryThreshold(scheme: "general", category: "sky", threshold: 0.99) }');
  await app.settle();
  expect(await names()).toEqual([]);
  await client.updateTag(moon, { threshold: 0.3 });
  await app.settle();
  expect(await names()).toEqual(['moon']);
  await client.updateTag(moon, { threshold: null });
  await app.settle();
  expect(await names()).toEqual([]);
  await client.ask('mutation { setTagCategoryThreshold(scheme: "general", category: "sky", threshold: null) }');
  await app.settle();
  expect(await names()).toEqual(['moon']);
  await client.ask('mutation ($id: ID!) { archiveTag(id: $id) { syncToken } }', { id: moon });
  await app.settle();
  expect(await names()).toEqual([]);
  await client.ask('mutation ($id: ID!) { restoreTag(id: $id) { syncToken } }', { id: moon });
  await app.settle();
  expect(await names()).toEqual(['moon']);
});

it('keeps the best of a text, displaces the farthest, and fills a place that comes free', async () => {
  await client.ask('mutation { saveTagScheme(name: "general", input: { maxTags: 2, threshold: 0.1 }) { name } }');
  await client.createTag({ name: 'far', description: 'a boat on the river with lamps' });
  await client.createTag({ name: 'near', description: 'a boat on the river at night' });
  const story = await client.createStory('a boat on the river at night under stars');
  await app.settle();
  const names = async (): Promise<string[]> => (await client.tagsOf(story)).flat().map(({ tag }) => tag.name);
  expect(await names()).toEqual(['near', 'far']);
  const nearest = await client.createTag({ name: 'stars', description: 'a boat on the river at night under stars' });
  await app.settle();
  expect(await names()).toEqual(['stars', 'near']);
  await client.ask('mutation ($id: ID!) { deleteTag(id: $id) { deletedId } }', { id: nearest });
  await app.settle();
  expect(await names()).toEqual(['near', 'far']);
  const [[first] = []] = await client.tagsOf(story);
  const [chunk = ''] = await client.chunkIds(story);
  await client.decide('rejectTags', chunk, [first?.tag.id ?? '']);
  const third = await client.createTag({ name: 'third', description: 'a river of lamps' });
  await app.settle();
  expect(await names()).toEqual(['far', 'third']);
  expect(third).not.toBe('');
});

it('implies broader tags where the scheme says so, and follows moves and rejections', async () => {
  await client.ask('mutation { saveTagScheme(name: "general", input: { impliesParents: true }) { impliesParents } }');
  const root = await client.createTag({ name: 'zz root', description: 'qqq' });
  const middle = await client.createTag({ name: 'zz middle', description: 'www', parentId: root });
  const leaf = await client.createTag({ name: 'owls', description: 'owls in the barn', parentId: middle });
  const story = await client.createStory('owls in the barn');
  await app.settle();
  const names = async (): Promise<string[]> =>
    (await client.tagsOf(story))
      .flat()
      .map(({ tag, isImplied }) => `${tag.name}${isImplied ? ' implied' : ''}`)
      .sort();
  expect(await names()).toEqual(['owls', 'zz middle implied', 'zz root implied']);

  const [chunk = ''] = await client.chunkIds(story);
  await client.decide('rejectTags', chunk, [root]);
  await app.settle();
  expect(await names()).toEqual(['owls', 'zz middle implied']);

  await client.ask('mutation ($id: ID!) { moveTag(id: $id) { parent { name } } }', { id: leaf });
  await app.settle();
  expect(await names()).toEqual(['owls']);
  await client.ask('mutation ($id: ID!, $p: ID) { moveTag(id: $id, parentId: $p) { parent { name } } }', {
    id: leaf,
    p: middle,
  });
  await app.settle();
  expect(await names()).toEqual(['owls', 'zz middle implied']);

  await client.ask('mutation { saveTagScheme(name: "general", input: { impliesParents: false }) { name } }');
  await app.settle();
  expect(await names()).toEqual(['owls']);
});

it('refuses rings and merging a tag into one below it', async () => {
  const root = await client.createTag({ name: 'root' });
  const leaf = await client.createTag({ name: 'leaf', parentId: root });
  const move = await app.executeOperation('mutation ($id: ID!, $p: ID) { moveTag(id: $id, parentId: $p) { name } }', {
    id: root,
    p: leaf,
  });
  expect(move.errors?.[0]?.extensions).toMatchObject({ code: 'TAG_CYCLE' });
  const merge = async (s: string, t: string): Promise<unknown> => {
    const { errors } = await app.executeOperation(
      'mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { assignments } }',
      { s, t },
    );
    return errors?.[0]?.extensions?.code;
  };
  expect(await merge(root, leaf)).toBe('TAG_CYCLE');
  expect(await merge(root, root)).toBe('BAD_INPUT');
  expect(await merge(leaf, root)).toBeUndefined();
  expect(await merge(leaf, root)).toBe('NOT_FOUND');
});

it('merges two tags with all that they have', async () => {
  const source = await client.createTag({ name: 'corvids', description: 'crows and ravens', aliases: ['crows'] });
  const target = await client.createTag({ name: 'ravens', description: 'ravens and crows' });
  const child = await client.createTag({ name: 'jackdaws', parentId: source });
  const story = await client.createStory('something else entirely\n\nanother thing altogether\n\nthe third');
  await app.settle();
  const [a = '', b = '', c = ''] = await client.chunkIds(story);
  await client.decide('addTags', a, [source]);
  await client.decide('rejectTags', b, [source]);
  await client.decide('addTags', c, [source, target]);

  const { mergeTags } = await client.ask<{ mergeTags: unknown }>(
    `mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) {
       assignments decisions children aliases tag { name aliases usageCount children { id } } } }`,
    { s: source, t: target },
  );
  expect(mergeTags).toEqual({
    assignments: 2,
    decisions: 3,
    children: 1,
    aliases: 2,
    tag: { name: 'ravens', aliases: ['corvids', 'crows'], usageCount: 2, children: [{ id: child }] },
  });
  await app.settle();
  const statuses = (await client.tagsOf(story, ['ACCEPTED', 'REJECTED'])).map((tags) =>
    tags.map(({ status }) => status),
  );
  expect(statuses).toEqual([['ACCEPTED'], ['REJECTED'], ['ACCEPTED']]);
  const log = await app.core.database.query<{ count: number }>('SELECT count(*)::int FROM tag_decisions');
  expect(log).toEqual([{ count: 4 }]);
});

it('counts usage exactly while many write at once', async () => {
  const tags = await Promise.all(Array.from({ length: 6 }, (_, i) => client.createTag({ name: `tag number ${i}` })));
  const story = await client.createStory(Array.from({ length: 12 }, (_, i) => `paragraph ${i} of twelve`).join('\n\n'));
  await app.settle();
  const chunks = await client.chunkIds(story);
  await Promise.all(
    chunks.flatMap((chunk, i) => [
      client.decide('addTags', chunk, tags.slice(i % 6)),
      client.decide('rejectTags', chunk, tags.slice(0, (i % 6) + 1)),
    ]),
  );
  await app.settle();
  const wrong = await app.core.database.query(
    `SELECT name FROM tag_concepts tag WHERE usage_count <> (
       SELECT count(*) FROM story_chunk_tags a WHERE a.tag_concept_id = tag.id AND a.status <> 'rejected')`,
  );
  expect(wrong).toEqual([]);
});

it('says that there is no scheme of a name, rather than that it has no tags', async () => {
  for (const operation of [
    '{ popularTags(scheme: "nowhere") { count } }',
    '{ tagHygiene(scheme: "nowhere") { unused { totalCount } } }',
    'mutation { retag(scheme: "nowhere") { queued } }',
  ]) {
    expect(refusalOf(await app.executeOperation(operation))).toMatchObject({ code: 'NOT_FOUND', field: 'scheme' });
  }
});

it('shows what is below a tag of another scheme in the tree of its own', async () => {
  await client.ask('mutation { saveTagScheme(name: "elsewhere", input: {}) { name } }');
  const top = await client.createTag({ name: 'two schemes top', scheme: 'elsewhere' });
  await client.createTag({ name: 'two schemes low', parentId: top });
  const names = async (scheme?: string) => (await tagTree(app.core.database, scheme)).map(({ name }) => name);
  expect(await names('elsewhere')).toEqual(['two schemes top']);
  expect(await names('general')).toEqual(['two schemes low']);
  expect(await names()).toEqual(['two schemes top', 'two schemes low']);
});

it('shows what is below an archived tag as a root until that is restored', async () => {
  const top = await client.createTag({ name: 'arch top' });
  const middle = await client.createTag({ name: 'arch middle', parentId: top });
  await client.createTag({ name: 'arch low', parentId: middle });
  const tree = async () =>
    (await tagTree(app.core.database))
      .filter(({ name }) => name.startsWith('arch '))
      .map(({ name, depth }) => [name, depth]);
  await client.ask('mutation ($id: ID!) { archiveTag(id: $id) { tag { id } } }', { id: middle });
  expect(await tree()).toEqual([
    ['arch low', 0],
    ['arch top', 0],
  ]);
  await client.ask('mutation ($id: ID!) { restoreTag(id: $id) { tag { id } } }', { id: middle });
  expect(await tree()).toEqual([
    ['arch top', 0],
    ['arch middle', 1],
    ['arch low', 2],
  ]);
});

it('lists popular tags of a window, and proposals for hygiene', async () => {
  const often = await client.createTag({ name: 'often', description: 'quite another matter' });
  await client.createTag({ name: 'never' });
  await client.createTag({ name: 'ofte', description: 'quite another matter' });
  const lonely = 'the kettle sings in the kitchen of the mill';
  const story = await client.createStory(`${lonely}\n\n${lonely} today\n\n${lonely} again\n\nxyz abc def`);
  await app.settle();
  const chunks = await client.chunkIds(story);
  await client.decide('addTags', chunks[3] ?? '', [often]);
  const answer = await client.ask<Record<string, never>>(
    `{ now: popularTags { count tag { name } }
       before: popularTags(since: "2001-01-01T00:00:00Z", until: "2001-02-01T00:00:00Z") { count }
       tagHygiene {
         nearDuplicates(minScore: 0.8) { pairs { tag { name } other { name } } compared remaining endCursor }
         unused { nodes { name } totalCount }
         tooBroad(minShare: 0.2) { tag { name } share }
         missing { clusters { size passages { text } } compared remaining }
       } }`,
  );
  expect(answer).toMatchObject({
    now: [{ count: 1, tag: { name: 'often' } }],
    before: [],
    tagHygiene: {
      nearDuplicates: {
        pairs: [{ tag: { name: 'often' }, other: { name: 'ofte' } }],
        compared: 3,
        remaining: 0,
        endCursor: null,
      },
      unused: { nodes: [{ name: 'never' }, { name: 'ofte' }], totalCount: 2 },
      tooBroad: [{ tag: { name: 'often' }, share: 0.25 }],
      missing: { clusters: [{ size: 3 }], compared: 3, remaining: 0 },
    },
  });
});
