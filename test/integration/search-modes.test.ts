import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import type { SearchInput } from '../support/generated/graphql';
import { dataOf } from '../support/results';

const searchJobs = graphql(`
  query SearchJobs($query: SearchInput!, $first: Int, $after: String, $filter: JobFilter) {
    searchJobs(query: $query, first: $first, after: $after, filter: $filter) {
      totalCount
      nodes {
        title
      }
      edges {
        score
        cursor
        node {
          id
          title
        }
        evidence(first: 5) {
          text
          score
          startOffset
          endOffset
          embedding {
            id
            embeddingType
            chunkIndex
          }
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

let app: TestApp;
const jobIds = new Map<string, string>();
const trades = ['baker', 'welder', 'sailor', 'teacher', 'printer', 'miller', 'mason', 'tailor'];
const places = ['Oslo', 'Bergen', 'Tromsø', 'Bodø', 'Molde', 'Hamar', 'Narvik', 'Alta', 'Moss', 'Vadsø'];
const globalId = (type: string, id: number | undefined): string => Buffer.from(`${type}:${id}`).toString('base64');
let welder: string;

beforeAll(async () => {
  app = await startApp();
  const { database } = app.core;
  for (const [t, trade] of trades.entries()) {
    for (const [p, place] of places.entries()) {
      const [row] = await database.query<{ id: number }>(
        `INSERT INTO job_descriptions (title, description, requirements, location, salary_min) VALUES ($1, $2, $3, $4, $5)
         RETURNING id`,
        [
          `${trade} in ${place}`,
          `A ${trade} is wanted near ${place}, number ${t * 31 + p * 7}.`,
          [`skill of ${trade}s`],
          place,
          t,
        ],
      );
      jobIds.set(`${trade} in ${place}`, globalId('JobDescription', row?.id));
    }
  }
  const [profile] = await database.query<{ id: number }>(
    `INSERT INTO profiles (name, headline, summary) VALUES ('Wilma', 'welder', 'A welder who would live in Bergen.') RETURNING id`,
  );
  welder = globalId('Profile', profile?.id);
  await app.settle();
});

afterAll(() => app?.close());

async function search(query: SearchInput, rest: { first?: number; after?: string | null; filter?: object } = {}) {
  return dataOf(await app.executeOperation(searchJobs, { query, ...rest })).searchJobs;
}

const titles = (found: { nodes: { title: string }[] }): string[] => found.nodes.map((node) => node.title);
const isDescending = (scores: number[]): boolean =>
  scores.every((score, i) => i === 0 || score <= (scores[i - 1] ?? 0));

describe('a search by text', () => {
  it.each(['SEMANTIC', 'LEXICAL', 'HYBRID'] as const)('in mode %s ranks what fits best first', async (mode) => {
    const found = await search({ text: 'welder near Bergen', mode }, { first: 20 });
    expect(titles(found)[0]).toBe('welder in Bergen');
    expect(found.edges).toHaveLength(20);
    expect(isDescending(found.edges.map((edge) => edge.score))).toBe(true);
    expect(found.totalCount).toBe(80);
    expect(found.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  it('in words finds only what has one of them', async () => {
    const found = await search({ text: 'the tailors of Narvik', mode: 'LEXICAL' }, { first: 100 });
    const expected = [...jobIds.keys()].filter((title) => /tailor|Narvik/.test(title));
    expect(titles(found).sort()).toEqual(expected.sort());
    expect(titles(await search({ text: 'zeppelin', mode: 'LEXICAL' }))).toEqual([]);
    expect(titles(await search({ text: 'the of and', mode: 'LEXICAL' }))).toEqual([]);
  });

  it('by meaning gives cosines, and by its vector the same', async () => {
    const text = 'teacher wanted';
    const byText = await search({ text, mode: 'SEMANTIC' });
    const [vector] = await app.core.embedder.embed([text], { purpose: 'query' });
    const byVector = await search({ vector: Array.from(vector ?? []) });
    expect(titles(byVector)).toEqual(titles(byText));
    for (const [i, edge] of byText.edges.entries()) {
      expect(edge.score).toBeGreaterThan(0);
      expect(edge.score).toBeLessThanOrEqual(1);
      expect(byVector.edges[i]?.score).toBeCloseTo(edge.score, 5);
    }
  });

  it('looks at the texts that are asked for', async () => {
    const found = await search(
      { text: 'skill of masons', embeddingTypes: ['REQUIREMENTS'], mode: 'SEMANTIC' },
      { first: 10 },
    );
    expect(titles(found).every((title) => title.startsWith('mason'))).toBe(true);
    for (const { evidence } of found.edges) {
      expect(evidence.map(({ embedding }) => embedding.embeddingType)).toEqual(['requirements']);
    }
    const both = await search({ text: 'skill of masons', embeddingTypes: ['requirements', 'keywords'] }, { first: 20 });
    const types = both.edges.flatMap((edge) => edge.evidence).map(({ embedding }) => embedding.embeddingType);
    expect(new Set(types)).toEqual(new Set(['requirements', 'keywords']));
  });

  it('takes only what scores above a bound', async () => {
    const query = { text: 'miller in Hamar', mode: 'SEMANTIC' } as const;
    const all = await search(query, { first: 100 });
    const bound = all.edges[9]?.score ?? 0;
    const above = all.edges.filter((edge) => edge.score > bound).map((edge) => edge.node.title);
    const found = titles(await search({ ...query, minScore: bound }, { first: 100 }));
    // The bound itself went through JSON and single precision.
    expect(found.slice(0, above.length)).toEqual(above);
    expect(found.length - above.length).toBeLessThanOrEqual(1);
    expect(titles(await search({ ...query, minScore: 1.01 }))).toEqual([]);
  });

  it('prefers hits unlike each other where asked to', async () => {
    const query = { text: 'welder', mode: 'SEMANTIC' } as const;
    const plain = titles(await search(query, { first: 8 }));
    expect(titles(await search({ ...query, diversity: 0 }, { first: 8 }))).toEqual(plain);
    const diverse = titles(await search({ ...query, diversity: 0.9 }, { first: 8 }));
    expect(diverse[0]).toBe(plain[0]);
    expect(new Set(diverse).size).toBe(8);
    const tradesOf = (list: string[]): number => new Set(list.map((title) => title.split(' ')[0])).size;
    expect(tradesOf(diverse)).toBeGreaterThan(tradesOf(plain));
  });
});

describe('a search near stored records', () => {
  it('does not find the record itself', async () => {
    const self = jobIds.get('sailor in Alta') ?? '';
    const found = await search({ nodeId: self }, { first: 100 });
    expect(found.edges).toHaveLength(79);
    expect(titles(found)).not.toContain('sailor in Alta');
    expect(titles(found)[0]).toMatch(/sailor|Alta/);
  });

  it('starts from a record of another kind, and from one embedding of it', async () => {
    expect(titles(await search({ nodeId: welder }))[0]).toBe('welder in Bergen');
    const result = await app.executeOperation<{ profile: { embeddings: { id: string }[] } }, object>(
      `query Rows($id: ID!) { profile(id: $id) { embeddings(types: [SUMMARY]) { id } } }`,
      { id: welder },
    );
    const [row] = dataOf(result).profile.embeddings;
    expect(titles(await search({ nodeId: row?.id }))[0]).toBe('welder in Bergen');
  });

  it('finds nothing near a record without text', async () => {
    const [empty] = await app.core.database.query<{ id: number }>(
      `INSERT INTO profiles (name) VALUES ('x') RETURNING id`,
    );
    await app.settle();
    expect(titles(await search({ nodeId: globalId('Profile', empty?.id) }))).toEqual([]);
  });

  it.each(['AVERAGE_VECTOR', 'BEST_SCORE', 'SUM_SCORES'] as const)(
    'finds what is like some and unlike others: %s',
    async (strategy) => {
      const id = (title: string): string => jobIds.get(title) ?? '';
      const positive = [id('baker in Oslo'), id('baker in Moss')];
      const negative = [id('baker in Bergen')];
      const found = titles(await search({ examples: { positive, strategy } }, { first: 100 }));
      expect(found).toHaveLength(78);
      expect(found[0]).toMatch(/^baker/);
      const without = titles(await search({ examples: { positive, negative, strategy } }, { first: 100 }));
      expect(without).toHaveLength(77);
      expect(without).not.toContain('baker in Bergen');
      const rank = (list: string[], pattern: RegExp): number => {
        const ranks = list.flatMap((title, i) => (pattern.test(title) ? [i] : []));
        return ranks.reduce((sum, i) => sum + i, 0) / ranks.length;
      };
      expect(rank(without, /Bergen/)).toBeGreaterThan(rank(found, /Bergen/) - 1e-9);
    },
  );
});

describe('pages of a search', () => {
  const queries: Record<string, SearchInput> = {
    semantic: { text: 'teacher near Molde', mode: 'SEMANTIC' },
    lexical: { text: 'teacher mason wanted near Molde', mode: 'LEXICAL' },
    hybrid: { text: 'teacher near Molde', mode: 'HYBRID' },
  };

  it.each(Object.entries(queries))('are one ranking without repeats: %s', async (_, query) => {
    const whole = await search(query, { first: 100 });
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const page: Awaited<ReturnType<typeof search>> = await search(query, { first: 7, after });
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...titles(page));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor ?? null;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.sort()).toEqual(titles(whole).sort());
  });

  it('belong to one search', async () => {
    const { pageInfo } = await search({ text: 'teacher' }, { first: 1 });
    const others = [
      { query: { text: 'mason' } },
      { query: { text: 'teacher', mode: 'LEXICAL' } },
      { query: { text: 'teacher' }, filter: { isRemote: { eq: false } } },
    ];
    for (const other of others) {
      const result = await app.executeOperation(searchJobs, { ...other, after: pageInfo.endCursor } as never);
      expect(result.errors?.[0]?.extensions?.code).toBe('INVALID_CURSOR');
    }
  });
});

describe('a record of many chunks', () => {
  it('is one hit, with its best chunks as evidence', async () => {
    const parts = ['apples', 'pears', 'plums', 'cherries', 'quinces'].map((fruit) =>
      Array.from({ length: 40 }, (_, i) => `We grow ${fruit} in orchard ${i}.`).join(' '),
    );
    const [row] = await app.core.database.query<{ id: number }>(
      `INSERT INTO job_descriptions (title, description) VALUES ('gardener', $1) RETURNING id`,
      [parts.join('\n\n')],
    );
    await app.settle();
    const found = await search({ text: 'plums', mode: 'LEXICAL' });
    expect(titles(found)).toEqual(['gardener']);
    const [edge] = found.edges;
    expect(edge?.node.id).toBe(globalId('JobDescription', row?.id));
    expect(edge?.evidence.length).toBeGreaterThanOrEqual(1);
    expect(edge?.evidence[0]?.score).toBe(edge?.score);
    expect(edge?.evidence[0]?.text).toContain('plums');
    expect(isDescending(edge?.evidence.map(({ score }) => score) ?? [])).toBe(true);
    const rows = new Set(edge?.evidence.map(({ embedding }) => embedding.id));
    expect(rows.size).toBe(edge?.evidence.length);
    const near = await search({ text: 'orchard', mode: 'SEMANTIC' }, { first: 1 });
    expect(near.edges[0]?.evidence.length).toBeGreaterThan(1);
    for (const { text, startOffset, endOffset } of near.edges[0]?.evidence ?? []) {
      expect((endOffset ?? 0) - (startOffset ?? 0)).toBe(text.length);
    }
    await app.core.database.query(`DELETE FROM job_descriptions WHERE title = 'gardener'`);
    await app.settle();
  });
});

describe('fields of a record that search', () => {
  it('find matching jobs, matching people and what is similar', async () => {
    const result = await app.executeOperation<
      Record<string, Record<string, { nodes: { title?: string; name?: string }[] }>>,
      object
    >(
      `query Matches($profile: ID!, $job: ID!) {
        profile(id: $profile) {
          matchingJobs(first: 3, filter: { location: { in: ["Oslo", "Alta"] } }) { nodes { title location } }
          similarProfiles { nodes { name } }
        }
        job(id: $job) {
          matchingProfiles { nodes { name } }
          similarJobs(first: 2) { nodes { title } }
        }
      }`,
      { profile: welder, job: jobIds.get('welder in Oslo') },
    );
    const { profile, job } = dataOf(result);
    expect(
      profile?.matchingJobs?.nodes
        .map((node) => node.title)
        .slice(0, 2)
        .sort(),
    ).toEqual(['welder in Alta', 'welder in Oslo']);
    expect(profile?.similarProfiles?.nodes).toEqual([]);
    expect(job?.matchingProfiles?.nodes.map((node) => node.name)).toEqual(['Wilma']);
    expect(job?.similarJobs?.nodes.every((node) => /welder/.test(node.title ?? ''))).toBe(true);
  });

  it('count once for all records of a level', async () => {
    const { trips } = await app.countRoundTrips(async () =>
      dataOf(
        await app.executeOperation(
          `{ jobs(first: 30) { nodes { similarJobs(first: 2) { totalCount nodes { id } } } } }`,
        ),
      ),
    );
    expect(trips.sql.filter((sql) => /count\(\*\)::int AS count FROM job_descriptions/.test(sql))).toHaveLength(1);
  });
});

describe('a search across kinds', () => {
  const across = graphql(`
    query Across($kinds: [EmbeddableKind!], $first: Int, $after: String) {
      search(query: { text: "welder near Bergen" }, kinds: $kinds, first: $first, after: $after) {
        totalCount
        nodes {
          __typename
        }
        edges {
          score
          evidence {
            text
          }
          node {
            id
            ... on Profile {
              name
            }
            ... on JobDescription {
              title
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `);

  it('is one ranking of all', async () => {
    const { search: found } = dataOf(await app.executeOperation(across, { first: 10 }));
    expect(isDescending(found.edges.map((edge) => edge.score))).toBe(true);
    const kinds = new Set(found.edges.map((edge) => ('title' in edge.node ? 'job' : 'profile')));
    expect(kinds).toEqual(new Set(['job', 'profile']));
    expect(found.edges.every((edge) => edge.evidence[0]?.text !== '')).toBe(true);
  });

  it('keeps to the kinds that are asked for, page by page', async () => {
    const ids: string[] = [];
    for (let after: string | null | undefined; ids.length < 30;) {
      const result = await app.executeOperation(across, { kinds: ['JOB_DESCRIPTION'], first: 10, after });
      const { search: page } = dataOf(result);
      ids.push(...page.edges.map((edge) => edge.node.id));
      after = page.pageInfo.endCursor;
    }
    expect(new Set(ids).size).toBe(30);
    expect(ids.every((id) => Buffer.from(id, 'base64').toString().startsWith('JobDescription:'))).toBe(true);
  });
});

describe('stories', () => {
  it('are found whole and passage by passage', async () => {
    const [row] = await app.core.database.query<{ id: number }>(
      `INSERT INTO stories (title, content) VALUES ('The raven', $1) RETURNING id`,
      ['A raven found a cheese.\n\nA fox praised the singing of ravens.\n\nThe cheese fell into the grass.'],
    );
    await app.settle();
    const result = await app.executeOperation<
      Record<string, { totalCount: number; nodes: Record<string, unknown>[]; edges: Record<string, unknown>[] }>,
      object
    >(
      `query Stories($id: ID!) {
        searchStories(query: { text: "praise the singing fox" }) { nodes { title chunks { totalCount nodes { paragraphIndex } } } }
        searchStoryChunks(query: { text: "praise the singing fox", mode: LEXICAL }, filter: { storyIds: [$id] }) {
          totalCount
          nodes { text paragraphIndex startOffset endOffset story { title } similarChunks { nodes { paragraphIndex } } }
        }
      }`,
      { id: globalId('Story', row?.id) },
    );
    const { searchStories, searchStoryChunks } = dataOf(result);
    expect(searchStories?.nodes).toEqual([
      {
        title: 'The raven',
        chunks: { totalCount: 3, nodes: [{ paragraphIndex: 0 }, { paragraphIndex: 1 }, { paragraphIndex: 2 }] },
      },
    ]);
    expect(searchStoryChunks?.totalCount).toBe(3);
    expect(searchStoryChunks?.nodes[0]).toMatchObject({
      text: 'A fox praised the singing of ravens.',
      paragraphIndex: 1,
      startOffset: 25,
      endOffset: 61,
      story: { title: 'The raven' },
    });
    const similar = searchStoryChunks?.nodes[0]?.similarChunks as { nodes: { paragraphIndex: number }[] };
    expect(similar.nodes.map((node) => node.paragraphIndex).sort()).toEqual([0, 2]);
  });
});
