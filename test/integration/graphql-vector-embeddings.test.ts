import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Copy } from '../../src/legacy/copy';
import { dataOf, refusalOf } from '../support/results';
import { DOCUMENT_TABLE, newPoints } from './legacy-support/document-table';
import { startLegacyApp, type LegacyApp } from './legacy-support/legacy-app';

interface Listed {
  vectorEmbeddings: {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
    nodes: { id: string; embeddingType: string; qdrantPointId: string; __typename: string }[];
  };
}

let legacy: LegacyApp;
const [point] = newPoints(1) as [string];

beforeAll(async () => {
  legacy = await startLegacyApp(DOCUMENT_TABLE);
  await legacy.collection.put([point]);
  await legacy.sql(
    `INSERT INTO vector_embeddings (id, entity_type, entity_id, qdrant_point_id, embedding_type) VALUES (41, 'profile', $1, $2, 'full_profile')`,
    [legacy.records.profile?.[0], point],
  );
  await legacy.app.settle();
  await new Copy(legacy.parts).run(legacy.settings());
  await legacy.app.settle();
});

afterAll(async () => {
  await legacy.close();
});

const LIST = `query ($entityType: EmbeddableKind, $entityId: ID, $types: [String!], $points: [ID!], $first: Int, $after: String, $last: Int, $before: String) {
  vectorEmbeddings(entityType: $entityType, entityId: $entityId, embeddingTypes: $types, qdrantPointIds: $points,
      first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { id embeddingType qdrantPointId __typename }
  }
}`;

async function list(variables: object): Promise<Listed['vectorEmbeddings']> {
  return dataOf(await legacy.app.executeOperation<Listed, object>(LIST, variables)).vectorEmbeddings;
}

describe('vectorEmbeddings', () => {
  it('pages through all kinds, forwards and backwards', async () => {
    const all = (await list({ first: 200 })).nodes;
    expect(new Set(all.map((node) => node.__typename)).size).toBeGreaterThan(5);
    const forwards: typeof all = [];
    let after: string | undefined;
    for (;;) {
      const page = await list({ first: 4, after });
      forwards.push(...page.nodes);
      expect(page.totalCount).toBe(all.length);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(forwards).toEqual(all);
    const backwards: typeof all = [];
    let before: string | undefined;
    for (;;) {
      const page = await list({ last: 4, before });
      backwards.unshift(...page.nodes);
      if (!page.pageInfo.hasPreviousPage) break;
      before = page.pageInfo.startCursor;
    }
    expect(backwards).toEqual(all);
  });

  it('lists those of one record, by number or global id, type or point', async () => {
    const profile = legacy.records.profile?.[0];
    const byNumber = await list({ entityType: 'PROFILE', entityId: String(profile) });
    expect(byNumber.nodes.map((node) => node.embeddingType).sort()).toEqual(
      expect.arrayContaining(['full_profile', 'skills', 'summary']),
    );
    const globalId = Buffer.from(`Profile:${profile}`).toString('base64');
    expect((await list({ entityId: globalId })).nodes).toEqual(byNumber.nodes);
    expect((await list({ entityId: globalId, types: ['summary'] })).totalCount).toBe(1);
    expect((await list({ points: [point] })).nodes).toMatchObject([{ qdrantPointId: point }]);
    const refusal = async (variables: object): Promise<unknown> =>
      refusalOf(await legacy.app.executeOperation<Listed, object>(LIST, variables));
    expect(await refusal({ entityId: '7' })).toMatchObject({ code: 'BAD_INPUT', field: 'entityType' });
    expect(await refusal({ points: ['x'] })).toMatchObject({ code: 'BAD_INPUT', field: 'qdrantPointIds' });
    expect(await refusal({ after: 'x' })).toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('takes two statements, whatever the page', async () => {
    const query = '{ vectorEmbeddings(entityType: PROFILE, first: 50) { nodes { id } } }';
    const { trips } = await legacy.app.countRoundTrips(() => legacy.app.executeOperation(query));
    // The relay looks for work meanwhile.
    expect(trips.sql.filter((sql) => sql.includes('profile_embeddings'))).toHaveLength(2);
  });
});

describe('lineage', () => {
  it('says where an embedding comes from', async () => {
    const query = `query ($id: ID!) { vectorEmbeddings(qdrantPointIds: [$id]) { nodes { lineage {
      parent { __typename id } model { name } contentHash revision indexedRevision adoptedFrom migratedFrom { table key } } } } }`;
    const { vectorEmbeddings } = dataOf(
      await legacy.app.executeOperation<
        { vectorEmbeddings: { nodes: { lineage: Record<string, unknown> }[] } },
        object
      >(query, { id: point }),
    );
    const [{ lineage } = { lineage: {} }] = vectorEmbeddings.nodes;
    expect(lineage).toMatchObject({
      parent: { __typename: 'Profile' },
      model: { name: legacy.app.core.embedder.model.name },
      adoptedFrom: legacy.collection.name,
      migratedFrom: { table: 'public.vector_embeddings', key: '41' },
    });
    expect(lineage.indexedRevision).toBe(lineage.revision);
  });

  it('is a field of every record’s embeddings', async () => {
    const query =
      '{ jobs { nodes { embeddings { contentHash lineage { contentHash adoptedFrom migratedFrom { key } } } } } }';
    const { jobs } = dataOf(
      await legacy.app.executeOperation<{
        jobs: { nodes: { embeddings: { contentHash: string; lineage: object }[] }[] };
      }>(query),
    );
    const rows = jobs.nodes.flatMap((job) => job.embeddings);
    expect(rows.length).toBeGreaterThan(0);
    for (const { contentHash, lineage } of rows)
      expect(lineage).toEqual({ contentHash, adoptedFrom: null, migratedFrom: null });
  });
});
