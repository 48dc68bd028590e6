import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { dataOf, refusalOf, type Refusal } from '../support/results';

let app: TestApp;
let profile: string;
let job: string;
let tag: string;
const hidden: unknown[] = [];

const globalId = (type: string, id: number | string): string => Buffer.from(`${type}:${id}`).toString('base64');
const NUL = String.fromCharCode(0);
const LONE_SURROGATE = String.fromCharCode(0xd83d);
const GONE = 2_147_483_647;

interface Created {
  [payload: string]: Record<string, { id: string }>;
}

async function create(short: string, field: string, input: object): Promise<string> {
  const result = await app.executeOperation<Created, object>(
    `mutation Make($input: Create${short}Input!) { create${short}(input: $input) { ${field} { id } } }`,
    { input },
  );
  return dataOf(result)[`create${short}`]?.[field]?.id ?? '';
}

beforeAll(async () => {
  app = await startApp({ isRelaying: false, onHiddenError: (error) => hidden.push(error) });
  profile = await create('Profile', 'profile', { name: 'Ada', externalId: 'ada' });
  job = await create('Job', 'job', { title: 'Baker', description: 'Bake.', salaryMin: 100, salaryMax: 200 });
  tag = await create('Tag', 'tag', { name: 'Bread' });
});

afterAll(() => app?.close());

const tables = [
  'profiles',
  'work_experiences',
  'projects',
  'educations',
  'skills',
  'job_descriptions',
  'generated_resumes',
  'stories',
  'tag_concepts',
  'content_items',
  'outbox_events',
];

/** Every row there is, so that a refused write can be seen to have left nothing. */
async function everything(): Promise<string> {
  const rows = await Promise.all(
    tables.map((table) =>
      app.core.database.query<{ all: unknown }>(`SELECT jsonb_agg(t ORDER BY t.id) AS all FROM ${table} t`),
    ),
  );
  return JSON.stringify(rows);
}

async function refused(operation: string, variables: Record<string, unknown> = {}): Promise<Refusal> {
  const before = await everything();
  hidden.length = 0;
  const refusal = refusalOf(await app.executeOperation(operation, variables));
  expect(hidden).toEqual([]);
  expect(await everything()).toBe(before);
  expect(refusal.message).not.toMatch(/SELECT|INSERT|UPDATE|violates|constraint|\bat .*\.ts/);
  return refusal;
}

const refusedInput = (short: string, input: object): Promise<Refusal> =>
  refused(`mutation Make($input: Create${short}Input!) { create${short}(input: $input) { syncToken } }`, { input });

interface Expected {
  code: string;
  field?: string;
  says: RegExp;
}

function check(refusal: Refusal, { code, field, says }: Expected): void {
  expect({ code: refusal.code, field: refusal.field }).toEqual({ code, field });
  expect(refusal.message).toMatch(says);
}

