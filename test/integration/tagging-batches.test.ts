import { randomInt } from 'node:crypto';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { WritePathServers, type WritePath } from '../support/write-path';

let servers: WritePathServers;
let opened: WritePath | undefined;
let requests: { name: string; queries: number }[] = [];

beforeAll(async () => {
  servers = await WritePathServers.start();
});

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

afterAll(async () => {
  await servers.close();
});

/** Notes each request with queries. */
function counting(store: VectorStore): VectorStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (name === 'queryBatch') {
          requests.push({ name: String(args[0]), queries: (args[1] as unknown[]).length });
        }
        return method.apply(target, args);
      };
    },
  });
}

/** Texts and tags with vectors; nothing has been compared. */
async function open(paragraphs: readonly string[], tags: readonly string[], maxTags = 5): Promise<WritePath> {
  const path = await servers.open({ wrapStore: counting });
  opened = path;
  await path.sql(`UPDATE tag_schemes SET kinds = '{}'`);
  await path.sql('INSERT INTO tag_concepts (name) SELECT unnest($1::text[])', [tags]);
  await path.sql(`INSERT INTO stories (title, content) VALUES ('Words', $1)`, [paragraphs.join('\n\n')]);
  await relayed(path);
  await path.sql(
    `UPDATE tag_schemes SET kinds = ARRAY['story'], threshold = 0.2, max_tags = $1 WHERE name = 'general'`,
    [maxTags],
  );
  await path.sql('DELETE FROM outbox_events');
  return path;
}

/** Lets a relay work until nothing is left to do, and counts what it asks of both stores. */
async function relayed(path: WritePath): Promise<{ requests: number; queries: number; statements: string[] }> {
  requests = [];
  const statements: string[] = [];
  const stop = path.database.observe(({ sql }) => statements.push(sql));
  const relay = path.relay();
  await path.idle();
  await relay.stop();
  stop();
  const queries = requests.reduce((sum, request) => sum + request.queries, 0);
  return { requests: requests.length, queries, statements };
}

const queueTags = (path: WritePath, names?: readonly string[]): Promise<unknown> =>
  path.sql(
    `INSERT INTO outbox_events (topic, kind, key, priority)
     SELECT 'tag', 'tag_concept', e.qdrant_point_id::text, 1
     FROM tag_concept_embeddings e JOIN tag_concepts t ON t.id = e.tag_concept_id
     WHERE $1::text[] IS NULL OR t.name = ANY ($1)`,
    [names ?? null],
  );

const queueTexts = (path: WritePath, first = 1000): Promise<unknown> =>
  path.sql(
    `INSERT INTO outbox_events (topic, kind, key, priority)
     SELECT 'tag', 'story', qdrant_point_id::text, 1 FROM story_chunk_embeddings WHERE paragraph_index < $1`,
    [first],
  );

/** The tags of each paragraph, and which version of its row each is. */
const assigned = (path: WritePath): Promise<{ place: number; text: string; tag: string; version: string }[]> =>
  path.sql(
    `SELECT chunk.paragraph_index AS place, chunk.text, tag.name AS tag, a.xmin::text AS version FROM story_chunk_tags a
     JOIN tag_concepts tag ON tag.id = a.tag_concept_id JOIN story_chunk_embeddings chunk ON chunk.id = a.story_chunk_id
     ORDER BY chunk.paragraph_index, tag.name`,
  );

const comparisons = (statements: readonly string[]): number =>
  statements.filter((sql) => sql.startsWith('WITH compared')).length;

/** Words that have little in common. */
function words(count: number, seed: number): string[] {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 16;
  return Array.from({ length: count }, () =>
    Array.from({ length: 8 }, () => String.fromCharCode(97 + (next() % 26))).join(''),
  );
}

describe('many new tags', () => {
  it('cost as many requests and statements as a few, up to a batch', async () => {
    const vocabulary = words(200, 7);
    const paragraphs = vocabulary.slice(0, 40).map((word, i) => `${word} ${vocabulary[i + 60]}`);
    const path = await open(paragraphs, vocabulary);

    await queueTags(path, vocabulary.slice(0, 4));
    const few = await relayed(path);
    await queueTags(path, vocabulary.slice(4, 64));
    const many = await relayed(path);
    expect([few.requests, few.queries, comparisons(few.statements)]).toEqual([1, 4, 3]);
    expect([many.requests, many.queries, comparisons(many.statements)]).toEqual([1, 60, 3]);

    // All of them: in four batches.
    await queueTags(path);
    const all = await relayed(path);
    expect([all.requests, all.queries, comparisons(all.statements)]).toEqual([4, 200, 12]);
  });

  it('that come with their texts are settled without a comparison for each of both', async () => {
    const vocabulary = words(1200, 11);
    const path = await open([], [], 5);
    await path.sql('INSERT INTO tag_concepts (name) SELECT unnest($1::text[])', [vocabulary]);
    await path.sql(`INSERT INTO stories (title, content) VALUES ('Words', $1)`, [vocabulary.slice(0, 50).join('\n\n')]);
    const { requests: asked } = await relayed(path);
    // 1,200 tags are at least 19 batches; events that arrive while a batch is taken make some of them smaller.
    expect(asked).toBeLessThan(60);
    const found = await assigned(path);
    expect(found.filter(({ text, tag }) => text === tag)).toHaveLength(50);
  });
});

