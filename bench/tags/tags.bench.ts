import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import pino from 'pino';

import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { createCore, type Core } from '../../src/app/core';
import { CompareTags, type Comparison } from '../../src/features/tag/tagging/compare-tags';
import { SubjectReader, type Subject } from '../../src/features/tag/tagging/subject-reader';
import { taggableOf, type Taggable } from '../../src/features/tag/taggable';
import { findCandidates, nearbyTags } from '../../src/features/tag/tagging/tag-candidates';
import { TagVocabulary } from '../../src/features/tag/tagging/tag-vocabulary';
import { TaggingQueue } from '../../src/features/tag/tagging/tagging-queue';
import { effortOf, type Effort } from '../support/cpu';
import { median, range, table, writeResult, type Row } from '../support/report';
import { createTopicEmbedder } from './topic-embedder';

const CHUNKS = Number(process.env['BENCH_CHUNKS'] ?? 10_000);
const MANY_CHUNKS = Number(process.env['BENCH_MANY_CHUNKS'] ?? 100_000);
const RUNS = [
  { tags: 70, rounds: Number(process.env['BENCH_ROUNDS'] ?? 5) },
  // Half a minute or more each.
  { tags: 14_000, rounds: Number(process.env['BENCH_LONG_ROUNDS'] ?? 3) },
].filter(({ rounds }) => rounds > 0);
const TARGET = 1.5;
/** As the tagging task takes them. */
const BATCH = 1024;
const CONCURRENCY = 2;
const PARAGRAPHS = 100;
const TOPICS_PER_CHUNK = 3;

/** Parts of a bench, with what was sent to the vector server and where the database works. */
interface Stage {
  core: Core;
  requests: { count: number };
  databaseFolder: string;
}

interface Inference {
  times: Row;
  costs: Row[];
}

/** Tag inference beside the bare queries it needs. */
export async function tagsBench(): Promise<void> {
  const found: Inference[] = [];
  for (const { tags, rounds } of RUNS) found.push(await withCore((stage) => inference(stage, tags, rounds)));
  await writeResult('tags', 'Tagging', [
    `${CHUNKS} chunks of stories, vectors of 384 dimensions, at most 5 tags each. "Bare" is a query to Qdrant (the embedded`,
    `server) for each chunk, by its stored point, 64 a request and ${CONCURRENCY} requests at a time, without anything before or after.`,
    '"Tagging" is everything: asking, whichever side is shorter, taking the events, the rules, the comparison with what is',
    'there, writing suggestions with their counts, and acknowledging. Embedding is excluded. Medians, ranges in brackets; the',
    `target is at most ${TARGET}×.`,
    '',
    table(
      [
        'tags',
        'rounds',
        'bare, chunks/s',
        'first tagging, chunks/s',
        '× bare',
        'again, nothing new, chunks/s',
        '× bare',
        'suggestions',
      ],
      found.map(({ times }) => times),
    ),
    '',
    'What it costs, for 1,000 chunks. Processor time does not depend on what else the machine does, as the times above do. That of',
    'Node includes the vector server, which is a thread of it.',
    '',
    table(
      ['tags', 'what', 'Node, ms of processor', 'PostgreSQL, ms of processor', 'Qdrant requests', 'SQL statements'],
      found.flatMap(({ costs }) => costs),
    ),
  ]);
}

/** What one more tag touches. */
export async function tagsAddBench(): Promise<void> {
  const added = await withCore(addTag);
  const { comparison } = added;
  await writeResult('tags-add', 'Adding one tag', [
    `One tag added to ${added.chunks} chunks with ${added.tags} other tags, at most 5 a chunk. From its vector to the last suggestion: ${added.ms.toFixed(0)} ms.`,
    `Vectors are made of random directions: a chunk lies between ${TOPICS_PER_CHUNK} topics, a tag is one. The tag names a topic that is there already.`,
    '',
    table(
      [
        'chunks there are',
        'nearer than the threshold',
        'suggested',
        'displaced',
        'assignment rows written',
        'SQL statements',
        'Qdrant requests',
      ],
      [
        [
          added.chunks,
          comparison.candidates,
          comparison.suggested,
          comparison.displaced,
          added.rowsTouched,
          added.statements,
          added.requests,
        ],
      ],
    ),
  ]);
}

