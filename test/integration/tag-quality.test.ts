import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

let app: TestApp;
let client: TagClient;

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
});

afterAll(async () => {
  await app.close();
});

interface Report {
  tagQuality: {
    overall: { accepted: number; rejected: number; isPooled: boolean };
    model: { name: string };
    tags: {
      tag: { name: string };
      accepted: number;
      rejected: number;
      isPooled: boolean;
      current: { threshold: number; precision: number; recall: number };
      suggested: { threshold: number; precision: number; recall: number; f1: number } | null;
      curve: { count: number }[];
      low: number;
      high: number;
    }[];
  };
}

const REPORT = `query ($scheme: String) { tagQuality(scheme: $scheme) { model { name } overall { accepted rejected isPooled }
  tags { tag { name } accepted rejected isPooled current { threshold precision recall }
    suggested { threshold precision recall f1 } curve { count } low: probability(score: 0.2) high: probability(score: 0.9) } } }`;

it('learns a threshold from decisions, and changes nothing until it is told to', async () => {
  await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 0.05 }) { name } }');
  const boats = await client.createTag({ name: 'boats', description: 'boats on the river at night' });
  const rare = await client.createTag({ name: 'rare', description: 'something rare' });
  const right = Array.from({ length: 6 }, (_, i) => `boats on the river at night ${'and more '.repeat(i)}`);
  const wrong = Array.from({ length: 6 }, (_, i) => `the river is deep, as ${i + 2} people say about it in the town`);
  const story = await client.createStory([...right, ...wrong].join('\n\n'));
  await app.settle();
  const chunks = await client.chunkIds(story);
  for (const [i, chunk] of chunks.entries())
    await client.decide(i < right.length ? 'addTags' : 'rejectTags', chunk, [boats]);
  await client.decide('addTags', chunks[0] ?? '', [rare]);
  await app.settle();

  const { tagQuality } = await client.ask<Report>(REPORT);
  expect(tagQuality.model.name).toBe(app.core.embedder.model.name);
  expect(tagQuality.overall).toMatchObject({ accepted: 7, rejected: 6, isPooled: false });
  const [own, pooled] = tagQuality.tags;
  expect(own).toMatchObject({
    tag: { name: 'boats' },
    accepted: 6,
    rejected: 6,
    isPooled: false,
    current: { threshold: 0.05, recall: 1 },
    suggested: { precision: 1, recall: 1, f1: 1 },
  });
  expect(own?.low).toBeLessThan(0.5);
  expect(own?.high).toBeGreaterThan(0.5);
  expect(own?.curve.reduce((sum, bin) => sum + bin.count, 0)).toBe(12);
  expect(pooled).toMatchObject({ tag: { name: 'rare' }, accepted: 1, rejected: 0, isPooled: true, suggested: null });

  const threshold = '{ tag(name: "boats") { threshold } }';
  expect(await client.ask(threshold)).toEqual({ tag: { threshold: null } });
  expect(await client.ask('mutation { applyTagThresholds { tags { name } } }')).toEqual({
    applyTagThresholds: { tags: [] },
  });
  const applied = await client.ask('mutation { applyTagThresholds(minOfEach: 5) { tags { name threshold } } }');
  expect(applied).toEqual({ applyTagThresholds: { tags: [{ name: 'boats', threshold: own?.suggested?.threshold }] } });
  expect(await client.ask('mutation { applyTagThresholds(minOfEach: 5) { tags { name } } }')).toEqual({
    applyTagThresholds: { tags: [] },
  });
});

it('refuses schemes that there are not, and precisions that cannot be', async () => {
  const unknown = await app.executeOperation(REPORT, { scheme: 'nowhere' });
  expect(unknown.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', field: 'scheme' });
  const never = await app.executeOperation('{ tagQuality(minPrecision: 0) { scheme } }');
  expect(never.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', field: 'minPrecision' });
});

it('tags content items, and jobs by a scheme of their own', async () => {
  await client.ask('mutation { saveTagScheme(name: "general", input: { threshold: 0.4 }) { name } }');
  await client.createTag({ name: 'welding', description: 'welding steel beams', scheme: 'job' });
  await client.createTag({ name: 'gardens', description: 'gardens full of roses' });
  await client.ask('mutation ($input: CreateJobInput!) { createJob(input: $input) { syncToken } }', {
    input: { title: 'Welding steel beams', description: 'gardens full of roses' },
  });
  await client.ask('mutation ($input: CreateContentInput!) { createContent(input: $input) { syncToken } }', {
    input: { contentType: 'post', contentId: '1', content: 'gardens full of roses, and welding steel beams' },
  });
  await app.settle();
  const found = await client.ask(
    '{ jobs { nodes { tags { tag { name } } } } contents { nodes { tags { tag { name } status } } } }',
  );
  expect(found).toEqual({
    jobs: { nodes: [{ tags: [{ tag: { name: 'welding' } }] }] },
    contents: { nodes: [{ tags: [{ tag: { name: 'gardens' }, status: 'SUGGESTED' }] }] },
  });
});
