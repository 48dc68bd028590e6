import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import type { JobOrder } from '../support/generated/graphql';
import { dataOf, refusalOf } from '../support/results';

const jobPage = graphql(`
  query JobPage($first: Int, $after: String, $last: Int, $before: String, $orderBy: JobOrder, $filter: JobFilter) {
    jobs(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
      totalCount
      nodes {
        title
      }
      edges {
        cursor
        node {
          title
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

async function insertJob(title: string, salaryMin: number | null, company: string | null): Promise<void> {
  await app.core.database.query(
    `INSERT INTO job_descriptions (title, description, salary_min, company) VALUES ($1, 'd', $2, $3)`,
    [title, salaryMin, company],
  );
}

beforeAll(async () => {
  app = await startApp({ isRelaying: false });
  // Ties and absent values, in an order that is none of those asked for.
  const salaries = [30, null, 10, 20, 10, null, 20, 30, 10, null, 40];
  for (const [i, salary] of salaries.entries()) {
    await insertJob(`job ${String(i).padStart(2, '0')}`, salary, ['b', 'a', null][i % 3] ?? null);
  }
});

afterAll(() => app?.close());

async function page(variables: Record<string, unknown>) {
  return dataOf(await app.executeOperation(jobPage, variables)).jobs;
}

const titles = (list: { nodes: { title: string }[] }): string[] => list.nodes.map((node) => node.title);

async function walkForward(size: number, orderBy?: JobOrder, meanwhile?: (i: number) => Promise<void>) {
  const seen: string[] = [];
  for (let after: string | null = null, i = 0; ; i++) {
    const part: Awaited<ReturnType<typeof page>> = await page({ first: size, after, orderBy });
    expect(part.pageInfo.hasPreviousPage).toBe(after !== null);
    seen.push(...titles(part));
    if (!part.pageInfo.hasNextPage) return seen;
    after = part.pageInfo.endCursor ?? null;
    await meanwhile?.(i);
  }
}

async function walkBackward(size: number, orderBy?: JobOrder) {
  const seen: string[] = [];
  for (let before: string | null = null; ;) {
    const part: Awaited<ReturnType<typeof page>> = await page({ last: size, before, orderBy });
    expect(part.pageInfo.hasNextPage).toBe(before !== null);
    seen.unshift(...titles(part));
    if (!part.pageInfo.hasPreviousPage) return seen;
    before = part.pageInfo.startCursor ?? null;
  }
}

const orders = (['ID', 'SALARY_MIN', 'COMPANY', 'CREATED_AT', 'TITLE'] as const).flatMap((field) =>
  (['ASC', 'DESC'] as const).map((direction): JobOrder => ({ field, direction })),
);

describe.each(orders)('jobs by $field $direction', (orderBy) => {
  it('are the same list page by page, forwards and backwards', async () => {
    const whole = await page({ first: 200, orderBy });
    expect(whole.totalCount).toBe(11);
    expect(new Set(titles(whole)).size).toBe(11);
    expect(whole.edges.map((edge) => edge.node.title)).toEqual(titles(whole));
    for (const size of [1, 2, 3, 10, 11, 12]) {
      expect(await walkForward(size, orderBy)).toEqual(titles(whole));
      expect(await walkBackward(size, orderBy)).toEqual(titles(whole));
    }
  });
});

it('orders by value, absent values last either way, ties by creation', async () => {
  const up = await page({ first: 200, orderBy: { field: 'SALARY_MIN', direction: 'ASC' } });
  const numbers = (list: { nodes: { title: string }[] }): string =>
    titles(list)
      .map((title) => Number(title.slice(4)))
      .join(' ');
  expect(numbers(up)).toBe('2 4 8 3 6 0 7 10 1 5 9');
  const down = await page({ first: 200, orderBy: { field: 'SALARY_MIN', direction: 'DESC' } });
  expect(numbers(down)).toBe('10 7 0 6 3 8 4 2 9 5 1');
});

it('resumes from the cursor of any edge', async () => {
  const orderBy: JobOrder = { field: 'COMPANY', direction: 'DESC' };
  const whole = await page({ first: 200, orderBy });
  for (const [i, edge] of whole.edges.entries()) {
    expect(titles(await page({ first: 3, after: edge.cursor, orderBy }))).toEqual(titles(whole).slice(i + 1, i + 4));
    expect(titles(await page({ last: 2, before: edge.cursor, orderBy }))).toEqual(
      titles(whole).slice(Math.max(0, i - 2), i),
    );
  }
});

it('neither repeats nor skips what was there when others are written between pages', async () => {
  const orderBy: JobOrder = { field: 'SALARY_MIN', direction: 'ASC' };
  const before = titles(await page({ first: 200, orderBy }));
  const seen = await walkForward(2, orderBy, (i) => insertJob(`new ${i}`, [5, 25, null][i % 3] ?? null, null));
  expect(seen.filter((title) => title.startsWith('job'))).toEqual(before);
  expect(new Set(seen).size).toBe(seen.length);
  await app.core.database.query(`DELETE FROM job_descriptions WHERE title LIKE 'new %'`);
});

it('survives that the record under a cursor is gone', async () => {
  const orderBy: JobOrder = { field: 'SALARY_MIN', direction: 'ASC' };
  await insertJob('passing', 15, null);
  const upTo = await page({ first: 4, orderBy });
  expect(titles(upTo).at(-1)).toBe('passing');
  await app.core.database.query(`DELETE FROM job_descriptions WHERE title = 'passing'`);
  expect(titles(await page({ first: 2, after: upTo.pageInfo.endCursor, orderBy }))).toEqual(['job 03', 'job 06']);
});

it('counts what the filter lets through, and gives an empty page where nothing is asked for', async () => {
  const filtered = await page({ first: 0, filter: { salaryMin: { gte: 20 } } });
  expect(filtered).toMatchObject({
    totalCount: 5,
    nodes: [],
    edges: [],
    pageInfo: { hasNextPage: true, startCursor: null, endCursor: null },
  });
  const none = await page({ filter: { title: { eq: 'no such job' } } });
  expect(none).toMatchObject({ totalCount: 0, nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } });
});

it('refuses a cursor of another order or another list', async () => {
  const foreign = (await page({ first: 1, orderBy: { field: 'TITLE', direction: 'ASC' } })).pageInfo.endCursor;
  const result = await app.executeOperation(jobPage, {
    first: 1,
    after: foreign,
    orderBy: { field: 'TITLE', direction: 'DESC' },
  });
  expect(refusalOf(result)).toMatchObject({ code: 'INVALID_CURSOR', field: 'after' });
});

describe('lists below a record', () => {
  it('are paged too', async () => {
    const [profile] = await app.core.database.query<{ id: number }>(
      `INSERT INTO profiles (name) VALUES ('Ada') RETURNING id`,
    );
    for (let i = 0; i < 5; i++) {
      await app.core.database.query(
        `INSERT INTO generated_resumes (profile_id, title, content) VALUES ($1, $2, 'text')`,
        [profile?.id, `resume ${i}`],
      );
    }
    const resumes = graphql(`
      query ResumesOf($id: ID!, $first: Int, $after: String) {
        profile(id: $id) {
          resumes(first: $first, after: $after) {
            totalCount
            nodes {
              title
            }
            pageInfo {
              hasNextPage
              hasPreviousPage
              endCursor
            }
          }
        }
      }
    `);
    const id = Buffer.from(`Profile:${profile?.id}`).toString('base64');
    const first = dataOf(await app.executeOperation(resumes, { id, first: 3 })).profile?.resumes;
    expect(first).toMatchObject({ totalCount: 5, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const second = dataOf(await app.executeOperation(resumes, { id, first: 3, after: first?.pageInfo.endCursor }));
    expect([...(first?.nodes ?? []), ...(second.profile?.resumes.nodes ?? [])].map((node) => node.title)).toEqual([
      'resume 0',
      'resume 1',
      'resume 2',
      'resume 3',
      'resume 4',
    ]);
    expect(second.profile?.resumes.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });
});