async function withCore<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres') });
    closers.push(() => postgres.stop());
    const qdrant = await startEmbeddedQdrant({ dataDir: path.join(folder, 'qdrant') });
    closers.push(() => qdrant.close());
    const requests = { count: 0 };
    const core = await createCore({
      databaseUrl: postgres.url,
      poolSize: 20,
      applicationName: 'kindred bench',
      qdrantUrl: qdrant.url,
      embedder: createTopicEmbedder(),
      relay: { pointBatchSize: 256, sourceBatchSize: 64 },
      logger: pino({ level: 'warn' }),
      onVectorRequest: () => (requests.count += 1),
    });
    closers.push(() => core.close());
    await core.database.dataSource.runMigrations();
    await core.catalog.start();
    return await work({ core, requests, databaseFolder: folder });
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

/** Writes stories and tags and has them embedded; nothing is tagged yet. */
async function fill(core: Core, chunks: number, tags: number): Promise<void> {
  await core.database.query(`UPDATE tag_schemes SET kinds = '{}'`);
  await core.database.query(
    `INSERT INTO tag_concepts (name, description) SELECT 'topic' || i, 'About topic' || i FROM generate_series(0, $1 - 1) i`,
    [tags],
  );
  const perRun = 10_000 / PARAGRAPHS;
  for (let from = 0; from < chunks / PARAGRAPHS; from += perRun) {
    const count = Math.min(perRun, Math.ceil(chunks / PARAGRAPHS) - from);
    const stories = Array.from({ length: count }, (_, s) =>
      Array.from({ length: PARAGRAPHS }, (__, p) => {
        const at = (from + s) * PARAGRAPHS + p;
        const topics = Array.from({ length: TOPICS_PER_CHUNK }, (___, k) => `topic${(at * 7919 + k * 104_729) % tags}`);
        return `Paragraph ${at} about ${topics.join(' and ')}.`;
      }).join('\n\n'),
    );
    await core.database.query(
      `INSERT INTO stories (title, content) SELECT 'Story ' || ordinal, content FROM unnest($1::text[]) WITH ORDINALITY AS s (content, ordinal)`,
      [stories],
    );
  }
  const relay = core.createRelay();
  relay.start();
  await idle(core);
  await relay.stop();
  console.log(`${chunks} chunks and ${tags} tags have vectors`);
  await core.database.query(`UPDATE tag_schemes SET kinds = ARRAY['story'], threshold = 0.4 WHERE name = 'general'`);
  await core.database.query(`DELETE FROM outbox_events`);
  await core.database.query('VACUUM ANALYZE');
}

async function idle(core: Core): Promise<void> {
  while (!(await core.isIdle())) await delay(50);
}

interface Cost extends Effort {
  requests: number;
  statements: number;
}

async function costOf({ core, requests, databaseFolder }: Stage, work: () => Promise<void>): Promise<Cost> {
  let statements = 0;
  const stop = core.database.observe(() => (statements += 1));
  const before = requests.count;
  const effort = await effortOf(databaseFolder, work);
  stop();
  return { ...effort, requests: requests.count - before, statements };
}

async function inference(stage: Stage, tagCount: number, rounds: number): Promise<Inference> {
  const { core } = stage;
  await fill(core, CHUNKS, tagCount);
  const taggable = taggableOf('story') as Taggable;
  const points = await core.database.query<{ id: string }>('SELECT qdrant_point_id AS id FROM story_chunk_embeddings');
  const subjects = await new SubjectReader(core.database).ofPoints(
    taggable,
    points.map((point) => point.id),
  );
  // Story by story, as the queue has them.
  subjects.sort((a, b) => a.id - b.id);
  const names = ['bare', 'the same, by tag', 'first tagging', 'again, nothing new'] as const;
  const costs: [Cost[], Cost[], Cost[], Cost[]] = [[], [], [], []];
  let written = 0;
  for (let round = 0; round <= rounds; round++) {
    await core.database.query('TRUNCATE story_chunk_tags');
    const measured = [
      await costOf(stage, () => bare(core, taggable, subjects)),
      await costOf(stage, () => bare(core, taggable, subjects, true)),
      await tagging(stage),
      await tagging(stage),
    ];
    // The first round warms up.
    if (round > 0) for (const [i, list] of costs.entries()) list.push(measured[i] as Cost);
    const [row] = await core.database.query<{ count: number }>('SELECT count(*)::int FROM story_chunk_tags');
    written = row?.count ?? 0;
    const said = names.map((name, i) => `${name} ${measured[i]?.seconds.toFixed(2)} s`).join(', ');
    console.log(`${tagCount} tags: ${said}`);
  }
  const seconds = (list: readonly Cost[]): number[] => list.map((cost) => cost.seconds);
  const [bareTimes = [], , firstTimes = [], againTimes = []] = costs.map(seconds);
  const ratio = (times: readonly number[]): string => {
    const ratios = times.map((time, i) => time / (bareTimes[i] as number));
    return `${median(ratios).toFixed(2)} (${range(ratios)})`;
  };
  const rate = (times: readonly number[]): number => Math.round(subjects.length / median(times));
  const perThousand = (list: readonly Cost[], of: (cost: Cost) => number): string =>
    ((median(list.map(of)) / subjects.length) * 1000).toFixed(1);
  return {
    times: [
      tagCount,
      rounds,
      rate(bareTimes),
      rate(firstTimes),
      ratio(firstTimes),
      rate(againTimes),
      ratio(againTimes),
      written,
    ],
    costs: costs.map((list, i) => [
      tagCount,
      names[i] ?? '',
      perThousand(list, (cost) => cost.nodeCpu * 1000),
      perThousand(list, (cost) => cost.databaseCpu * 1000),
      perThousand(list, (cost) => cost.requests),
      perThousand(list, (cost) => cost.statements),
    ]),
  };
}

