import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Relay } from '../../src/kernel/outbox/relay';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { dataOf, refusalOf } from '../support/results';

let app: TestApp;
/** Takes the place of the app's own, once that has been stopped. */
let secondRelay: Relay | undefined;

beforeAll(async () => {
  app = await startApp();
});

afterAll(async () => {
  await secondRelay?.stop();
  await app?.close();
});

async function ask<T>(operation: string, variables: Record<string, unknown> = {}): Promise<T> {
  return dataOf(await app.executeOperation<T, Record<string, unknown>>(operation, variables));
}

async function createStory(input: Record<string, unknown>): Promise<string> {
  const { createStory: created } = await ask<{ createStory: { story: { id: string } } }>(
    'mutation ($input: CreateStoryInput!) { createStory(input: $input) { story { id } } }',
    { input: { title: 'Tale', ...input } },
  );
  await app.settle();
  return created.story.id;
}

interface Chunk {
  id: string;
  text: string;
  paragraphIndex: number;
}

async function chunksOf(story: string): Promise<Chunk[]> {
  const { story: found } = await ask<{ story: { chunks: { nodes: Chunk[] } } }>(
    'query ($story: ID!) { story(id: $story) { chunks(first: 200) { nodes { id text paragraphIndex } } } }',
    { story },
  );
  return found.chunks.nodes;
}

const refused = async (operation: string, variables: Record<string, unknown> = {}) =>
  refusalOf(await app.executeOperation(operation, variables));

describe('a story that is read', () => {
  it('has chunks in order, each with its neighbours, place, tokens and headings', async () => {
    const content = '## Dawn\n\nA hen 🐔 woke.\r\n\r\nA fox slept.\n\n## Dusk\n\n- a\n- b\n';
    const story = await createStory({ content, chunkingStrategy: 'MARKDOWN', chunkContext: 'HEADINGS' });
    const read = await ask<{ story: { chunkingStrategy: string; chunks: { nodes: Record<string, unknown>[] } } }>(
      `query ($story: ID!) {
        story(id: $story) {
          chunkingStrategy
          chunks {
            nodes {
              text startOffset endOffset tokenCount chapter headingPath contextLine
              both: neighbours { text }
              after: neighbours(before: 0, after: 2) { text }
            }
          }
        }
      }`,
      { story },
    );
    expect(read.story.chunkingStrategy).toBe('MARKDOWN');
    const nodes = read.story.chunks.nodes;
    const texts = ['## Dawn\n\nA hen 🐔 woke.', 'A fox slept.', '## Dusk\n\n- a\n- b'];
    expect(nodes.map((node) => node.text)).toEqual(texts);
    expect(nodes.map((node) => content.slice(node.startOffset as number, node.endOffset as number))).toEqual(texts);
    expect(nodes.map((node) => [node.chapter, node.headingPath, node.contextLine])).toEqual([
      ['Dawn', ['Dawn'], null],
      ['Dawn', ['Dawn'], 'Dawn'],
      ['Dusk', ['Dusk'], null],
    ]);
    for (const node of nodes) expect(node.tokenCount).toBeGreaterThan(0);
    expect(nodes.map((node) => (node.both as Chunk[]).map(({ text }) => text))).toEqual([
      [texts[1]],
      [texts[0], texts[2]],
      [texts[1]],
    ]);
    expect(nodes.map((node) => (node.after as Chunk[]).map(({ text }) => text))).toEqual([
      [texts[1], texts[2]],
      [texts[2]],
      [],
    ]);
  });

  it('gives the neighbours of all hits in one statement', async () => {
    await createStory({ content: Array.from({ length: 30 }, (_, i) => `Verse ${i} of the long song.`).join('\n\n') });
    const { trips } = await app.countRoundTrips(() =>
      ask('{ searchStoryChunks(query: { text: "verse of the song" }, first: 20) { nodes { neighbours { text } } } }'),
    );
    expect(trips.sql.filter((sql) => sql.includes('near."chunkIndex"'))).toHaveLength(1);
  });

  it('refuses to give more neighbours than twenty', async () => {
    expect(
      await refused('{ stories { nodes { chunks { nodes { neighbours(before: 21) { text } } } } } }'),
    ).toMatchObject({ code: 'BAD_INPUT', field: 'before' });
  });
});

