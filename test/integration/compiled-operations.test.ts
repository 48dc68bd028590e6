import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApolloServer } from '@apollo/server';
import { getIntrospectionQuery, type GraphQLFormattedError } from 'graphql';
import pino from 'pino';

import { buildKindredSchema } from '../../src/app/schema';
import { demoRecords } from '../../src/demo/demo-records';
import { createGraphQLServer } from '../../src/http/graphql-server';
import { ImportWriter } from '../../src/import/import-writer';
import type { GraphQLContext } from '../../src/kernel/graphql/context';
import { createErrorFormatter } from '../../src/kernel/graphql/format-error';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';

interface Case {
  name: string;
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

const LIMITS = {
  maxDepth: 20,
  maxAliases: 100,
  maxFields: 2000,
  maxCost: 1_000_000,
  maxTokens: 10_000,
  defaultPageSize: 20,
  maxPageSize: 200,
};
/** More often than it takes until a query is compiled. */
const RUNS = 5;

let app: TestApp;
let compiling: ApolloServer<GraphQLContext>;
let profileId = '';
let jobId = '';
let storyId = '';

beforeAll(async () => {
  app = await startApp();
  const writer = new ImportWriter(app.core.database, app.core.registry);
  for (const list of demoRecords()) await writer.write(list);
  await app.settle();
  const schema = buildKindredSchema();
  compiling = createGraphQLServer<GraphQLContext>({
    schema,
    isJitEnabled: true,
    limits: LIMITS,
    logger: pino({ level: 'silent' }),
    formatError: createErrorFormatter(() => undefined),
  });
  await compiling.start();
  const first = await app.executeOperation<Record<string, { nodes: { id: string }[] }>>(
    '{ profiles(first: 1) { nodes { id } } jobs(first: 1) { nodes { id } } stories(first: 1) { nodes { id } } }',
  );
  [profileId, jobId, storyId] = ['profiles', 'jobs', 'stories'].map(
    (list) => first.data?.[list]?.nodes[0]?.id ?? '',
  ) as [string, string, string];
});

afterAll(async () => {
  await compiling.stop();
  await app.close();
});

/** Errors of fields that are resolved side by side come in any order. */
function sorted(errors: readonly GraphQLFormattedError[] | undefined): GraphQLFormattedError[] | undefined {
  return errors && [...errors].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function answerOf(server: ApolloServer<GraphQLContext>, { query, variables, operationName }: Case) {
  const contextValue = app.core.createContext({ actor: 'test', role: 'admin' });
  const response = await server.executeOperation({ query, variables, operationName }, { contextValue });
  if (response.body.kind !== 'single') throw new Error('Incremental delivery is not used here');
  const { data, errors } = response.body.singleResult;
  // As text: the order of fields counts too.
  return { data: JSON.stringify(data), errors: sorted(errors), status: response.http.status };
}

const cases: Case[] = [
  {
    name: 'a list',
    query: '{ jobs(first: 3) { nodes { id title company createdAt isRemote salaryMin skills { name } } } }',
  },
  {
    name: 'edges and page',
    query:
      '{ jobs(first: 2) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }',
  },
  {
    name: 'an empty page',
    query: '{ jobs(first: 0) { nodes { id } edges { cursor } pageInfo { startCursor endCursor } } }',
  },
  {
    name: 'order and filter',
    query:
      'query ($f: JobFilter) { jobs(first: 5, filter: $f, orderBy: { field: TITLE, direction: DESC }) { nodes { title } } }',
    variables: { f: { isRemote: { eq: false } } },
  },
  {
    name: 'a filter with parts',
    query: 'query ($f: JobFilter! = { title: { isNull: true } }) { jobs(first: 5, filter: $f) { nodes { title } } }',
    variables: { f: { or: [{ isRemote: { eq: true } }, { not: { createdAt: { gte: '2020-01-01T00:00:00Z' } } }] } },
  },
  {
    name: 'a filter that does not fit',
    query: 'query ($f: JobFilter) { jobs(first: 5, filter: $f) { nodes { title } } }',
    variables: { f: { and: [{ titel: { eq: 'x' } }] } },
  },
  {
    name: 'aliases',
    query: '{ a: jobs(first: 1) { nodes { t: title u: title } } b: jobs(first: 2) { nodes { title } } }',
  },
  {
    name: 'the same field twice',
    query:
      '{ jobs(first: 2) { nodes { id } nodes { title } edges { node { id } } edges { node { company } cursor } } }',
  },
  {
    name: 'type names',
    query: '{ __typename jobs(first: 1) { __typename nodes { __typename id } pageInfo { __typename } } }',
  },
  {
    name: 'fragments',
    query:
      'fragment A on JobDescription { id ...B } fragment B on JobDescription { title company } { jobs(first: 2) { nodes { ...A ...B } } }',
  },
  {
    name: 'children',
    query:
      '{ profiles(first: 4) { nodes { name skills { name } workExperiences { title company embeddings { embeddingType } } educations { institution } projects { name } } } }',
  },
  { name: 'references', query: '{ resumes(first: 3) { nodes { profile { name } job { title } } } }' },
  {
    name: 'child pages',
    query: '{ profiles(first: 3) { nodes { resumes(first: 1) { nodes { id } totalCount pageInfo { endCursor } } } } }',
  },
  {
    name: 'embeddings',
    query:
      '{ profiles(first: 3) { nodes { embeddings { id type embeddingType text status model { name dimensions } metadata chunkIndex } } } }',
  },
  {
    name: 'embeddings of some types',
    query: 'query ($t: [ProfileEmbeddingType!]) { profiles(first: 2) { nodes { embeddings(types: $t) { type } } } }',
    variables: { t: ['SKILLS'] },
  },
  { name: 'vectors', query: '{ profiles(first: 1) { nodes { embeddings { vector } } } }' },
  {
    name: 'matches',
    query:
      '{ profiles(first: 5) { nodes { matchingJobs(first: 3) { edges { score node { title } evidence { text score embedding { id } } } } similarProfiles(first: 2) { nodes { name } } } } }',
  },
  {
    name: 'matches beside embeddings',
    query:
      '{ profiles(first: 5) { nodes { embeddings { text } matchingJobs(first: 2, mode: SEMANTIC) { nodes { id } } } } }',
  },
  {
    name: 'search by text',
    query:
      'query ($q: String!) { searchJobs(query: { text: $q }, first: 4) { edges { cursor score node { title } } pageInfo { hasNextPage endCursor } totalCount } }',
    variables: { q: 'kitchen' },
  },
  {
    name: 'search with an input variable',
    query: 'query ($q: SearchInput!) { searchProfiles(query: $q) { nodes { name } } }',
    variables: { q: { text: 'teacher', mode: 'LEXICAL' } },
  },
  {
    name: 'search across kinds',
    query:
      '{ search(query: { text: "care" }, first: 6) { edges { score cursor node { __typename id ... on Profile { name } ... on JobDescription { title } } } } }',
  },
  {
    name: 'passages',
    query:
      '{ searchStoryChunks(query: { text: "river" }, first: 3) { edges { score node { paragraphIndex text story { title } tags { score } } evidence { text } } } }',
  },
  {
    name: 'stories',
    query:
      '{ stories(first: 2) { nodes { title chunks(first: 2) { nodes { startOffset endOffset similarChunks(first: 1) { nodes { text } } } totalCount } } } }',
  },
  {
    name: 'tags',
    query:
      '{ tags(first: 6) { nodes { name usageCount parent { name } children { name } ancestors { name } descendants { name } } } }',
  },
  {
    name: 'contents',
    query: '{ contents(first: 3) { nodes { contentType contentId content indexing { state pending indexed } } } }',
  },
  {
    name: 'a node',
    query:
      'query ($id: ID!) { node(id: $id) { id __typename ... on Profile { name } ... on Embeddable { indexing { state } } } }',
    variables: { id: '$profile' },
  },
  {
    name: 'nodes',
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on JobDescription { title } ... on Story { title } } }',
    variables: { ids: ['$job', '$story', '$profile'] },
  },
  {
    name: 'a node that is not there',
    query: '{ node(id: "UHJvZmlsZTo5OTk5OTk=") { id } nodes(ids: ["UHJvZmlsZTo5OTk5OTk="]) { id } }',
  },
  { name: 'nothing found', query: '{ job(externalId: "no such job") { id title } }' },
  {
    name: 'skip and include',
    query:
      'query ($a: Boolean!, $b: Boolean!) { jobs(first: 1) { nodes { id title @skip(if: $a) company @include(if: $b) ...F @include(if: $a) } } } fragment F on JobDescription { location }',
    variables: { a: true, b: false },
  },
  {
    name: 'skip and include, the other way',
    query:
      'query ($a: Boolean!, $b: Boolean!) { jobs(first: 1) { nodes { id title @skip(if: $a) company @include(if: $b) ...F @include(if: $a) } } } fragment F on JobDescription { location }',
    variables: { a: false, b: true },
  },
  {
    name: 'default values',
    query:
      'query ($n: Int = 2, $m: SearchMode) { jobs(first: $n) { nodes { id } } searchJobs(query: { text: "cook", mode: $m }) { nodes { id } } }',
  },
  {
    name: 'null variables',
    query: 'query ($n: Int, $f: JobFilter) { jobs(first: $n, filter: $f) { nodes { id } } }',
    variables: { n: null, f: null },
  },
  {
    name: 'one of several operations',
    query: 'query A { jobs(first: 1) { nodes { id } } } query B { jobs(first: 2) { nodes { title } } }',
    operationName: 'B',
  },
  {
    name: 'no operation of that name',
    query: 'query A { jobs(first: 1) { nodes { id } } } query B { jobs { nodes { id } } }',
    operationName: 'C',
  },
  { name: 'a missing variable', query: 'query ($q: SearchInput!) { searchJobs(query: $q) { nodes { id } } }' },
  {
    name: 'a variable of the wrong type',
    query: 'query ($n: Int) { jobs(first: $n) { nodes { id } } }',
    variables: { n: 'many' },
  },
  {
    name: 'a wrong list element',
    query: 'query ($v: [Float!]) { searchJobs(query: { vector: $v }) { nodes { id } } }',
    variables: { v: [1, 'x', null] },
  },
  {
    name: 'an unknown enum value',
    query: 'query ($m: SearchMode) { searchJobs(query: { text: "x", mode: $m }) { nodes { id } } }',
    variables: { m: 'MAGIC' },
  },
  {
    name: 'an unknown input field',
    query: 'query ($q: SearchInput!) { searchJobs(query: $q) { nodes { id } } }',
    variables: { q: { text: 'x', colour: 'red' } },
  },
  { name: 'an unknown field', query: '{ jobs { nodes { colour } } }' },
  { name: 'a syntax error', query: '{ jobs { nodes { id } }' },
  { name: 'a page that is too large', query: '{ jobs(first: 100000) { nodes { id } } }' },
  { name: 'a foreign cursor', query: '{ jobs(after: "abc") { nodes { id } } profiles(first: 1) { nodes { name } } }' },
  { name: 'a malformed id', query: '{ profile(id: "abc") { name } job(externalId: "x") { id } }' },
  {
    name: 'an error within a list',
    query: '{ profiles(first: 3) { nodes { name resumes(first: -1) { nodes { id } } } } }',
  },
  {
    name: 'errors side by side',
    query: '{ a: profile(id: "abc") { name } b: job { id } c: jobs(first: 1) { nodes { id } } }',
  },
  {
    name: 'too much evidence',
    query: '{ searchJobs(query: { text: "cook" }, first: 2) { edges { score evidence(first: 50) { text } } } }',
  },
  { name: 'a vector of the wrong length', query: '{ searchJobs(query: { vector: [0.5] }) { nodes { id } } }' },
  { name: 'no query', query: '{ searchJobs(query: {}) { nodes { id } } }' },
  { name: 'introspection', query: getIntrospectionQuery() },
  {
    name: 'a type',
    query:
      '{ __type(name: "JobDescription") { name fields { name type { name kind } } } jobs(first: 1) { nodes { id } } }',
  },
];

