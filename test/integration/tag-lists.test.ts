import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

/** A tag, one below it, and what carries them. */
let birds: string;
let ravens: string;
let chunks: string[];
let story: string;
let posts: string[];
let jobs: string[];

async function create(field: string, input: Record<string, unknown>): Promise<string> {
  const [type, key] = field === 'createJob' ? ['CreateJobInput', 'job'] : ['CreateContentInput', 'content'];
  const answer = await client.ask<Record<string, Record<string, { id: string }>>>(
    `mutation ($input: ${type}!) { ${field}(input: $input) { ${key} { id } } }`,
    { input },
  );
  return answer[field]?.[key]?.id ?? '';
}

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
  // Nothing by itself: what is here was put there.
  await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 1 }) { name } }');
  birds = await client.createTag({ name: 'birds' });
  ravens = await client.createTag({ name: 'ravens', parentId: birds });
  story = await client.createStory('one paragraph\n\nanother paragraph\n\nthe third of them');
  posts = [];
  jobs = [];
  for (let i = 0; i < 3; i++) {
    posts.push(await create('createContent', { contentType: 'post', contentId: `${i}`, content: `post number ${i}` }));
    jobs.push(await create('createJob', { title: `Job ${i}`, description: `work number ${i}` }));
  }
  await app.settle();
  chunks = await client.chunkIds(story);
  for (const targets of [chunks, posts, jobs]) {
    await client.decide('addTags', targets[0] ?? '', [birds]);
    await client.decide('addTags', targets[1] ?? '', [ravens]);
    await client.decide('rejectTags', targets[2] ?? '', [birds]);
  }
  await app.settle();
  await app.relay?.stop();
});

afterAll(async () => {
  await app.close();
});