describe('a search of stories', () => {
  it('groups passages to their story, the best one as evidence, and finds stories like one', async () => {
    const lighthouse = await createStory({
      title: 'The Lighthouse',
      collection: 'sea',
      content:
        'The lamp of the lighthouse burned all night.\n\nSoup was eaten.\n\nThe lighthouse keeper counted ships.',
    });
    const ships = await createStory({
      title: 'Ships',
      collection: 'sea',
      content: 'Ships passed the lighthouse keeper in the night.\n\nNobody spoke.',
    });
    await createStory({ title: 'Bread', collection: 'sea', content: 'Flour, water and salt.' });
    const found = await ask<{
      searchStories: { edges: { node: { title: string }; evidence: { text: string; startOffset: number }[] }[] };
      story: { similarStories: { edges: { node: { id: string }; score: number }[] } };
    }>(
      `query ($id: ID!) {
        searchStories(query: { text: "lamp of the lighthouse", mode: SEMANTIC }, filter: { collection: { eq: "sea" } }, first: 3) {
          edges { node { title } evidence(first: 2) { text startOffset } }
        }
        story(id: $id) { similarStories(first: 1, filter: { collection: { eq: "sea" } }) { edges { node { id } score } } }
      }`,
      { id: lighthouse },
    );
    const [best] = found.searchStories.edges;
    expect(found.searchStories.edges.map(({ node }) => node.title).sort()).toEqual([
      'Bread',
      'Ships',
      'The Lighthouse',
    ]);
    expect(best?.node.title).toBe('The Lighthouse');
    expect(best?.evidence[0]).toEqual({ text: 'The lamp of the lighthouse burned all night.', startOffset: 0 });
    expect(best?.evidence).toHaveLength(2);
    expect(found.story.similarStories.edges.map(({ node }) => node.id)).toEqual([ships]);
  });
});