describe('an id', () => {
  it.each<[string, () => string, Expected]>([
    ['that is no global id', () => 'profile-1', { code: 'INVALID_ID', field: 'id', says: /profile-1.*global id/ }],
    ['that is empty', () => '', { code: 'INVALID_ID', field: 'id', says: /global id/ }],
    [
      'of another type',
      () => job,
      { code: 'INVALID_ID', field: 'id', says: /id of a Profile, but of a JobDescription/ },
    ],
    ['of no type', () => globalId('Nothing', 1), { code: 'INVALID_ID', field: 'id', says: /Nothing/ }],
    [
      'with a number that no row can have',
      () => globalId('Profile', '99999999999'),
      { code: 'INVALID_ID', field: 'id', says: /global id/ },
    ],
    ['with a negative number', () => globalId('Profile', -1), { code: 'INVALID_ID', field: 'id', says: /global id/ }],
    [
      'with SQL in it',
      () => globalId('Profile', '1; DROP TABLE profiles'),
      { code: 'INVALID_ID', field: 'id', says: /global id/ },
    ],
    ['with spaces around it', () => ` ${profile} `, { code: 'INVALID_ID', field: 'id', says: /global id/ }],
  ])('%s is refused', async (_, id, expected) => {
    check(await refused(`query One($id: ID!) { profile(id: $id) { name } }`, { id: id() }), expected);
    check(await refused(`mutation Remove($id: ID!) { deleteProfile(id: $id) { deletedId } }`, { id: id() }), expected);
  });

  it('of no type is refused as a node', async () => {
    for (const id of ['', 'x', globalId('Nothing', 1), globalId('Profile', 0)]) {
      check(await refused(`query One($id: ID!) { node(id: $id) { id } }`, { id }), {
        code: 'INVALID_ID',
        field: 'id',
        says: /'.*'/,
      });
    }
  });

  it('in a filter is named with its place', async () => {
    check(
      await refused(`query List($ids: [ID!]) { profiles(filter: { and: [{ ids: $ids }] }) { totalCount } }`, {
        ids: [profile, job],
      }),
      {
        code: 'INVALID_ID',
        field: 'filter.and[0].ids[1]',
        says: /Profile/,
      },
    );
  });

  it('must be the only way to name a record', async () => {
    for (const args of ['', `(id: "${'x'}", externalId: "ada")`]) {
      check(await refused(`{ profile${args} { name } }`), {
        code: 'BAD_INPUT',
        says: /exactly one of id, or externalId/,
      });
    }
    check(await refused(`{ content(contentType: "post") { id } }`), {
      code: 'BAD_INPUT',
      says: /contentType with contentId/,
    });
  });

  it.each([
    'updateProfile(id: $id, input: { name: "x" })',
    'deleteProfile(id: $id)',
    'archiveProfile(id: $id)',
    'restoreProfile(id: $id)',
  ])('of what is not there stops %s', async (call) => {
    const id = globalId('Profile', GONE);
    const refusal = await refused(`mutation Gone($id: ID!) { ${call} { syncToken } }`, { id });
    check(refusal, { code: 'NOT_FOUND', field: 'id', says: new RegExp(`no profile.*${id}`) });
  });
});

describe('a page', () => {
  it.each<[string, Expected]>([
    ['profiles(first: -1)', { code: 'BAD_INPUT', field: 'first', says: /-1.*0 to 200/ }],
    ['profiles(first: 201)', { code: 'BAD_INPUT', field: 'first', says: /201.*0 to 200/ }],
    ['profiles(last: -5)', { code: 'BAD_INPUT', field: 'last', says: /-5/ }],
    ['profiles(first: 1, last: 1)', { code: 'BAD_INPUT', field: 'last', says: /not both/ }],
    ['profiles(first: 1, before: "x")', { code: 'BAD_INPUT', field: 'first', says: /`last` with `before`/ }],
    ['profiles(after: "nonsense")', { code: 'INVALID_CURSOR', field: 'after', says: /malformed/ }],
    ['profiles(after: "")', { code: 'INVALID_CURSOR', field: 'after', says: /malformed/ }],
    ['profiles(last: 2, before: "nonsense")', { code: 'INVALID_CURSOR', field: 'before', says: /malformed/ }],
    ['searchJobs(query: { text: "x" }, first: -1)', { code: 'BAD_INPUT', field: 'first', says: /-1.*0 to 100/ }],
    ['searchJobs(query: { text: "x" }, first: 1000000)', { code: 'BAD_INPUT', field: 'first', says: /1000000/ }],
    [
      'searchJobs(query: { text: "x" }, after: "WyJhIiwxXQ")',
      { code: 'INVALID_CURSOR', field: 'after', says: /another list/ },
    ],
  ])('%s is refused', async (call, expected) => {
    check(await refused(`{ ${call} { pageInfo { hasNextPage } } }`), expected);
  });

  it('goes on only from a cursor whose place has the type of its order', async () => {
    const forged = (position: unknown): string =>
      Buffer.from(JSON.stringify(['job_description:salaryMin:asc', position])).toString('base64url');
    for (const position of [null, 'x', [], ['abc', 1], [1], ['1', 'x'], [{}, 1], ['1', 1.5], ['99999999999', 1]]) {
      check(
        await refused(
          `query List($after: String) { jobs(first: 1, after: $after, orderBy: { field: SALARY_MIN }) { totalCount nodes { id } } }`,
          { after: forged(position) },
        ),
        {
          code: 'INVALID_CURSOR',
          field: 'after',
          says: /malformed/,
        },
      );
    }
  });

  it('of a list below a record goes on only from a cursor of that list', async () => {
    const forged = Buffer.from(JSON.stringify(['profile.resumes', 'x'])).toString('base64url');
    for (const after of ['x', forged, Buffer.from('["profile.other",1]').toString('base64url')]) {
      check(
        await refused(
          `query Below($id: ID!, $after: String) { profile(id: $id) { resumes(after: $after) { totalCount nodes { id } } } }`,
          { id: profile, after },
        ),
        {
          code: 'INVALID_CURSOR',
          field: 'after',
          says: /cursor/,
        },
      );
    }
  });
});