function withIds(one: Case): Case {
  const ids: Record<string, string> = { $profile: profileId, $job: jobId, $story: storyId };
  const put = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(put);
    return typeof value === 'string' ? (ids[value] ?? value) : value;
  };
  return {
    ...one,
    variables:
      one.variables && Object.fromEntries(Object.entries(one.variables).map(([key, value]) => [key, put(value)])),
  };
}

describe('an operation that is compiled answers as one that is not', () => {
  it.each(cases)('$name', async (one) => {
    const asked = withIds(one);
    const expected = await answerOf(app.apollo, asked);
    for (let run = 0; run < RUNS; run++) expect(await answerOf(compiling, asked)).toEqual(expected);
  });

  it('when one document comes with other variables', async () => {
    const query = 'query ($n: Int!, $t: Boolean!) { jobs(first: $n) { nodes { id title @include(if: $t) } } }';
    for (let n = 0; n < 8; n++) {
      const one = { name: '', query, variables: { n, t: n % 2 === 0 } };
      expect(await answerOf(compiling, one)).toEqual(await answerOf(app.apollo, one));
    }
  });

  it('when it writes', async () => {
    const create = (server: ApolloServer<GraphQLContext>, i: number) =>
      answerOf(server, {
        name: '',
        query: 'mutation ($n: String!) { createTag(input: { name: $n }) { tag { name usageCount } } }',
        variables: { n: `compiled ${i}` },
      });
    for (let i = 0; i < RUNS; i++) {
      expect((await create(compiling, i)).data).toBe(`{"createTag":{"tag":{"name":"compiled ${i}","usageCount":0}}}`);
      expect((await create(compiling, i)).errors?.[0]?.extensions?.code).toBe('CONFLICT');
    }
  });
});