describe('whichever of texts and tags is compared', () => {
  it.each([
    { texts: 60, queries: 24, side: 'the tags are fewer, and asked' },
    { texts: 30, queries: 30, side: 'the texts are hardly more, and asked' },
  ])('a text has its nearest tags, at most k, and a second comparison writes nothing: $side', async (example) => {
    const { texts } = example;
    const seed = randomInt(2 ** 31);
    const vocabulary = words(24, seed);
    const pick = (i: number): string => vocabulary[(i * 7919 + seed) % vocabulary.length] as string;
    const paragraphs = Array.from(
      { length: texts },
      (_, i) => `${pick(i)} ${pick(i + 5)} ${pick(i * 3 + 1)} ${pick(i * 5 + 2)}`,
    );
    const path = await open(paragraphs, vocabulary, 3);

    const embedder = createDeterministicEmbedder();
    const of = (texts: readonly string[]): Promise<Float32Array[]> => embedder.embed(texts, { purpose: 'document' });
    const tagTexts = await path.sql<{ name: string; text: string }>(
      'SELECT t.name, e.text FROM tag_concepts t JOIN tag_concept_embeddings e ON e.tag_concept_id = t.id ORDER BY t.id',
    );
    const tagVectors = await of(tagTexts.map(({ text }) => text));
    const scores = (await of(paragraphs)).map(
      (vector) =>
        new Map(
          tagVectors.map((tag, j) => [tagTexts[j]?.name, tag.reduce((sum, x, k) => sum + x * (vector[k] ?? 0), 0)]),
        ),
    );
    // By score and not by name: words of one length are often equally near.
    const rounded = (list: readonly number[]): string[] => [...list].sort((a, b) => b - a).map((x) => x.toFixed(4));
    const expected = scores.map((near) => rounded([...near.values()].filter((score) => score > 0.2)).slice(0, 3));
    const nearest = async () => {
      const rows = await assigned(path);
      return scores.map((near, i) =>
        rounded(rows.filter(({ place }) => place === i).map(({ tag }) => near.get(tag) ?? NaN)),
      );
    };

    // Tags in two batches, so that the second displaces some of the first.
    await queueTags(path, vocabulary.slice(0, 12));
    await relayed(path);
    await queueTags(path, vocabulary.slice(12));
    await relayed(path);
    expect({ seed, nearest: await nearest() }).toEqual({ seed, nearest: expected });
    const before = await assigned(path);

    await queueTexts(path);
    await queueTags(path);
    await relayed(path);
    expect(await assigned(path)).toEqual(before);

    await path.sql('DELETE FROM story_chunk_tags');
    await queueTexts(path);
    const { queries } = await relayed(path);
    expect({ seed, nearest: await nearest(), queries }).toEqual({ seed, nearest: expected, queries: example.queries });
  });

  it('a few texts of a long story are asked themselves, however few the tags are', async () => {
    const vocabulary = words(4, 3);
    const path = await open(
      Array.from({ length: 100 }, (_, i) => `${vocabulary[i % 4]} ${i}`),
      vocabulary,
    );
    await queueTexts(path, 40);
    expect((await relayed(path)).queries).toBe(40);
    expect(new Set((await assigned(path)).map(({ place }) => place)).size).toBe(40);
    await path.sql('DELETE FROM story_chunk_tags');
    await queueTexts(path, 60);
    expect((await relayed(path)).queries).toBe(4);
    expect(new Set((await assigned(path)).map(({ place }) => place)).size).toBe(60);
  });

  it('a tag that is farther now than before makes way for one that is nearer', async () => {
    const path = await open(['red green blue'], ['red green blue yes', 'red green'], 1);
    await queueTexts(path);
    await relayed(path);
    expect((await assigned(path)).map(({ tag }) => tag)).toEqual(['red green blue yes']);
    await path.sql(
      `UPDATE tag_concepts SET description = 'seen on many a flag of old' WHERE name = 'red green blue yes'`,
    );
    await relayed(path);
    expect((await assigned(path)).map(({ tag }) => tag)).toEqual(['red green']);
  });
});
