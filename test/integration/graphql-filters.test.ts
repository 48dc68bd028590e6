import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import type { JobFilter, ProfileFilter, SkillFilter } from '../support/generated/graphql';
import { dataOf } from '../support/results';

const jobsBoth = graphql(`
  query JobsBoth($filter: JobFilter) {
    list: jobs(first: 200, filter: $filter) {
      totalCount
      nodes {
        id
      }
    }
    found: searchJobs(query: { text: "work", mode: SEMANTIC }, filter: $filter, first: 100) {
      totalCount
      nodes {
        id
      }
    }
  }
`);
const profilesBoth = graphql(`
  query ProfilesBoth($filter: ProfileFilter) {
    list: profiles(first: 200, filter: $filter) {
      totalCount
      nodes {
        id
      }
    }
    found: searchProfiles(query: { text: "work", mode: SEMANTIC }, filter: $filter, first: 100) {
      totalCount
      nodes {
        id
      }
    }
  }
`);
const skillsBoth = graphql(`
  query SkillsBoth($filter: SkillFilter) {
    list: skills(first: 200, filter: $filter) {
      totalCount
      nodes {
        id
      }
    }
    found: searchSkills(query: { text: "work", mode: SEMANTIC }, filter: $filter, first: 100) {
      totalCount
      nodes {
        id
      }
    }
  }
`);

interface Both {
  list: { totalCount: number; nodes: { id: string }[] };
  found: { totalCount: number; nodes: { id: string }[] };
}

let app: TestApp;
const ids = { jobs: [] as string[], profiles: [] as string[] };
/** Moments of creation, to the microsecond apart. */
const times = [
  '2024-01-01T00:00:00.123456Z',
  '2024-01-01T00:00:00.123Z',
  '2024-06-01T12:00:00Z',
  '2025-02-03T04:05:06.789999Z',
];
const instants = [
  '2024-01-01T00:00:00.123Z',
  '2024-01-01T00:00:00.124Z',
  '2024-06-01T12:00:00.000Z',
  '2025-02-03T04:05:06.789Z',
];
const texts = ['Oslo', 'oslo', 'São Paulo', '', ' Oslo ', "O'Brien \\ %_"];
const skills = ['Welding', 'WELDING', ' welding ', 'Élan', 'élan', 'C++', '\tTabs\t', 'ΣΊΣΥΦΟΣ', ''];

const globalId = (type: string, id: number): string => Buffer.from(`${type}:${id}`).toString('base64');
const cycle = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;

/** None to three skills of each job. */
const JOBS = 36;
const jobSkills = Array.from({ length: JOBS }, (_, i) =>
  [0, 1, 2].filter((bit) => (i >> bit) & 1).map((bit) => cycle(skills, i + bit * 2)),
);

