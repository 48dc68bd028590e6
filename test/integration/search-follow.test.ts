import { afterEach, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import type { TestApp, TestAppOptions } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import { dataOf, refusalOf } from '../support/results';

const makeProfile = graphql(`
  mutation MakeProfile($input: CreateProfileInput!) {
    createProfile(input: $input) {
      syncToken
      profile {
        id
        indexing {
          state
          pending
          failed
        }
      }
    }
  }
`);
const changeProfile = graphql(`
  mutation ChangeProfile($id: ID!, $input: UpdateProfileInput!) {
    updateProfile(id: $id, input: $input) {
      syncToken
    }
  }
`);
const removeProfile = graphql(`
  mutation RemoveProfile($id: ID!) {
    deleteProfile(id: $id) {
      syncToken
    }
  }
`);
const findProfiles = graphql(`
  query FindProfiles($query: SearchInput!, $first: Int, $filter: ProfileFilter) {
    searchProfiles(query: $query, first: $first, filter: $filter) {
      nodes {
        name
        indexing {
          state
          pending
          indexed
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);
const findSkills = graphql(`
  query FindSkills($text: String!) {
    searchSkills(query: { text: $text }) {
      nodes {
        name
      }
    }
  }
`);

const apps: TestApp[] = [];
const embedded: string[] = [];

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  embedded.length = 0;
  const embedder = createDeterministicEmbedder({
    onEmbed: (texts, { purpose }) => void (purpose === 'document' && embedded.push(...texts)),
  });
  const app = await startApp({ embedder, ...options });
  apps.push(app);
  return app;
}

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function make(app: TestApp, input: object) {
  return dataOf(await app.executeOperation(makeProfile, { input } as never)).createProfile;
}

async function namesFound(app: TestApp, query: object, rest: object = {}): Promise<string[]> {
  const result = await app.executeOperation(findProfiles, { query, ...rest });
  return dataOf(result).searchProfiles.nodes.map((node) => node.name);
}

async function pointCounts(app: TestApp): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of app.core.registry.embeddable) {
    const count = await app.core.store.count(app.core.catalog.alias(kind));
    if (count > 0) counts[kind] = count;
  }
  return counts;
}

const sailor = {
  name: 'Sara',
  headline: 'Sailor',
  summary: 'Sails boats.',
  location: 'Bergen',
  skills: [{ name: 'Knots' }],
  workExperiences: [{ title: 'Mate', description: 'On a brig.', skillsUsed: ['Ropes'] }],
  projects: [{ name: 'Raft', technologies: ['Wood'] }],
  educations: [{ institution: 'Naval school' }],
};

describe('a search that waits for a write', () => {
  it('sees it', async () => {
    const app = await start();
    const { syncToken, profile } = await make(app, sailor);
    expect(profile.indexing).toMatchObject({ state: 'PENDING', failed: 0 });
    const query = { text: 'sailor', mode: 'LEXICAL', awaitSync: { token: syncToken } };
    const found = dataOf(await app.executeOperation(findProfiles, { query } as never)).searchProfiles.nodes;
    expect(found).toEqual([{ name: 'Sara', indexing: { state: 'INDEXED', pending: 0, indexed: 3 } }]);
    const changed = dataOf(
      await app.executeOperation(changeProfile, { id: profile.id, input: { headline: 'Pilot', summary: null } }),
    ).updateProfile;
    const waiting = { mode: 'LEXICAL', awaitSync: { token: changed.syncToken, timeoutMs: 20_000 } };
    expect(await namesFound(app, { text: 'pilot', ...waiting })).toEqual(['Sara']);
    expect(await namesFound(app, { text: 'sailor', ...waiting })).toEqual([]);
    const removed = dataOf(await app.executeOperation(removeProfile, { id: profile.id })).deleteProfile;
    expect(await namesFound(app, { text: 'pilot', awaitSync: { token: removed.syncToken } })).toEqual([]);
    await app.settle();
    expect(await pointCounts(app)).toEqual({});
  });

  it('may be a similarity of a record that was just written', async () => {
    const app = await start({ isRelaying: false });
    const { profile } = await make(app, sailor);
    await make(app, { ...sailor, name: 'Sven' });
    const { syncToken } = await make(app, { ...sailor, name: 'Siri' });
    const similar = `query ($id: ID!, $sync: AwaitSyncInput) { node(id: $id) { ... on Profile {
      similarProfiles(awaitSync: $sync) { nodes { name } } again: similarProfiles(first: 1, awaitSync: $sync) { nodes { name } }
      embeddings { status } } } }`;
    const ask = (sync: object) => app.executeOperation(similar, { id: profile.id, sync });
    const late = await ask({ token: syncToken, timeoutMs: 30 });
    expect(late.errors?.map((error) => error.extensions?.code)).toEqual(['SYNC_TIMEOUT']);
    const wrong = await ask({ token: 'nonsense' });
    expect(wrong.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', field: 'awaitSync.token' });
    const relay = app.core.createRelay();
    relay.start();
    try {
      // Everything written before is queued before it.
      const found = dataOf(await ask({ token: syncToken, timeoutMs: 20_000 })) as {
        node: { similarProfiles: { nodes: { name: string }[] }; again: { nodes: { name: string }[] } };
      };
      expect(found.node.similarProfiles.nodes.map(({ name }) => name)).toContain('Siri');
      expect(found.node.again.nodes).toHaveLength(1);
      await app.settle();
      const { trips } = await app.countRoundTrips(() => ask({ token: syncToken }));
      expect(trips.vector).toHaveLength(1);
    } finally {
      await relay.stop();
    }
  });

  it('gives up in time, says that it may be tried again, and finds it when it has come', async () => {
    const app = await start({ isRelaying: false });
    const { syncToken } = await make(app, sailor);
    const query = { text: 'sailor', awaitSync: { token: syncToken, timeoutMs: 30 } };
    const refusal = refusalOf(await app.executeOperation(findProfiles, { query }));
    expect(refusal).toMatchObject({ code: 'SYNC_TIMEOUT', extensions: { retryable: true, timeoutMs: 30 } });
    expect(await namesFound(app, { text: 'sailor' })).toEqual([]);
    const relay = app.core.createRelay();
    relay.start();
    try {
      expect(await namesFound(app, { text: 'sailor', awaitSync: { token: syncToken, timeoutMs: 20_000 } })).toEqual([
        'Sara',
      ]);
    } finally {
      await relay.stop();
    }
  });
});

describe('the points of a record', () => {
  const all = { profile: 3, work_experience: 3, project: 2, education: 1, skill: 1 };

  it.each<[string, (app: TestApp, id: string) => Promise<unknown>]>([
    ['GraphQL', async (app, id) => dataOf(await app.executeOperation(removeProfile, { id }))],
    ['plain SQL', (app) => app.core.database.query(`DELETE FROM profiles WHERE name = 'Sara'`)],
    ['TRUNCATE', (app) => app.core.database.query(`TRUNCATE profiles CASCADE`)],
  ])('go with it and with its children when it is deleted by %s', async (_, remove) => {
    const app = await start();
    const { profile } = await make(app, sailor);
    await app.core.database.query(`INSERT INTO job_descriptions (title, description) VALUES ('Cook', 'Cooks.')`);
    await app.settle();
    expect(await pointCounts(app)).toEqual({ ...all, job_description: 2 });
    await remove(app, profile.id);
    await app.settle();
    expect(await pointCounts(app)).toEqual({ job_description: 2 });
  });

  it('are embedded again only where their text changes', async () => {
    const app = await start();
    const { profile } = await make(app, sailor);
    await app.settle();
    expect(embedded.length).toBeGreaterThanOrEqual(9);
    embedded.length = 0;
    const write = async (input: object): Promise<void> => {
      dataOf(await app.executeOperation(changeProfile, { id: profile.id, input }));
      await app.settle();
    };
    await write({ headline: 'Sailor', summary: 'Sails boats.' });
    expect(embedded).toEqual([]);
    await write({ location: 'Oslo', name: 'Sara Moe' });
    expect(embedded).toEqual([]);
    const query = { text: 'sailor' };
    expect(await namesFound(app, query, { filter: { location: { eq: 'Oslo' } } })).toEqual(['Sara Moe']);
    expect(await namesFound(app, query, { filter: { location: { eq: 'Bergen' } } })).toEqual([]);
    await write({ summary: 'Sails ships.' });
    // The whole profile and its summary; not its skills, and nothing of its children.
    expect(embedded.sort()).toEqual([expect.stringContaining('Sails ships.'), expect.stringContaining('Sails ships.')]);
    embedded.length = 0;
    for (const verb of ['archive', 'restore']) {
      dataOf(
        await app.executeOperation(`mutation Turn($id: ID!) { ${verb}Profile(id: $id) { syncToken } }`, {
          id: profile.id,
        }),
      );
      await app.settle();
    }
    expect(embedded).toEqual([]);
  });

  it('are hidden while they or their owner are archived, before and after the vector server knows', async () => {
    const app = await start();
    const { profile } = await make(app, sailor);
    await app.settle();
    const skills = async (): Promise<string[]> =>
      dataOf(await app.executeOperation(findSkills, { text: 'knots' })).searchSkills.nodes.map((node) => node.name);
    const turn = async (verb: string): Promise<unknown> =>
      dataOf(
        await app.executeOperation(`mutation Turn($id: ID!) { ${verb}Profile(id: $id) { syncToken } }`, {
          id: profile.id,
        }),
      );
    expect([await skills(), await namesFound(app, { text: 'sailor' })]).toEqual([['Knots'], ['Sara']]);
    await turn('archive');
    expect([await skills(), await namesFound(app, { text: 'sailor' })]).toEqual([[], []]);
    await app.settle();
    expect([await skills(), await namesFound(app, { text: 'sailor' })]).toEqual([[], []]);
    expect(await namesFound(app, { text: 'sailor' }, { filter: { archived: 'ONLY' } })).toEqual(['Sara']);
    expect(await namesFound(app, { text: 'sailor' }, { filter: { archived: 'INCLUDE' } })).toEqual(['Sara']);
    await turn('restore');
    await app.settle();
    expect([await skills(), await namesFound(app, { text: 'sailor' })]).toEqual([['Knots'], ['Sara']]);
  });
});

describe('a page of hits', () => {
  it('is refilled when the rows of better hits are gone or archived', async () => {
    const app = await start();
    const { database } = app.core;
    for (let i = 0; i < 60; i++) {
      await database.query(`INSERT INTO profiles (name, headline) VALUES ($1, $2)`, [
        `p${String(i).padStart(2, '0')}`,
        i < 50 ? `sailor ${i}` : `sailor and tinker of the town ${i}`,
      ]);
    }
    await app.settle();
    await app.relay?.stop();
    await database.query(`DELETE FROM profiles WHERE name < 'p30'`);
    await database.query(`UPDATE profiles SET archived_at = now() WHERE name BETWEEN 'p30' AND 'p49'`);
    for (const mode of ['SEMANTIC', 'LEXICAL', 'HYBRID']) {
      const left = await namesFound(app, { text: 'sailor', mode }, { first: 10 });
      expect(left.sort()).toEqual(['p50', 'p51', 'p52', 'p53', 'p54', 'p55', 'p56', 'p57', 'p58', 'p59']);
      expect(await namesFound(app, { text: 'sailor', mode }, { first: 4 })).toHaveLength(4);
    }
  });

  it('of passages leaves out those whose row is gone, and neither repeats nor skips the others', async () => {
    const app = await start();
    const { database } = app.core;
    const paragraphs = Array.from({ length: 12 }, (_, i) => `The raven spoke ${'again and '.repeat(i)}once.`);
    await database.query(`INSERT INTO stories (title, content) VALUES ('Ravens', $1)`, [paragraphs.join('\n\n')]);
    await app.settle();
    await app.relay?.stop();
    await database.query(`DELETE FROM story_chunk_embeddings WHERE paragraph_index % 3 = 0`);
    await database.query(`UPDATE story_chunk_embeddings SET archived_at = now() WHERE paragraph_index = 1`);
    const passages = graphql(`
      query Passages($after: String) {
        searchStoryChunks(query: { text: "raven", mode: SEMANTIC }, first: 3, after: $after) {
          nodes {
            paragraphIndex
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    `);
    const seen: number[][] = [];
    for (let after: string | null | undefined; ;) {
      const { searchStoryChunks: page } = dataOf(await app.executeOperation(passages, { after }));
      seen.push(page.nodes.map((node) => node.paragraphIndex));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(seen.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(seen.flat().sort((a, b) => a - b)).toEqual([2, 4, 5, 7, 8, 10, 11]);
  });
});

describe('tags on passages', () => {
  it('are read from both ends, with their score, source and status', async () => {
    const app = await start();
    const { database } = app.core;
    await database.query(`INSERT INTO stories (title, content) VALUES ('Ravens', E'One raven.\n\nTwo ravens.')`);
    await app.settle();
    await database.query(
      `INSERT INTO tag_concepts (id, name, parent_id) VALUES (1, 'Birds', NULL), (2, 'Ravens', 1), (3, 'Cars', NULL)`,
    );
    await database.query(
      `INSERT INTO story_chunk_tags (story_chunk_id, tag_concept_id, score, source, status)
       SELECT id, 2, 0.5 + paragraph_index * 0.25, 'auto', 'suggested' FROM story_chunk_embeddings
       UNION ALL SELECT id, 3, NULL, 'manual', 'rejected' FROM story_chunk_embeddings WHERE paragraph_index = 0`,
    );
    const result = await app.executeOperation(`{
      stories { nodes {
        tags { chunkCount score tag { name } }
        rejected: tags(status: [REJECTED]) { tag { name } }
        chunks(first: 1) { nodes { tags { score source status tag { name usageCount } } } }
      } }
      birds: tag(name: "birds") { own: storyChunks { totalCount } deep: storyChunks(includeDescendants: true) { totalCount nodes { text } } }
      cars: tag(name: "cars") { usageCount storyChunks { totalCount } rejected: storyChunks(status: [REJECTED]) { totalCount } }
    }`);
    expect(dataOf(result)).toEqual({
      stories: {
        nodes: [
          {
            tags: [{ chunkCount: 2, score: 0.75, tag: { name: 'Ravens' } }],
            rejected: [{ tag: { name: 'Cars' } }],
            chunks: {
              nodes: [
                { tags: [{ score: 0.5, source: 'AUTO', status: 'SUGGESTED', tag: { name: 'Ravens', usageCount: 2 } }] },
              ],
            },
          },
        ],
      },
      birds: {
        own: { totalCount: 0 },
        deep: { totalCount: 2, nodes: [{ text: 'One raven.' }, { text: 'Two ravens.' }] },
      },
      cars: { usageCount: 0, storyChunks: { totalCount: 0 }, rejected: { totalCount: 1 } },
    });
  });
});
