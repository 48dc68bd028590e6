import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import { dataOf } from '../support/results';

const nested = graphql(`
  query Nested($first: Int!) {
    profiles(first: $first) {
      nodes {
        id
        name
        embeddings {
          embeddingType
          text
          status
          model {
            name
          }
        }
        skills {
          name
        }
        workExperiences {
          title
          embeddings {
            text
          }
        }
        matchingJobs(first: 5) {
          edges {
            score
            node {
              title
            }
            evidence {
              text
              score
              embedding {
                id
                vector
              }
            }
          }
        }
      }
    }
  }
`);

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  const { database } = app.core;
  const trades = ['baker', 'welder', 'sailor', 'teacher', 'printer', 'miller', 'mason', 'tailor'];
  for (let i = 0; i < 20; i++) {
    const trade = trades[i % trades.length];
    const [profile] = await database.query<{ id: number }>(
      `INSERT INTO profiles (name, headline, summary) VALUES ($1, $2, $3) RETURNING id`,
      [`person ${i}`, trade, `A ${trade} of ${i} years.`],
    );
    await database.query(`INSERT INTO skills (profile_id, name) VALUES ($1, $2), ($1, 'patience')`, [
      profile?.id,
      trade,
    ]);
    await database.query(
      `INSERT INTO work_experiences (profile_id, title, description) VALUES ($1, $2, 'years of it')`,
      [profile?.id, trade],
    );
  }
  for (let i = 0; i < 24; i++) {
    const trade = trades[i % trades.length];
    await database.query(`INSERT INTO job_descriptions (title, description) VALUES ($1, $2)`, [
      `${trade} wanted`,
      `We need a ${trade} in town ${i}.`,
    ]);
  }
  await app.settle();
  // What the relay asks while it waits is not the query's.
  await app.relay?.stop();
});

afterAll(() => app?.close());

const tableOf = (sql: string): string => /FROM\s+(\w+)/.exec(sql)?.[1] ?? sql;

describe('a query that nests four levels', () => {
  async function run(first: number) {
    const { result, trips } = await app.countRoundTrips(async () =>
      dataOf(await app.executeOperation(nested, { first })),
    );
    return {
      nodes: result.profiles.nodes,
      tables: trips.sql.map(tableOf).sort(),
      requests: trips.vector.map(({ method, path }) => `${method} ${path.replace(/t_[0-9a-f]{12}_/, '')}`).sort(),
    };
  }

  it('asks PostgreSQL once for each type and level, and Qdrant once for each level', async () => {
    const { nodes, tables, requests } = await run(20);
    expect(nodes).toHaveLength(20);
    for (const node of nodes) {
      expect(node.embeddings.length).toBeGreaterThanOrEqual(3);
      expect(node.embeddings[0]).toMatchObject({ status: 'INDEXED', model: { name: 'feature-hash' } });
      expect([node.skills.length, node.workExperiences.length, node.matchingJobs.edges.length]).toEqual([2, 1, 5]);
      for (const edge of node.matchingJobs.edges) {
        expect(edge.evidence[0]?.embedding.vector).toHaveLength(64);
        expect(edge.evidence[0]?.text).toContain(edge.node.title.split(' ')[0]);
      }
    }
    expect(tables).toEqual([
      'embedding_generations',
      'job_description_embeddings',
      'job_descriptions',
      'profile_embeddings',
      'profiles',
      'skills',
      'vector_points',
      'work_experience_embeddings',
      'work_experiences',
    ]);
    expect(requests).toEqual([
      'POST /collections/job_description__feature-hash__1/points',
      'POST /collections/job_description__feature-hash__1/points/query/batch',
    ]);
  });

  it('asks as often for 2 profiles as for 20', async () => {
    const [two, twenty] = [await run(2), await run(20)];
    expect(two.nodes).toHaveLength(2);
    expect([two.tables, two.requests]).toEqual([twenty.tables, twenty.requests]);
  });
});