/** @param isByTag whether the shorter side asks, as in tagging */
async function bare(core: Core, taggable: Taggable, subjects: readonly Subject[], isByTag = false): Promise<void> {
  const schemes = await new TagVocabulary(core.database).schemesOf('story');
  const batches: Subject[][] = [];
  for (let from = 0; from < subjects.length; from += BATCH) batches.push(subjects.slice(from, from + BATCH));
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        const question = { route: core.services.route(), taggable, subjects: batch, schemes };
        const tags = isByTag ? await nearbyTags(core.database, question) : undefined;
        await findCandidates(core.services, { ...question, tags });
      }
    }),
  );
}

async function tagging(stage: Stage): Promise<Cost> {
  const { core } = stage;
  // As autovacuum does in time: the same keys again and again, without a pause, are nobody's work.
  await core.database.query('VACUUM outbox_events');
  const queue = new TaggingQueue(core.database);
  await queue.infer({ kinds: ['story'] }, 'bench');
  const relay = core.createRelay();
  let left = await queue.pending();
  const done = new Promise<void>((resolve) => {
    relay.onProgress((progress) => {
      left -= progress.done;
      if (left <= 0) resolve();
    });
  });
  const cost = await costOf(stage, () => {
    relay.start();
    return done;
  });
  await relay.stop();
  return cost;
}

async function addTag({ core, requests }: Stage) {
  const tags = 1000;
  await fill(core, MANY_CHUNKS, tags);
  const relay = core.createRelay();
  await new TaggingQueue(core.database).infer({ kinds: ['story'] }, 'bench');
  relay.start();
  await idle(core);
  await relay.stop();
  // The tag is embedded without being compared, so that its comparison can be counted alone.
  await core.database.query(`UPDATE tag_schemes SET kinds = '{}'`);
  await core.database.query(`DELETE FROM outbox_events`);
  await core.database.query(`INSERT INTO tag_concepts (name, description) VALUES ('new', 'About topic5')`);
  const embedding = core.createRelay();
  embedding.start();
  await idle(core);
  await embedding.stop();
  await core.database.query(`UPDATE tag_schemes SET kinds = ARRAY['story'] WHERE name = 'general'`);
  await core.database.query(`DELETE FROM outbox_events`);
  const [point] = await core.database.query<{ id: string }>(
    `SELECT e.qdrant_point_id AS id FROM tag_concept_embeddings e JOIN tag_concepts t ON t.id = e.tag_concept_id WHERE t.name = 'new'`,
  );
  let statements = 0;
  const stop = core.database.observe(() => (statements += 1));
  const requestsBefore = requests.count;
  const rowsBefore = await rowsTouched(core);
  statements = 0;
  const startedAt = performance.now();
  const comparison: Comparison = { candidates: 0, suggested: 0, withdrawn: 0, displaced: 0, queued: 0 };
  await new CompareTags(core.services).run([point?.id ?? ''], {
    isBulk: true,
    onResult: (result) => {
      for (const name of ['candidates', 'suggested', 'displaced'] as const) comparison[name] += result[name];
    },
  });
  const ms = performance.now() - startedAt;
  const counted = { statements, requests: requests.count - requestsBefore };
  stop();
  return {
    chunks: MANY_CHUNKS,
    tags,
    ms,
    comparison,
    rowsTouched: (await rowsTouched(core)) - rowsBefore,
    ...counted,
  };
}

/** As PostgreSQL itself counts them. */
async function rowsTouched(core: Core): Promise<number> {
  // Each backend reports what it did a little later.
  await core.database.query('SELECT pg_stat_force_next_flush()');
  await delay(1500);
  const [row] = await core.database.query<{ count: number }>(
    `SELECT (n_tup_ins + n_tup_upd + n_tup_del)::int AS count FROM pg_stat_user_tables WHERE relname = 'story_chunk_tags'`,
  );
  return row?.count ?? 0;
}