describe('a search', () => {
  const search = (query: object, rest = ''): Promise<Refusal> =>
    refused(`query Find($query: SearchInput!) { searchJobs(query: $query${rest}) { nodes { id } } }`, { query });
  const vector = (length: number, value = 0.5): number[] => new Array<number>(length).fill(value);

  it.each<[string, object, Expected]>([
    [
      'for nothing',
      {},
      { code: 'BAD_INPUT', field: 'query', says: /exactly one of text, vector, nodeId and examples; none is given/ },
    ],
    [
      'for two things',
      { text: 'x', vector: [1] },
      { code: 'BAD_INPUT', field: 'query', says: /text and vector are given/ },
    ],
    ['for empty text', { text: '' }, { code: 'BAD_INPUT', field: 'query.text', says: /empty/ }],
    ['for white space', { text: ' \n\t ' }, { code: 'BAD_INPUT', field: 'query.text', says: /empty/ }],
    [
      'for an endless text',
      { text: 'x'.repeat(20_001) },
      { code: 'BAD_INPUT', field: 'query.text', says: /20001.*20000/ },
    ],
    [
      'by a short vector',
      { vector: vector(3) },
      { code: 'VECTOR_DIMENSION_MISMATCH', field: 'query.vector', says: /3 dimensions.*64/ },
    ],
    [
      'by no vector',
      { vector: [] },
      { code: 'VECTOR_DIMENSION_MISMATCH', field: 'query.vector', says: /0 dimensions.*64/ },
    ],
    ['by zeros', { vector: vector(64, 0) }, { code: 'BAD_INPUT', field: 'query.vector', says: /every number is 0/ }],
    [
      'by numbers beyond single precision',
      { vector: vector(64, 1e300) },
      { code: 'BAD_INPUT', field: 'query.vector', says: /single precision/ },
    ],
    [
      'by numbers that single precision rounds to zero',
      { vector: vector(64, 1e-300) },
      { code: 'BAD_INPUT', field: 'query.vector', says: /every number is 0/ },
    ],
    [
      'by a vector in words',
      { vector: vector(64), mode: 'LEXICAL' },
      { code: 'BAD_INPUT', field: 'query.mode', says: /SEMANTIC only, not in LEXICAL/ },
    ],
    [
      'of an unknown embedding type',
      { text: 'x', embeddingTypes: ['summary'] },
      {
        code: 'UNKNOWN_EMBEDDING_TYPE',
        field: 'query.embeddingTypes',
        says: /'summary'.*full_description, requirements, keywords/,
      },
    ],
    [
      'of an embedding type that every object has',
      { text: 'x', embeddingTypes: ['constructor'] },
      { code: 'UNKNOWN_EMBEDDING_TYPE', field: 'query.embeddingTypes', says: /constructor/ },
    ],
    [
      'of no embedding type',
      { text: 'x', embeddingTypes: [] },
      { code: 'BAD_INPUT', field: 'query.embeddingTypes', says: /empty/ },
    ],
    [
      'too diverse',
      { text: 'x', diversity: 1.5 },
      { code: 'BAD_INPUT', field: 'query.diversity', says: /1.5.*0 to 1/ },
    ],
    [
      'diverse in words',
      { text: 'x', diversity: 0.5, mode: 'HYBRID' },
      { code: 'BAD_INPUT', field: 'query.mode', says: /SEMANTIC only/ },
    ],
    [
      'near what is not there',
      { nodeId: globalId('Profile', GONE) },
      { code: 'NOT_FOUND', field: 'query.nodeId', says: /no profile/ },
    ],
    [
      'near an embedding that is not there',
      { nodeId: globalId('ProfileEmbedding', GONE) },
      { code: 'NOT_FOUND', field: 'query.nodeId', says: /no ProfileEmbedding/ },
    ],
    ['near a malformed id', { nodeId: '###' }, { code: 'INVALID_ID', field: 'query.nodeId', says: /###/ }],
    [
      'near what has no embeddings',
      { nodeId: globalId('Nothing', 1) },
      { code: 'INVALID_ID', field: 'query.nodeId', says: /Nothing/ },
    ],
    [
      'like nothing',
      { examples: { positive: [] } },
      { code: 'BAD_INPUT', field: 'query.examples.positive', says: /at least one/ },
    ],
    [
      'like what is not there',
      { examples: { positive: [globalId('JobDescription', GONE)] } },
      { code: 'NOT_FOUND', field: 'query.examples.positive[0]', says: /no job/ },
    ],
    [
      'after a token that is none',
      { text: 'x', awaitSync: { token: 'nonsense' } },
      { code: 'BAD_INPUT', field: 'query.awaitSync.token', says: /token/ },
    ],
    [
      'that waits for ever',
      { text: 'x', awaitSync: { token: 'x', timeoutMs: 60_001 } },
      { code: 'BAD_INPUT', field: 'query.awaitSync.timeoutMs', says: /60001.*60000/ },
    ],
    [
      'with NUL in the text',
      { text: `a${NUL}b`, mode: 'LEXICAL' },
      { code: 'BAD_INPUT', field: 'query.text', says: /NUL/ },
    ],
    [
      'with half a character in the text',
      { text: `a${LONE_SURROGATE}` },
      { code: 'BAD_INPUT', field: 'query.text', says: /surrogate/ },
    ],
  ])('%s is refused', async (_, query, expected) => {
    check(await search(query), expected);
  });

  it('by numbers that are none is refused before it runs', async () => {
    for (const value of ['NaN', 'Infinity', null, '1']) {
      const refusal = await search({ vector: [...vector(63), value] });
      expect(refusal.code).toBe('BAD_USER_INPUT');
      expect(refusal.message).toContain('query.vector[63]');
    }
    const result = await app.executeOperation(
      `query Find($query: SearchInput!) { searchJobs(query: $query) { nodes { id } } }`,
      {
        query: { vector: [...vector(63), Number.NaN] },
      },
    );
    expect(refusalOf(result).message).toContain('query.vector[63]');
  });

  it('near a record of another kind by examples of two kinds is refused', async () => {
    check(await search({ examples: { positive: [profile, job] } }), {
      code: 'BAD_INPUT',
      field: 'query.examples',
      says: /one type/,
    });
  });

  it('refuses evidence beyond what it keeps', async () => {
    const story = await create('Story', 'story', { title: 't', content: 'c' });
    expect(story).not.toBe('');
    const before = refusalOf(
      await app.executeOperation(
        `{ searchJobs(query: { text: "x", embeddingTypes: ["nope"] }) { edges { evidence(first: 99) { score } } } }`,
      ),
    );
    expect(before.code).toBe('UNKNOWN_EMBEDDING_TYPE');
  });

  it('across kinds by embedding types is refused, and so is a hopeless depth', async () => {
    check(await refused(`{ search(query: { text: "x", embeddingTypes: ["summary"] }) { nodes { id } } }`), {
      code: 'BAD_INPUT',
      field: 'query.embeddingTypes',
      says: /its own search/,
    });
    check(await refused(`{ search(query: { text: "x" }, kinds: []) { nodes { id } } }`), {
      code: 'BAD_INPUT',
      field: 'kinds',
      says: /empty/,
    });
  });
});

describe('a filter', () => {
  const list = (filter: object): Promise<Refusal> =>
    refused(`query List($filter: JobFilter) { jobs(filter: $filter) { totalCount } }`, { filter });

  it('that nests too deep is refused', async () => {
    let filter: object = { title: { eq: 'x' } };
    for (let i = 0; i < 12; i++) filter = { not: filter };
    check(await list(filter), { code: 'BAD_INPUT', field: expect.any(String) as never, says: /8 levels/ });
  });

  it('with too many values is refused', async () => {
    const many = Array.from({ length: 1001 }, (_, i) => `v${i}`);
    check(await list({ title: { in: many } }), {
      code: 'BAD_INPUT',
      field: 'filter.title.in',
      says: /1001 values.*1000/,
    });
    check(await list({ skills: { hasAny: many } }), { code: 'BAD_INPUT', field: 'filter.skills.hasAny', says: /1001/ });
  });

  it('with too many conditions is refused', async () => {
    const wide = { or: Array.from({ length: 2000 }, (_, i) => ({ title: { eq: `t${i}` } })) };
    check(await list(wide), { code: 'BAD_INPUT', field: 'filter', says: /conditions.*1000/ });
  });

  it('with what no text can hold is refused', async () => {
    for (const bad of [NUL, LONE_SURROGATE]) {
      check(await list({ title: { eq: `a${bad}` } }), { code: 'BAD_INPUT', field: 'filter.title.eq', says: /NUL/ });
      check(await list({ skills: { has: bad } }), { code: 'BAD_INPUT', field: 'filter.skills.has', says: /NUL/ });
      check(await list({ title: { in: ['ok', bad] } }), {
        code: 'BAD_INPUT',
        field: 'filter.title.in[1]',
        says: /NUL/,
      });
    }
  });

  it('below the top level cannot choose about archived records', async () => {
    check(await list({ not: { archived: 'ONLY' } }), {
      code: 'BAD_INPUT',
      field: 'filter.not.archived',
      says: /top level/,
    });
  });
});

describe('what is written', () => {
  it.each<[string, string, () => object, Expected]>([
    ['a blank name', 'Profile', () => ({ name: '   ' }), { code: 'BAD_INPUT', field: 'input.name', says: /blank/ }],
    [
      'a name of invisible characters',
      'Profile',
      () => ({ name: '\u200b\u00a0' }),
      { code: 'BAD_INPUT', field: 'input.name', says: /blank/ },
    ],
    [
      'a name with NUL',
      'Profile',
      () => ({ name: `a${NUL}` }),
      { code: 'BAD_INPUT', field: 'input.name', says: /NUL/ },
    ],
    [
      'half a character',
      'Story',
      () => ({ title: 't', content: `x${LONE_SURROGATE}y` }),
      { code: 'BAD_INPUT', field: 'input.content', says: /surrogate/ },
    ],
    [
      'NUL in a list',
      'Job',
      () => ({ title: 't', description: 'd', requirements: ['a', NUL] }),
      { code: 'BAD_INPUT', field: 'input.requirements[1]', says: /NUL/ },
    ],
    [
      'NUL in a nested object',
      'Job',
      () => ({ title: 't', description: 'd', skills: [{ name: NUL }] }),
      { code: 'BAD_INPUT', field: 'input.skills[0].name', says: /NUL/ },
    ],
    [
      'a blank skill of a job',
      'Job',
      () => ({ title: 't', description: 'd', skills: [{ name: ' ' }] }),
      { code: 'BAD_INPUT', field: 'input.skills[0].name', says: /blank/ },
    ],
    [
      'an endless name',
      'Profile',
      () => ({ name: 'x'.repeat(201) }),
      { code: 'BAD_INPUT', field: 'input.name', says: /201.*200/ },
    ],
    [
      'no e-mail address',
      'Profile',
      () => ({ name: 'x', email: 'nobody' }),
      { code: 'BAD_INPUT', field: 'input.email', says: /e-mail/ },
    ],
    [
      'no URL',
      'Project',
      () => ({ profileId: profile, name: 'x', url: 'nowhere' }),
      { code: 'BAD_INPUT', field: 'input.url', says: /URL/ },
    ],
    [
      'a script for a URL',
      'Project',
      () => ({ profileId: profile, name: 'x', url: 'javascript:alert(1)' }),
      { code: 'BAD_INPUT', field: 'input.url', says: /URL/ },
    ],
    [
      'no date',
      'Education',
      () => ({ profileId: profile, institution: 'x', startDate: '2020-13' }),
      { code: 'BAD_INPUT', field: 'input.startDate', says: /2020-13.*2019-04/ },
    ],
    [
      'a salary upside down',
      'Job',
      () => ({ title: 't', description: 'd', salaryMin: 2, salaryMax: 1 }),
      { code: 'BAD_INPUT', field: 'input.salaryMax', says: /1.*below.*2/ },
    ],
    [
      'a negative salary',
      'Job',
      () => ({ title: 't', description: 'd', salaryMin: -1 }),
      { code: 'BAD_INPUT', field: 'input.salaryMin', says: /at least 0/ },
    ],
    [
      'a salary alone below nothing',
      'Job',
      () => ({ title: 't', description: 'd', salaryMax: -1 }),
      { code: 'BAD_INPUT', field: 'input.salaryMax', says: /at least 0/ },
    ],
    [
      'a taken external id',
      'Profile',
      () => ({ name: 'x', externalId: 'ada' }),
      { code: 'CONFLICT', field: 'externalId', says: /'ada' is taken/ },
    ],
    [
      'a blank external id',
      'Profile',
      () => ({ name: 'x', externalId: ' ' }),
      { code: 'BAD_INPUT', field: 'input.externalId', says: /blank/ },
    ],
    [
      'a parent that is not there',
      'Skill',
      () => ({ name: 'x', profileId: globalId('Profile', GONE) }),
      { code: 'PARENT_NOT_FOUND', field: 'input.profileId', says: /no profile/ },
    ],
    [
      'a parent of another type',
      'Skill',
      () => ({ name: 'x', profileId: job }),
      { code: 'INVALID_ID', field: 'input.profileId', says: /Profile/ },
    ],
    [
      'a job that is not there',
      'Resume',
      () => ({ profileId: profile, title: 't', content: 'c', jobId: globalId('JobDescription', GONE) }),
      { code: 'PARENT_NOT_FOUND', field: 'input.jobId', says: /no job/ },
    ],
    [
      'a taken tag name in other letters',
      'Tag',
      () => ({ name: ' bREAD ' }),
      { code: 'CONFLICT', field: 'name', says: /exists/ },
    ],
    [
      'a tag below nothing',
      'Tag',
      () => ({ name: 'x', parentId: globalId('TagConcept', GONE) }),
      { code: 'PARENT_NOT_FOUND', field: 'input.parentId', says: /no tag/ },
    ],
    [
      'an unknown content type',
      'Content',
      () => ({ contentType: 'dream', contentId: '1' }),
      { code: 'BAD_INPUT', field: 'contentType', says: /'dream'/ },
    ],
    [
      'a malformed content id',
      'Content',
      () => ({ contentType: 'chat_message', contentId: 'not a number' }),
      { code: 'BAD_INPUT', field: 'contentId', says: /not a number/ },
    ],
    [
      'no UUID',
      'Content',
      () => ({ contentType: 'post', contentId: 'p', sessionId: 'abc' }),
      { code: 'BAD_INPUT', field: 'input.sessionId', says: /UUID/ },
    ],
  ])('%s is refused', async (_, short, input, expected) => {
    check(await refusedInput(short, input()), expected);
  });

  it('must not clear what every record needs', async () => {
    check(
      await refused(`mutation Clear($id: ID!) { updateProfile(id: $id, input: { name: null }) { syncToken } }`, {
        id: profile,
      }),
      {
        code: 'BAD_INPUT',
        field: 'input.name',
        says: /must have a value/,
      },
    );
  });

  it('must fit what is there already', async () => {
    check(
      await refused(`mutation Lower($id: ID!) { updateJob(id: $id, input: { salaryMax: 50 }) { syncToken } }`, {
        id: job,
      }),
      {
        code: 'BAD_INPUT',
        field: 'input.salaryMax',
        says: /50.*below.*100/,
      },
    );
  });

  it('says what a natural key collides with', async () => {
    await create('Content', 'content', { contentType: 'post', contentId: 'first' });
    check(await refusedInput('Content', { contentType: 'post', contentId: 'first' }), {
      code: 'CONFLICT',
      field: 'contentType, contentId',
      says: /first.*taken/,
    });
  });

  it('is checked against the schema before anything runs', async () => {
    for (const input of [{}, { name: 1 }, { name: 'x', nonsense: true }, { name: 'x', skills: [{}] }]) {
      expect((await refusedInput('Profile', input)).code).toBe('BAD_USER_INPUT');
    }
    expect((await refused(`{ profiles(filter: { nonsense: { eq: "x" } }) { totalCount } }`)).code).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    );
    expect((await refused('{ profiles {')).code).toBe('GRAPHQL_PARSE_FAILED');
  });
});

describe('the tag hierarchy', () => {
  const move = `mutation Move($id: ID!, $parentId: ID) { updateTag(id: $id, input: { parentId: $parentId }) { syncToken } }`;

  it('has no tag below itself, at any distance', async () => {
    const child = await create('Tag', 'tag', { name: 'Rye', parentId: tag });
    const grandchild = await create('Tag', 'tag', { name: 'Dark rye', parentId: child });
    for (const parentId of [tag, child, grandchild]) {
      check(await refused(move, { id: tag, parentId }), {
        code: 'TAG_CYCLE',
        field: 'input.parentId',
        says: /itself or below/,
      });
    }
  });

  it('has none even when two moves at once would close a ring', async () => {
    for (let i = 0; i < 10; i++) {
      const a = await create('Tag', 'tag', { name: `a${i}` });
      const b = await create('Tag', 'tag', { name: `b${i}` });
      const results = await Promise.all([
        app.executeOperation(move, { id: a, parentId: b }),
        app.executeOperation(move, { id: b, parentId: a }),
      ]);
      const errors = results.flatMap((result) => result.errors ?? []);
      expect(errors).toHaveLength(1);
      expect(['TAG_CYCLE', 'CONFLICT']).toContain(errors[0]?.extensions?.code);
    }
  });
});

it('tells the caller nothing of an unexpected fault, and the operator everything', async () => {
  const { database } = app.core;
  await database.query('ALTER TABLE stories RENAME TO stories_away');
  try {
    hidden.length = 0;
    const refusal = refusalOf(await app.executeOperation('{ stories { totalCount } }'));
    expect(refusal.code).toBe('INTERNAL');
    expect(refusal.message).not.toMatch(/stories|relation/);
    expect(String(hidden[0])).toContain('stories');
  } finally {
    await database.query('ALTER TABLE stories_away RENAME TO stories');
  }
});
