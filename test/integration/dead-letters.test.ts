import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import { toGlobalId } from '../../src/kernel/record/global-id';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { dataOf, refusalOf } from '../support/results';

interface Letters {
  deadLetters: {
    totalCount: number;
    nodes: {
      id: string;
      topic: string;
      kind: string;
      attempts: number;
      error: string;
      record: { id: string } | null;
    }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

const LIST = `query ($first: Int, $after: String, $kind: EmbeddableKind) {
  deadLetters(first: $first, after: $after, kind: $kind) {
    totalCount
    nodes { id topic kind attempts errorCode error capturedAt failedAt pointId record { id } }
    pageInfo { hasNextPage endCursor }
  }
}`;

describe('dead letters', () => {
  let app: TestApp;
  let isRefusing = true;
  const ids: string[] = [];

  beforeAll(async () => {
    app = await startApp({
      embedder: createDeterministicEmbedder({
        onEmbed: (texts) => {
          if (isRefusing && texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
        },
      }),
    });
    for (const name of ['poison one', 'harmless', 'poison two', 'poison three']) {
      const created = await app.executeOperation<{ createTag: { tag: { id: string } } }>(
        'mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }',
        { input: { name } },
      );
      ids.push(dataOf(created).createTag.tag.id);
      await app.settle();
    }
    await app.executeOperation(
      'mutation { createJob(input: { title: "poison brewer", description: "x", company: "y" }) { syncToken } }',
    );
    await app.settle();
  });
  afterAll(() => app.close());

  const list = async (variables: object = {}): Promise<Letters['deadLetters']> =>
    dataOf(await app.executeOperation<Letters>(LIST, variables as Record<string, unknown>)).deadLetters;
  const statesOf = async (id: string): Promise<string | undefined> => {
    const answer = await app.executeOperation<{ node: { indexing: { state: string } } }>(
      '{ node(id: "' + id + '") { ... on Embeddable { indexing { state } } } }',
    );
    return dataOf(answer).node.indexing.state;
  };

  it('are listed with their errors and records, the latest first, page by page', async () => {
    const all = await list();
    expect(all.totalCount).toBe(all.nodes.length);
    const tags = all.nodes.filter((node) => node.kind === 'TAG_CONCEPT');
    expect(tags.map((node) => node.record?.id)).toEqual([ids[3], ids[2], ids[0]]);
    expect(tags[0]).toMatchObject({ topic: 'POINT', attempts: 1, errorCode: 'MODEL_REJECTED', error: 'not that' });

    const seen: string[] = [];
    for (let after: string | null = null, hasNext = true; hasNext;) {
      const page: Letters['deadLetters'] = await list({ first: 2, after });
      seen.push(...page.nodes.map((node) => node.id));
      ({ endCursor: after, hasNextPage: hasNext } = page.pageInfo);
    }
    expect(seen).toEqual(all.nodes.map((node) => node.id));
    expect((await list({ kind: 'TAG_CONCEPT' })).totalCount).toBe(3);
  });

  it('are nodes', async () => {
    const [letter] = (await list({ first: 1 })).nodes;
    const answer = await app.executeOperation('query ($id: ID!) { node(id: $id) { __typename id } }', {
      id: letter?.id as string,
    });
    expect(dataOf(answer)).toEqual({ node: { __typename: 'DeadLetter', id: letter?.id } });
    const gone = await app.executeOperation('query ($id: ID!) { node(id: $id) { id } }', {
      id: toGlobalId('DeadLetter', Number.MAX_SAFE_INTEGER),
    });
    expect(dataOf(gone)).toEqual({ node: null });
  });

  it.each([
    [LIST],
    ['mutation { redriveDeadLetters { redriven } }'],
    [`mutation { redriveDeadLetter(id: "${toGlobalId('DeadLetter', 1)}") { redriven } }`],
    [`{ node(id: "${toGlobalId('DeadLetter', 1)}") { id } }`],
  ])('are for admins: %s', async (operation) => {
    expect(refusalOf(await app.executeOperation(operation, {}, { role: 'writer' })).code).toBe('FORBIDDEN');
  });

  it('are given up again, with all of their attempts, when nothing has been mended', async () => {
    const [letter] = (await list({ kind: 'TAG_CONCEPT', first: 1 })).nodes;
    const redrive = 'mutation ($id: ID!) { redriveDeadLetter(id: $id) { redriven } }';
    expect(dataOf(await app.executeOperation(redrive, { id: letter?.id as string }))).toEqual({
      redriveDeadLetter: { redriven: 1 },
    });
    await app.settle();
    const [again] = (await list({ kind: 'TAG_CONCEPT', first: 1 })).nodes;
    expect(again).toMatchObject({ id: letter?.id, attempts: 1 });
    expect(await statesOf(ids[3] as string)).toBe('FAILED');
  });

  it('are followed once they are tried again, one by one or by kind', async () => {
    isRefusing = false;
    const [letter] = (await list({ kind: 'TAG_CONCEPT', first: 1 })).nodes;
    const redrive = 'mutation ($id: ID!) { redriveDeadLetter(id: $id) { redriven } }';
    await app.executeOperation(redrive, { id: letter?.id as string });
    await app.settle();
    expect(await statesOf(ids[3] as string)).toBe('INDEXED');
    expect(await statesOf(ids[0] as string)).toBe('FAILED');
    expect(refusalOf(await app.executeOperation(redrive, { id: letter?.id as string })).code).toBe('NOT_FOUND');

    const byKind = await app.executeOperation('mutation { redriveDeadLetters(kind: TAG_CONCEPT) { redriven } }');
    expect(dataOf(byKind)).toEqual({ redriveDeadLetters: { redriven: 2 } });
    await app.settle();
    const rest = await list();
    expect(new Set(rest.nodes.map((node) => node.kind))).toEqual(new Set(['JOB_DESCRIPTION']));
    const all = await app.executeOperation('mutation { redriveDeadLetters { redriven } }');
    expect(dataOf(all)).toEqual({ redriveDeadLetters: { redriven: rest.totalCount } });
    await app.settle();
    expect((await list()).totalCount).toBe(0);
    expect((await app.core.services.consistency.check()).drift).toBe(0);
  });

  it('refuse a cursor of another list', async () => {
    expect(refusalOf(await app.executeOperation(LIST, { after: 'nonsense' })).code).toBe('INVALID_CURSOR');
    const forged = Buffer.from(JSON.stringify(['deadLetters', ['1e9', 1]])).toString('base64url');
    expect(refusalOf(await app.executeOperation(LIST, { after: forged })).code).toBe('INVALID_CURSOR');
  });
});