beforeAll(async () => {
  app = await startApp();
  const { database } = app.core;
  for (let i = 0; i < JOBS; i++) {
    const [row] = await database.query<{ id: number }>(
      `INSERT INTO job_descriptions (title, description, company, location, salary_min, salary_max, is_remote, skills,
         created_at, archived_at)
       VALUES ($1, 'work', $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
      [
        `title ${i % 7}`,
        i % 5 === 0 ? null : cycle(texts, i),
        i % 3 === 0 ? null : cycle(texts, i * 5 + 1),
        i % 4 === 0 ? null : (i % 6) * 100,
        i % 4 === 0 ? null : (i % 6) * 100 + 50,
        i % 2 === 0,
        JSON.stringify(jobSkills[i]?.map((name) => ({ name }))),
        cycle(times, i),
        i % 9 === 0 ? '2025-01-01' : null,
      ],
    );
    ids.jobs.push(globalId('JobDescription', row?.id ?? 0));
  }
  for (let i = 0; i < 16; i++) {
    const [row] = await database.query<{ id: number }>(
      `INSERT INTO profiles (name, headline, location, created_at, archived_at) VALUES ($1, 'work', $2, $3, $4) RETURNING id`,
      [`name ${i % 4}`, i % 3 === 0 ? null : cycle(texts, i), cycle(times, i), i % 5 === 0 ? '2025-01-01' : null],
    );
    ids.profiles.push(globalId('Profile', row?.id ?? 0));
    for (let s = 0; s < i % 4; s++) {
      await database.query(
        `INSERT INTO skills (profile_id, name, category, level, archived_at) VALUES ($1, $2, $3, $4, $5)`,
        [
          row?.id,
          // A name must not be blank in the text that is embedded, or there is nothing to find.
          cycle(skills, i + s) || 'Work',
          s === 0 ? null : cycle(texts, s),
          s === 1 ? null : 'expert',
          (i + s) % 6 === 0 ? '2025-01-01' : null,
        ],
      );
    }
  }
  await app.settle();
});

afterAll(() => app?.close());

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.array(oneOf(values), { maxLength: 4 });
/** One or two of the fields. */
const fewOf = <T extends object>(fields: { [K in keyof T]?: fc.Arbitrary<unknown> }): fc.Arbitrary<T> =>
  fc
    .subarray(Object.keys(fields) as (keyof T)[], { minLength: 1, maxLength: 2 })
    .chain((names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, fields[name]])) as never),
    ) as fc.Arbitrary<T>;

const stringOps = (values: readonly string[]) =>
  fewOf({ eq: oneOf([...values, 'absent']), in: some([...values, 'absent']), isNull: fc.boolean() });
const intOps = () => {
  const number = oneOf([-1, 0, 100, 101, 200, 500, 2_147_483_647]);
  return fewOf({
    eq: number,
    in: some([0, 100, 300, 7]),
    gt: number,
    gte: number,
    lt: number,
    lte: number,
    isNull: fc.boolean(),
  });
};
const booleanOps = () => fewOf({ eq: fc.boolean(), isNull: fc.boolean() });
const dateOps = () => {
  const date = oneOf(instants);
  return fewOf({ gt: date, gte: date, lt: date, lte: date, isNull: fc.boolean() });
};
const listOps = () => {
  const item = oneOf([...skills, 'absent', 'TABS', 'c++ ']);
  return fewOf({
    has: item,
    hasAny: fc.array(item, { maxLength: 3 }),
    hasAll: fc.array(item, { maxLength: 2 }),
    isNull: fc.boolean(),
  });
};
const idOps = (values: readonly string[]) => fewOf({ eq: oneOf(values), in: some(values), isNull: fc.boolean() });

/** How many jobs have one of these. */
const withSkill = (...names: string[]): number =>
  jobSkills.filter((own) => own.some((skill) => names.includes(skill))).length;

/** Conditions of one field each, combined at random. */
function filters<F extends object>(leaf: () => fc.Arbitrary<F>): fc.Arbitrary<F> {
  const { node } = fc.letrec<{ node: F }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf(),
      fc.record({ and: fc.array(tie('node'), { maxLength: 3 }) }) as unknown as fc.Arbitrary<F>,
      fc.record({ or: fc.array(tie('node'), { maxLength: 3 }) }) as unknown as fc.Arbitrary<F>,
      fc.record({ not: tie('node') }) as unknown as fc.Arbitrary<F>,
    ),
  }));
  const archived = fc.option(oneOf(['EXCLUDE', 'INCLUDE', 'ONLY'] as const), { nil: undefined });
  return fc.tuple(node, archived).map(([filter, choice]) => (choice ? { ...filter, archived: choice } : filter));
}

const jobFilters = () =>
  filters<JobFilter>(() =>
    fewOf<JobFilter>({
      ids: some(ids.jobs),
      title: stringOps(['title 0', 'title 1', 'title 2']),
      company: stringOps(texts),
      location: stringOps(texts),
      salaryMin: intOps(),
      salaryMax: intOps(),
      isRemote: booleanOps(),
      skills: listOps(),
      createdAt: dateOps(),
    }),
  );
const profileFilters = () =>
  filters<ProfileFilter>(() =>
    fewOf<ProfileFilter>({
      ids: some(ids.profiles),
      name: stringOps(['name 0', 'name 1']),
      location: stringOps(texts),
      skills: listOps(),
      createdAt: dateOps(),
    }),
  );
const skillFilters = () =>
  filters<SkillFilter>(() =>
    fewOf<SkillFilter>({
      name: stringOps(skills.filter(Boolean)),
      category: stringOps(texts),
      level: stringOps(['expert']),
      profileId: idOps(ids.profiles),
    }),
  );

function sameInBoth(both: Both): number {
  const listed = both.list.nodes.map((node) => node.id).sort();
  expect(both.found.nodes.map((node) => node.id).sort()).toEqual(listed);
  expect([both.list.totalCount, both.found.totalCount]).toEqual([listed.length, listed.length]);
  return listed.length;
}

/** Runs `compare` on random filters; a failure names the seed. Some must let some and not all through. */
async function forRandom<F>(arbitrary: fc.Arbitrary<F>, total: number, compare: (filter: F) => Promise<number>) {
  let telling = 0;
  await fc.assert(
    fc.asyncProperty(arbitrary, async (filter) => {
      const count = await compare(filter);
      if (count > 0 && count < total) telling++;
    }),
    { numRuns: 150, endOnFailure: false },
  );
  expect(telling).toBeGreaterThan(20);
}

describe('a filter means the same in a list and in a search', () => {
  it('of jobs', async () => {
    await forRandom(jobFilters(), 32, async (filter) =>
      sameInBoth(dataOf(await app.executeOperation(jobsBoth, { filter }))),
    );
  });

  it('of profiles, whose skills are rows of another table', async () => {
    await forRandom(profileFilters(), 12, async (filter) =>
      sameInBoth(dataOf(await app.executeOperation(profilesBoth, { filter }))),
    );
  });

  it('of skills, which their profile hides', async () => {
    await forRandom(skillFilters(), 18, async (filter) =>
      sameInBoth(dataOf(await app.executeOperation(skillsBoth, { filter }))),
    );
  });
});

describe('an operator', () => {
  async function count(filter: JobFilter): Promise<number> {
    return sameInBoth(dataOf(await app.executeOperation(jobsBoth, { filter: { archived: 'INCLUDE', ...filter } })));
  }

  it.each<[string, JobFilter, number]>([
    ['eq', { title: { eq: 'title 0' } }, 6],
    ['in', { title: { in: ['title 0', 'title 1', 'nothing'] } }, 11],
    ['in of nothing', { title: { in: [] } }, 0],
    ['eq of an absent value', { company: { eq: 'absent' } }, 0],
    ['isNull: true', { salaryMin: { isNull: true } }, 9],
    ['isNull: false', { salaryMin: { isNull: false } }, 27],
    ['gt', { salaryMin: { gt: 300 } }, 9],
    ['gte', { salaryMin: { gte: 300 } }, 15],
    ['lt', { salaryMin: { lt: 100 } }, 3],
    ['lte', { salaryMin: { lte: 100 } }, 9],
    ['a range', { salaryMin: { gte: 100, lt: 300 } }, 9],
    ['boolean eq', { isRemote: { eq: true } }, 18],
    ['has, whatever the case', { skills: { has: 'wElDiNg' } }, withSkill('Welding', 'WELDING', ' welding ')],
    ['has, whatever the white space', { skills: { has: 'TABS ' } }, withSkill('\tTabs\t')],
    ['has, in any script', { skills: { has: 'σίσυφος' } }, withSkill('ΣΊΣΥΦΟΣ')],
    ['hasAny', { skills: { hasAny: ['c++', 'ÉLAN'] } }, withSkill('C++', 'Élan', 'élan')],
    ['hasAny of nothing', { skills: { hasAny: [] } }, 0],
    ['hasAll of nothing', { skills: { hasAll: [] } }, 36],
    ['an empty list', { skills: { isNull: true } }, 5],
    ['an empty or', { or: [] }, 0],
    ['an empty and', { and: [] }, 36],
    ['not of nothing', { not: {} }, 0],
    ['no ids', { ids: [] }, 0],
    ['not, which absent values pass', { not: { salaryMin: { gt: 300 } } }, 27],
  ])('%s', async (_, filter, expected) => {
    expect(await count(filter)).toBe(expected);
  });

  it('on time compares what clients can see: milliseconds', async () => {
    const at = '2024-01-01T00:00:00.123Z';
    expect(await count({ createdAt: { gt: at } })).toBe(18);
    expect(await count({ createdAt: { gte: at } })).toBe(36);
    expect(await count({ createdAt: { lte: at } })).toBe(18);
    expect(await count({ createdAt: { lt: at } })).toBe(0);
  });

  it('that is null counts as absent', async () => {
    expect(await count({ title: { eq: null }, company: null, skills: { has: null } })).toBe(36);
  });
});