interface Page {
  nodes: { id: string }[];
  totalCount: number;
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const PAGE = '{ nodes { id } totalCount pageInfo { hasNextPage endCursor } }';

describe.each([
  ['storyChunks', () => chunks],
  ['contentItems', () => posts],
  ['jobs', () => jobs],
])('the %s of a tag', (field, targets) => {
  async function list(tag: string, options = ''): Promise<Page> {
    const { tag: found } = await client.ask<{ tag: Record<string, Page> }>(
      `query ($id: ID!) { tag(id: $id) { ${field}${options} ${PAGE} } }`,
      { id: tag },
    );
    return found[field] as Page;
  }
  const ids = ({ nodes }: Page): string[] => nodes.map(({ id }) => id);

  it('are what carries it, and with `includeDescendants` what carries one below', async () => {
    expect(ids(await list(birds))).toEqual(targets().slice(0, 1));
    expect(ids(await list(ravens))).toEqual(targets().slice(1, 2));
    const deep = await list(birds, '(includeDescendants: true)');
    expect([ids(deep), deep.totalCount]).toEqual([targets().slice(0, 2), 2]);
    expect(ids(await list(birds, '(status: [REJECTED])'))).toEqual(targets().slice(2));
    expect(ids(await list(birds, '(status: [])'))).toEqual([]);
  });

  it('come in pages', async () => {
    const first = await list(birds, '(includeDescendants: true, first: 1)');
    expect([ids(first), first.pageInfo.hasNextPage]).toEqual([targets().slice(0, 1), true]);
    const second = await list(birds, `(includeDescendants: true, first: 1, after: "${first.pageInfo.endCursor}")`);
    expect([ids(second), second.pageInfo.hasNextPage]).toEqual([targets().slice(1, 2), false]);
    const foreign = await app.executeOperation(
      `query ($id: ID!, $after: String) { tag(id: $id) { ${field}(after: $after) { nodes { id } } } }`,
      { id: birds, after: first.pageInfo.endCursor },
    );
    expect(foreign.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('are read in one statement for all tags', async () => {
    const { trips } = await app.countRoundTrips(() =>
      client.ask(`{ tags { nodes { name ${field}(includeDescendants: true) ${PAGE} } } }`),
    );
    // Tags, the page of each, its count, and the things themselves.
    expect(trips.sql).toHaveLength(4);
  });
});

it('leaves out what is archived', async () => {
  const list = (): Promise<unknown> =>
    client.ask(
      'query ($id: ID!) { tag(id: $id) { storyChunks { totalCount nodes { id } } contentItems { totalCount } jobs { totalCount } } }',
      { id: birds },
    );
  const archive = (mutation: string, id: string | undefined): Promise<unknown> =>
    client.ask(`mutation ($id: ID!) { ${mutation}(id: $id) { syncToken } }`, { id });
  await archive('archiveStory', story);
  await archive('archiveContent', posts[0]);
  await archive('archiveJob', jobs[0]);
  expect(await list()).toEqual({
    tag: { storyChunks: { totalCount: 0, nodes: [] }, contentItems: { totalCount: 0 }, jobs: { totalCount: 0 } },
  });
  await archive('restoreStory', story);
  await archive('restoreContent', posts[0]);
  await archive('restoreJob', jobs[0]);
  await archive('archiveStoryChunk', chunks[0]);
  expect(await list()).toMatchObject({
    tag: { storyChunks: { totalCount: 0, nodes: [] }, contentItems: { totalCount: 1 }, jobs: { totalCount: 1 } },
  });
  await archive('restoreStoryChunk', chunks[0]);
});

describe('the decisions', () => {
  interface Decision {
    action: string;
    decidedBy: string;
    decidedAt: string;
    score: number | null;
    tagName: string;
    tag: { id: string } | null;
    model: { name: string } | null;
    target: { id: string } | null;
    record: { id: string } | null;
  }

  const DECISION = 'action decidedBy decidedAt score tagName tag { id } model { name } target { id } record { id }';

  it('about a tag are listed, the latest first, with who, when, what and from which score', async () => {
    const { tag } = await client.ask<{ tag: { decisions: { nodes: Decision[]; totalCount: number } } }>(
      `query ($id: ID!) { tag(id: $id) { decisions { totalCount nodes { ${DECISION} } } } }`,
      { id: birds },
    );
    expect(tag.decisions.totalCount).toBe(6);
    expect(tag.decisions.nodes.map(({ action, target }) => [action, target?.id])).toEqual([
      ['REJECT', jobs[2]],
      ['ADD', jobs[0]],
      ['REJECT', posts[2]],
      ['ADD', posts[0]],
      ['REJECT', chunks[2]],
      ['ADD', chunks[0]],
    ]);
    const [latest] = tag.decisions.nodes;
    expect(latest).toMatchObject({
      decidedBy: 'ada',
      tagName: 'birds',
      tag: { id: birds },
      model: { name: app.core.embedder.model.name },
      record: { id: jobs[2] },
      score: expect.any(Number),
    });
    expect(Date.now() - Date.parse(latest?.decidedAt ?? '')).toBeGreaterThanOrEqual(0);
    expect(tag.decisions.nodes[5]?.record).toEqual({ id: story });
  });

  it('come in pages, of the actions that are asked for', async () => {
    const page = async (after: string | null): Promise<{ nodes: Decision[] } & Page> => {
      const { tag } = await client.ask<{ tag: { decisions: { nodes: Decision[] } & Page } }>(
        `query ($id: ID!, $after: String) { tag(id: $id) { decisions(first: 2, after: $after, action: [REJECT]) {
           totalCount nodes { ${DECISION} } pageInfo { hasNextPage endCursor } } } }`,
        { id: birds, after },
      );
      return tag.decisions;
    };
    const first = await page(null);
    expect([first.totalCount, first.pageInfo.hasNextPage]).toEqual([3, true]);
    const second = await page(first.pageInfo.endCursor);
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect([...first.nodes, ...second.nodes].map(({ target }) => target?.id)).toEqual([jobs[2], posts[2], chunks[2]]);
    const wrong = await app.executeOperation(
      'query ($id: ID!) { tag(id: $id) { decisions(after: "x") { totalCount } } }',
      { id: birds },
    );
    expect(wrong.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('are those of a passage, a story, a content item and a job', async () => {
    const answer = await client.ask<Record<string, never>>(
      `query ($story: ID!) {
         story(id: $story) { tagDecisions { totalCount } chunks { nodes { tagDecisions { nodes { action tagName } } } } }
         contents { nodes { tagDecisions { nodes { action tagName } } } }
         jobs { nodes { tagDecisions { nodes { action tagName } } } }
       }`,
      { story },
    );
    const each = [
      { tagDecisions: { nodes: [{ action: 'ADD', tagName: 'birds' }] } },
      { tagDecisions: { nodes: [{ action: 'ADD', tagName: 'ravens' }] } },
      { tagDecisions: { nodes: [{ action: 'REJECT', tagName: 'birds' }] } },
    ];
    expect(answer).toEqual({
      story: { tagDecisions: { totalCount: 3 }, chunks: { nodes: each } },
      contents: { nodes: each },
      jobs: { nodes: each },
    });
  });

  it('are read in one statement for all chunks, with one more for each sort of thing they lead to', async () => {
    const { trips } = await app.countRoundTrips(() =>
      client.ask(
        `query ($id: ID!) { story(id: $id) { chunks { nodes { tagDecisions { totalCount nodes { ${DECISION} } } } } } }`,
        { id: story },
      ),
    );
    // Story, chunks, decisions, their count, tags, models and targets; the story is known already.
    expect(trips.sql).toHaveLength(7);
  });

  it('stay when the tag is gone', async () => {
    const gone = await client.createTag({ name: 'short lived' });
    await client.decide('addTags', chunks[1] ?? '', [gone]);
    await client.ask('mutation ($id: ID!) { deleteTag(id: $id) { deletedId } }', { id: gone });
    const { story: found } = await client.ask<{ story: { tagDecisions: { nodes: Decision[] } } }>(
      `query ($id: ID!) { story(id: $id) { tagDecisions(first: 1) { nodes { ${DECISION} } } } }`,
      { id: story },
    );
    expect(found.tagDecisions.nodes).toMatchObject([
      { action: 'ADD', tagName: 'short lived', tag: null, target: { id: chunks[1] } },
    ]);
  });
});