describe('a chunk', () => {
  it('can be hidden from lists and searches, and brought back', async () => {
    const story = await createStory({ content: 'A zeppelin rose.\n\nIt rained.\n\nIt landed.' });
    const [zeppelin] = await chunksOf(story);
    const search = '{ searchStoryChunks(query: { text: "zeppelin", mode: LEXICAL }) { nodes { text } } }';
    const archive = `mutation ($id: ID!) { archiveStoryChunk(id: $id) { storyChunk { archivedAt updatedBy } syncToken } }`;
    const { archiveStoryChunk } = await ask<{
      archiveStoryChunk: { storyChunk: { archivedAt: unknown; updatedBy: string } };
    }>(archive, { id: zeppelin?.id });
    expect(archiveStoryChunk.storyChunk).toEqual({ archivedAt: expect.anything(), updatedBy: 'test' });
    await app.settle();
    expect(await ask(search)).toEqual({ searchStoryChunks: { nodes: [] } });
    expect((await chunksOf(story)).map(({ text }) => text)).toEqual(['It rained.', 'It landed.']);

    // An edit of the story neither shows it nor loses it.
    await ask('mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }', {
      id: story,
      input: { content: 'It began.\n\nA zeppelin rose.\n\nIt rained.' },
    });
    await app.settle();
    expect((await chunksOf(story)).map(({ text }) => text)).toEqual(['It began.', 'It rained.']);
    await ask('mutation ($id: ID!) { restoreStoryChunk(id: $id) { syncToken } }', { id: zeppelin?.id });
    await app.settle();
    expect(await chunksOf(story)).toMatchObject([{}, { id: zeppelin?.id, text: 'A zeppelin rose.' }, {}]);
    expect(await ask(search)).toEqual({ searchStoryChunks: { nodes: [{ text: 'A zeppelin rose.' }] } });
  });

  it('that does not exist cannot be hidden, nor a record that is none', async () => {
    const story = await createStory({ content: 'One.' });
    const archive = 'mutation ($id: ID!) { archiveStoryChunk(id: $id) { syncToken } }';
    expect(await refused(archive, { id: story })).toMatchObject({ code: 'INVALID_ID', field: 'id' });
    const gone = Buffer.from('StoryChunk:2147483647').toString('base64');
    expect(await refused(archive, { id: gone })).toMatchObject({ code: 'NOT_FOUND' });
    const reader = await app.executeOperation(archive, { id: gone }, { role: 'reader' });
    expect(refusalOf(reader)).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('chunking many stories again', () => {
  const RECHUNK = `mutation ($filter: StoryFilter!, $chunking: StoryChunkingInput) {
    rechunkStories(filter: $filter, chunking: $chunking) { stories changed syncToken }
  }`;
  const PROGRESS = `query ($filter: StoryFilter) {
    storyChunking(filter: $filter) { stories storiesWaiting storiesFailed chunks chunksWaiting chunksFailed }
  }`;
  const filter = { collection: { eq: 'fables' } };

  it('changes the settings of a collection and follows how far that is', async () => {
    for (const i of [1, 2, 3]) {
      await createStory({ collection: 'fables', content: `A crow came, ${i}.\n\nIt drank, ${i}.\n\nIt left, ${i}.` });
    }
    const other = await createStory({ content: 'Another.\n\nStory.' });
    expect(await ask(PROGRESS, { filter })).toEqual({
      storyChunking: {
        stories: 3,
        storiesWaiting: 0,
        storiesFailed: 0,
        chunks: 9,
        chunksWaiting: 0,
        chunksFailed: 0,
      },
    });
    await app.relay?.stop();
    const chunking = { chunkingStrategy: 'SENTENCE', chunkTokens: 64, chunkOverlap: 8 };
    const { rechunkStories: begun } = await ask<{ rechunkStories: { syncToken: string } }>(RECHUNK, {
      filter,
      chunking,
    });
    expect(begun).toEqual({ stories: 3, changed: 3, syncToken: expect.any(String) });
    expect(await ask(PROGRESS, { filter })).toMatchObject({ storyChunking: { stories: 3, storiesWaiting: 3 } });

    secondRelay = app.core.createRelay();
    secondRelay.start();
    await app.core.sync.awaitSync(begun.syncToken, 60_000);
    expect(await ask(PROGRESS, { filter })).toMatchObject({
      storyChunking: { stories: 3, storiesWaiting: 0, chunks: 3, chunksWaiting: 0 },
    });
    expect(await chunksOf(other)).toHaveLength(2);
    expect(await ask(RECHUNK, { filter, chunking })).toMatchObject({ rechunkStories: { stories: 3, changed: 0 } });
    expect(await ask(RECHUNK, { filter })).toMatchObject({ rechunkStories: { stories: 3, changed: 0 } });
    await app.settle();
  });

  it.each([
    [{ chunkingStrategy: 'PARAGRAPH', chunkOverlap: 10 }, 'chunking.chunkOverlap', /only chunks of SENTENCE and TOKEN/],
    [{ chunkingStrategy: 'TOKEN', chunkTokens: 64, chunkOverlap: 33 }, 'chunking.chunkOverlap', /at most 32/],
    [{ chunkingStrategy: 'TOKEN', chunkOverlap: -1 }, 'chunking.chunkOverlap', /negative/],
    [{ chunkingStrategy: 'TOKEN', chunkTokens: 8 }, 'chunking.chunkTokens', /from 32 to 8192/],
    [{ chunkingStrategy: 'TOKEN', chunkTokens: 9000 }, 'chunking.chunkTokens', /from 32 to 8192/],
  ])('refuses %j', async (chunking, field, says) => {
    const refusal = await refused(RECHUNK, { filter, chunking });
    expect(refusal).toMatchObject({ code: 'BAD_INPUT', field });
    expect(refusal.message).toMatch(says);
  });

  it('refuses a strategy that there is not, by name', async () => {
    const refusal = await refused(RECHUNK, { filter, chunking: { chunkingStrategy: 'VERSE' } });
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.message).toMatch(/VERSE.*chunking.*ChunkingStrategy/);
  });

  it('needs a writer', async () => {
    const asked = await app.executeOperation(RECHUNK, { filter }, { role: 'reader' });
    expect(refusalOf(asked)).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('the settings of one story', () => {
  it('are checked together with those it has', async () => {
    const story = await createStory({ content: 'One.', chunkingStrategy: 'TOKEN', chunkTokens: 64, chunkOverlap: 20 });
    const update =
      'mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }';
    for (const input of [{ chunkTokens: 32 }, { chunkingStrategy: 'MARKDOWN' }]) {
      expect(await refused(update, { id: story, input })).toMatchObject({
        code: 'BAD_INPUT',
        field: 'input.chunkOverlap',
      });
    }
    await ask(update, { id: story, input: { chunkingStrategy: 'MARKDOWN', chunkOverlap: 0 } });
  });

  it.each([
    ['content that is empty', { content: '' }, 'content'],
    ['content that is white space', { content: ' \n\n\t\u200b' }, 'content'],
    ['half of a surrogate pair', { content: 'A \ud83d story.' }, 'content'],
    ['a NUL', { content: 'A \u0000 story.' }, 'content'],
    ['more than five million characters', { content: 'x'.repeat(5_000_001) }, 'content'],
  ])('and its text: refuses %s', async (_, input, field) => {
    const create = 'mutation ($input: CreateStoryInput!) { createStory(input: $input) { syncToken } }';
    expect(await refused(create, { input: { title: 'Tale', ...input } })).toMatchObject({
      code: 'BAD_INPUT',
      field: `input.${field}`,
    });
  });
});

describe('stories and content that are put away', () => {
  const LISTS = `{
    stories(filter: { collection: { eq: "attic" } }) { nodes { title } }
    searchStories(query: { text: "attic chest", mode: LEXICAL }) { nodes { title } }
    searchStoryChunks(query: { text: "attic chest", mode: LEXICAL }) { nodes { text } }
    contents(filter: { contentType: { eq: "thought" } }) { nodes { contentId } }
    searchContents(query: { text: "attic chest", mode: LEXICAL }) { nodes { contentId } }
  }`;
  const shown = {
    stories: { nodes: [{ title: 'Attic' }] },
    searchStories: { nodes: [{ title: 'Attic' }] },
    searchStoryChunks: { nodes: [{ text: 'An attic chest.' }] },
    contents: { nodes: [{ contentId: '900' }] },
    searchContents: { nodes: [{ contentId: '900' }] },
  };
  const hidden = Object.fromEntries(Object.keys(shown).map((field) => [field, { nodes: [] }]));

  it('are hidden and brought back without being embedded, and go for good after their time', async () => {
    const story = await createStory({ title: 'Attic', collection: 'attic', content: 'An attic chest.' });
    const { createContent } = await ask<{ createContent: { content: { id: string } } }>(
      'mutation ($input: CreateContentInput!) { createContent(input: $input) { content { id } } }',
      { input: { contentType: 'thought', contentId: '900', content: 'An attic chest.' } },
    );
    await app.settle();
    expect(await ask(LISTS)).toEqual(shown);
    const both = (verb: string) =>
      `mutation ($story: ID!, $content: ID!) { ${verb}Story(id: $story) { story { archivedAt } } ${verb}Content(id: $content) { syncToken } }`;
    const ids = { story, content: createContent.content.id };
    await ask(both('archive'), ids);
    await app.settle();
    expect(await ask(LISTS)).toEqual(hidden);
    await ask(both('restore'), ids);
    await app.settle();
    expect(await ask(LISTS)).toEqual(shown);

    await ask(both('archive'), ids);
    await app.settle();
    await app.core.purge.run(60_000);
    expect(await ask(`query ($story: ID!) { story(id: $story) { title } }`, { story })).toEqual({
      story: { title: 'Attic' },
    });
    await app.core.purge.run(0);
    await app.settle();
    expect(await ask(`query ($story: ID!) { story(id: $story) { title } }`, { story })).toEqual({ story: null });
    const left = await app.core.database.query(
      `SELECT text FROM story_chunk_embeddings WHERE text LIKE '%attic%' UNION ALL
       SELECT text FROM content_embeddings WHERE text LIKE '%attic%'`,
    );
    expect(left).toEqual([]);
  });
});

describe('content by its natural key', () => {
  const uuid = '0b9f8a1e-6c1d-4f59-9b1a-3f5f2c7d8e90';
  const session = '6f1f64a2-5a34-4f0f-9d0c-0f9a7b1c2d3e';
  const BY_KEY = `query ($type: String!, $id: ID!) { byNaturalKey(contentType: $type, contentId: $id) { content contentId } }`;
  const CREATE = 'mutation ($input: CreateContentInput!) { createContent(input: $input) { content { contentId } } }';

  it('takes numbers and UUIDs in any spelling', async () => {
    await ask(CREATE, { input: { contentType: 'chat_message', contentId: '42', content: 'By number.' } });
    const written = await ask(CREATE, {
      input: { contentType: 'chat_message', contentId: uuid.toUpperCase(), content: 'By UUID.' },
    });
    expect(written).toEqual({ createContent: { content: { contentId: uuid } } });
    for (const id of [42, '42', ' 42 ']) {
      expect(await ask(BY_KEY, { type: 'chat_message', id })).toMatchObject({
        byNaturalKey: { content: 'By number.' },
      });
    }
    expect(await ask('{ byNaturalKey(contentType: "chat_message", contentId: 42) { content } }')).toEqual({
      byNaturalKey: { content: 'By number.' },
    });
    for (const id of [uuid, uuid.toUpperCase(), `{${uuid}}`, `urn:uuid:${uuid}`, uuid.replaceAll('-', '')]) {
      expect(await ask(BY_KEY, { type: 'chat_message', id })).toMatchObject({ byNaturalKey: { content: 'By UUID.' } });
    }
    expect(await ask(BY_KEY, { type: 'chat_message', id: 43 })).toEqual({ byNaturalKey: null });
  });

  it('leaves ids alone that are right as they are', async () => {
    const digest = uuid.replaceAll('-', '');
    for (const contentId of [digest, '007', 'Report_2.v1']) {
      await ask(CREATE, { input: { contentType: 'document', contentId, content: contentId } });
      expect(await ask(BY_KEY, { type: 'document', id: contentId })).toMatchObject({ byNaturalKey: { contentId } });
    }
    expect(await ask(BY_KEY, { type: 'document', id: 7 })).toEqual({ byNaturalKey: null });
  });

  it.each([
    ['email', '1', 'contentType', /'email' is no content type; there are audio, chat_message, document/],
    ['chat_message', 'hello', 'contentId', /'hello' is no id of a chat_message, which must match/],
    ['chat_message', '-1', 'contentId', /'-1' is no id/],
    ['thought', `${uuid}0`, 'contentId', /no id of a thought/],
    ['document', '', 'contentId', /'' is no id of a document/],
    ['document', 'a\u0000', 'contentId', /NUL/],
  ])('says what is wrong with %s %j', async (type, id, field, says) => {
    const refusal = await refused(BY_KEY, { type, id });
    expect(refusal).toMatchObject({ code: 'BAD_INPUT', field });
    expect(refusal.message).toMatch(says);
  });

  it('is not confused by a number that is none', async () => {
    expect((await refused(BY_KEY, { type: 'chat_message', id: 4.2 })).code).toBe('BAD_USER_INPUT');
  });

  it('filters by session and source, in lists and searches alike', async () => {
    for (const [contentId, sessionId, sourceType] of [
      ['100', session, 'Chat'],
      ['101', session, 'YouTube'],
      ['102', null, 'Chat'],
    ]) {
      await ask(CREATE, {
        input: {
          contentType: 'reflection',
          contentId,
          sessionId,
          sourceType,
          content: `A walk by the river ${contentId}`,
        },
      });
    }
    await app.settle();
    const both = `query ($filter: ContentFilter) {
      contents(filter: $filter) { nodes { contentId } }
      searchContents(query: { text: "river" }, filter: $filter) { nodes { contentId } }
    }`;
    const filters: [object, string[]][] = [
      [{ sessionId: { eq: session } }, ['100', '101']],
      [{ sessionId: { eq: session }, sourceType: { eq: 'Chat' } }, ['100']],
      [{ sourceType: { in: ['Chat', 'YouTube'] }, sessionId: { isNull: true } }, ['102']],
    ];
    for (const [chosen, expected] of filters) {
      const found = await ask<Record<string, { nodes: { contentId: string }[] }>>(both, { filter: chosen });
      for (const list of Object.values(found)) {
        expect(list.nodes.map(({ contentId }) => contentId).sort()).toEqual(expected);
      }
    }
  });
});