describe('a field that costs a request', () => {
  async function requestsFor(query: string): Promise<{ sql: string[]; vector: string[] }> {
    const { trips } = await app.countRoundTrips(async () => dataOf(await app.executeOperation(query)));
    return {
      sql: trips.sql.map(tableOf).sort(),
      vector: trips.vector.map(({ path }) => path.split('/').slice(3).join('/')),
    };
  }

  it('is asked only when it is selected', async () => {
    const page = 'profiles(first: 20)';
    expect(await requestsFor(`{ ${page} { nodes { name } } }`)).toEqual({ sql: ['profiles'], vector: [] });
    expect(await requestsFor(`{ ${page} { totalCount nodes { name } } }`)).toEqual({
      sql: ['profiles', 'profiles'],
      vector: [],
    });
    expect(await requestsFor(`{ ${page} { nodes { embeddings { text } } } }`)).toEqual({
      sql: ['profile_embeddings', 'profiles'],
      vector: [],
    });
    expect(await requestsFor(`{ ${page} { nodes { embeddings { vector } } } }`)).toEqual({
      sql: ['profile_embeddings', 'profiles'],
      vector: ['points'],
    });
    expect((await requestsFor(`{ ${page} { nodes { indexing { state } } } }`)).sql).toHaveLength(2);
  });

  it('is shared by fields and aliases of one level, whatever their arguments', async () => {
    const both = await requestsFor(`{ profiles(first: 20) { nodes {
      matchingJobs(first: 5) { nodes { title } }
      few: matchingJobs(first: 2, minScore: 0.01) { nodes { title } }
      remote: matchingJobs(first: 3, filter: { isRemote: { eq: false } }) { nodes { title } }
    } } }`);
    expect(both.vector).toEqual(['points/query/batch']);
    expect(both.sql).toEqual(['job_descriptions', 'profile_embeddings', 'profiles']);
  });

  it('is asked once for each collection where a level needs two', async () => {
    const both = await requestsFor(`{ profiles(first: 20) { nodes {
      matchingJobs(first: 5) { nodes { title } }
      similarProfiles(first: 5) { nodes { name } }
    } } }`);
    expect(both.vector).toEqual(['points/query/batch', 'points/query/batch']);
    expect(both.sql).toEqual(['job_descriptions', 'profile_embeddings', 'profiles', 'profiles']);
  });

  it('is asked once a level when matches are nested in matches', async () => {
    const deep = await requestsFor(`{ profiles(first: 10) { nodes {
      matchingJobs(first: 3) { nodes { title similarJobs(first: 3) { nodes { title matchingProfiles(first: 2) { nodes { name } } } } } }
    } } }`);
    expect(deep.vector).toEqual(['points/query/batch', 'points/query/batch', 'points/query/batch']);
    expect(deep.sql.filter((table) => table === 'job_description_embeddings').length).toBeLessThanOrEqual(2);
    expect(deep.sql.filter((table) => table === 'job_descriptions')).toHaveLength(2);
  });

  it('is asked once for many tags: ancestors, children and passages', async () => {
    const { database } = app.core;
    const [root] = await database.query<{ id: number }>(`INSERT INTO tag_concepts (name) VALUES ('root') RETURNING id`);
    for (let i = 0; i < 5; i++) {
      await database.query(`INSERT INTO tag_concepts (name, parent_id) VALUES ($1, $2)`, [`leaf ${i}`, root?.id]);
    }
    const few = `{ parent { name } children { name } ancestors { name } descendants { name } storyChunks { totalCount nodes { text } } }`;
    const one = await requestsFor(`{ tags(first: 1) { nodes ${few} } }`);
    const all = await requestsFor(`{ tags(first: 6) { nodes ${few} } }`);
    expect(all.sql.length).toBeLessThanOrEqual(one.sql.length + 1);
  });
});
