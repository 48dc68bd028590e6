import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

const SUBJECTS = ['ravens towers', 'bread ovens', 'ships harbours', 'snow hills'];
const PASSAGES = ['kettle sings kitchen mill', 'nine riders crossed frozen fords'];
const PER_PASSAGE = 6;

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
  // Nothing by itself, so that every passage stays without a tag.
  await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 1 }) { name } }');
  for (const i of [1, 2]) {
    for (const subject of SUBJECTS) await client.createTag({ name: `${subject} ${i}`, description: subject });
  }
  const paragraphs = Array.from({ length: PER_PASSAGE }, (_, i) => PASSAGES.map((text) => `${text} ${i}`));
  await client.createStory(paragraphs.flat().join('\n\n'));
  await app.settle();
});

afterAll(async () => {
  await app.close();
});

interface Step {
  found: number;
  compared: number;
  remaining: number;
  endCursor: string | null;
}

/** All steps of a field, each of `compare`. */
async function steps<T>(field: string, options: string, selection: string): Promise<(Step & T)[]> {
  const all: (Step & T)[] = [];
  for (let after: string | null = null; ;) {
    const { tagHygiene }: { tagHygiene: Record<string, Step & T> } = await client.ask(
      `query ($after: String) { tagHygiene { ${field}(after: $after, ${options}) { ${selection} found compared remaining endCursor } } }`,
      { after },
    );
    const step = tagHygiene[field] as Step & T;
    all.push(step);
    if (step.endCursor === null) return all;
    after = step.endCursor;
  }
}

describe('near duplicates', () => {
  interface Pairs {
    pairs: { tag: { description: string }; other: { description: string }; score: number }[];
  }
  const SELECTION = 'pairs { tag { description } other { description } score }';

  it('are sought in the whole vocabulary, step by step, each pair once', async () => {
    const whole = await steps<Pairs>('nearDuplicates', 'minScore: 0.7', SELECTION);
    expect(whole).toHaveLength(1);
    expect(whole[0]).toMatchObject({ found: SUBJECTS.length, compared: 8, remaining: 0 });
    const inSteps = await steps<Pairs>('nearDuplicates', 'minScore: 0.7, compare: 3', SELECTION);
    expect(inSteps.map(({ compared, remaining }) => [compared, remaining])).toEqual([
      [3, 5],
      [3, 2],
      [2, 0],
    ]);
    const key = ({ tag, other, score }: Pairs['pairs'][number]): string =>
      `${tag.description} ${other.description} ${score.toFixed(5)}`;
    expect(inSteps.flatMap(({ pairs }) => pairs.map(key)).sort()).toEqual(whole[0]?.pairs.map(key).sort());
    for (const { tag, other } of whole[0]?.pairs ?? []) expect(tag.description).toBe(other.description);
  });

  it('say how many there are when not all are listed', async () => {
    const [step] = await steps<Pairs>('nearDuplicates', 'minScore: 0.7, first: 1', SELECTION);
    expect([step?.found, step?.pairs.length]).toEqual([SUBJECTS.length, 1]);
  });

  it.each([
    ['compare: 0', 'BAD_INPUT'],
    ['compare: 5001', 'BAD_INPUT'],
    ['minScore: 1.5', 'BAD_INPUT'],
    ['first: 0', 'BAD_INPUT'],
    ['after: "x"', 'INVALID_CURSOR'],
  ])('refuse %s', async (options, code) => {
    const { errors } = await app.executeOperation(`{ tagHygiene { nearDuplicates(${options}) { found } } }`);
    expect(errors?.[0]?.extensions).toMatchObject({ code });
  });
});

describe('missing tags', () => {
  interface Clusters {
    clusters: { size: number; cohesion: number; passages: { text: string }[] }[];
  }
  const SELECTION = 'clusters { size cohesion passages { text } }';

  it('are clusters of passages without a tag, with texts that represent them', async () => {
    const [step, ...others] = await steps<Clusters>('missing', 'minScore: 0.6', SELECTION);
    expect(others).toEqual([]);
    expect(step).toMatchObject({ found: 2, compared: 12, remaining: 0 });
    for (const { size, passages } of step?.clusters ?? []) {
      expect([size, passages.length]).toEqual([PER_PASSAGE, 5]);
      const [subject] = PASSAGES.filter((text) => passages[0]?.text.startsWith(text));
      for (const { text } of passages) expect(text.startsWith(subject ?? '?')).toBe(true);
    }
  });

  it('are found among all passages, however few a step compares', async () => {
    const all = await steps<Clusters>('missing', 'minScore: 0.6, compare: 5', SELECTION);
    expect(all.map(({ compared, remaining }) => [compared, remaining])).toEqual([
      [5, 7],
      [5, 2],
      [2, 0],
    ]);
    for (const { clusters } of all) expect(clusters.map(({ size }) => size)).toEqual([PER_PASSAGE, PER_PASSAGE]);
  });
});

it('lists all tags that are on nothing, in pages', async () => {
  interface Unused {
    tagHygiene: {
      unused: { totalCount: number; nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    };
  }
  const names: string[] = [];
  for (let after: string | null = null; ;) {
    const { tagHygiene }: Unused = await client.ask<Unused>(
      'query ($after: String) { tagHygiene { unused(first: 3, after: $after) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }',
      { after },
    );
    expect(tagHygiene.unused.totalCount).toBe(8);
    names.push(...tagHygiene.unused.nodes.map(({ name }) => name));
    if (!tagHygiene.unused.pageInfo.hasNextPage) break;
    after = tagHygiene.unused.pageInfo.endCursor;
  }
  expect(new Set(names).size).toBe(8);
});
