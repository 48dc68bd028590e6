import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import pino from 'pino';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { createCore, type Core } from '../../src/app/core';
import { median, range, table, writeResult } from '../support/report';
import { FloorStory } from './floor-story';

const PARAGRAPHS = Number(process.env['BENCH_PARAGRAPHS'] ?? 2000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);
const TIMEOUT_MS = 60_000;
const DIMENSIONS = 384;
const IS_WRITE = /^PUT .*\/points$|\/points\/(batch|delete)$/;

interface Round {
  ms: number;
  chunkRows: number;
  pointRows: number;
  embedCalls: number;
  embeddedTexts: number;
  /** Requests to the vector server that write. */
  writes: number;
}

interface Edit {
  name: string;
  apply(paragraphs: readonly string[], round: number): string[];
  /** The same by hand, where it was written. */
  floor?: (floor: FloorStory, paragraphs: readonly string[]) => Promise<number>;
}

const middle = Math.floor(PARAGRAPHS / 2);
const replaced = (list: readonly string[], index: number, text: string): string[] =>
  list.map((one, i) => (i === index ? text : one));

const edits: Edit[] = [
  {
    name: 'one paragraph in the middle, some words longer',
    apply: (list, round) =>
      replaced(list, middle, `${list[middle] ?? ''} And then, for the ${round}th time, it rained.`),
    floor: (floor, paragraphs) => floor.edit(middle, paragraphs),
  },
  {
    name: 'one paragraph in the middle, of the same length',
    apply: (list, round) => replaced(list, middle, `${(list[middle] ?? '').slice(0, -4)}${String(1000 + round)}`),
  },
  { name: 'the last paragraph', apply: (list, round) => replaced(list, list.length - 1, `The end, number ${round}.`) },
  {
    name: 'a new paragraph before all others',
    apply: (list, round) => [`A beginning, number ${round}.`, ...list],
    floor: (floor, paragraphs) => floor.begin(paragraphs),
  },
  { name: 'the first paragraph goes', apply: (list) => list.slice(1) },
  {
    name: 'a white space at the end of the text',
    apply: (list) => replaced(list, list.length - 1, `${list[list.length - 1] ?? ''} `),
  },
];

function paragraph(i: number): string {
  const words = Array.from({ length: 40 }, (_, j) => `word${(i * 31 + j * 17) % 5000}`);
  return `Paragraph ${i} tells of ${words.join(' ')}, and of the sea.`;
}

/** Edits of a story of many paragraphs, from the write until it can be found, beside the least that must be done. */
export async function storiesBench(): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres') });
    closers.push(() => postgres.stop());
    const qdrant = await startEmbeddedQdrant({ dataDir: path.join(folder, 'qdrant') });
    closers.push(() => qdrant.close());
    const calls: number[] = [];
    const writes: string[] = [];
    const embedder = createDeterministicEmbedder({
      dimensions: DIMENSIONS,
      onEmbed: (texts, { purpose }) => void (purpose === 'document' && calls.push(texts.length)),
    });
    const core = await createCore({
      databaseUrl: postgres.url,
      poolSize: 20,
      applicationName: 'kindred bench',
      qdrantUrl: qdrant.url,
      embedder,
      logger: pino({ level: 'warn' }),
      onVectorRequest: ({ method, path: to }) => {
        if (IS_WRITE.test(`${method} ${to}`)) writes.push(to);
      },
    });
    closers.push(() => core.close());
    await core.database.dataSource.runMigrations();
    await core.catalog.start();
    const relay = core.createRelay();
    relay.start();
    closers.push(() => relay.stop());
    await measure(core, calls, writes);
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

async function measure(core: Core, calls: number[], writes: string[]): Promise<void> {
  const kind = core.registry.kind('story');
  const texts = Array.from({ length: PARAGRAPHS }, (_, i) => paragraph(i));
  const joined = (list: readonly string[]): string => list.join('\n\n');
  const created = await core.services.writer.create(kind, { title: 'Long', content: joined(texts) });
  await core.sync.awaitSync(created.syncToken, TIMEOUT_MS);
  const floor = await FloorStory.create(core, texts, DIMENSIONS);
  const rows: (string | number)[][] = [];
  for (const edit of edits) {
    const rounds: Round[] = [];
    const floorMs: number[] = [];
    let now = texts;
    for (let round = 0; round < ROUNDS; round++) {
      now = edit.apply(now, round);
      rounds.push(await measureEdit(core, created.id, joined(now), { calls, writes }));
      if (edit.floor) floorMs.push(await edit.floor(floor, now));
    }
    await core.services.writer
      .update(kind, created.id, { content: joined(texts) })
      .then(({ syncToken }) => core.sync.awaitSync(syncToken, TIMEOUT_MS));
    const ms = rounds.map((round) => round.ms);
    const one = (of: (round: Round) => number): string => {
      const values = rounds.map(of);
      return Math.min(...values) === Math.max(...values) ? String(values[0]) : range(values, 0);
    };
    const ratio = floorMs.length > 0 ? (median(ms) / median(floorMs)).toFixed(1) : '–';
    rows.push([
      edit.name,
      one((round) => round.embedCalls),
      one((round) => round.embeddedTexts),
      one((round) => round.chunkRows),
      one((round) => round.pointRows),
      one((round) => round.writes),
      `${median(ms).toFixed(0)} (${range(ms, 0)})`,
      floorMs.length > 0 ? median(floorMs).toFixed(0) : '–',
      ratio,
    ]);
    console.log(rows[rows.length - 1]?.join(' | '));
  }
  await floor.close();
  await writeResult('stories', 'Edits of a long story', [
    `A story of ${PARAGRAPHS} paragraphs is edited through the writer that mutations use; the time is from the call until the`,
    `write can be found (\`awaitSync\`), with the relay's default settings, the embedded PostgreSQL and the embedded vector server`,
    `on disk. The embedder takes no time, so what is left is the rest. ${ROUNDS} rounds each; median (lowest–highest). A row counts`,
    'as written when its version is another than before. The floor is written by hand for exactly that edit: it knows what changed,',
    'and updates the story, the one chunk and the places behind it in plain tables, then embeds and upserts one point.',
    '',
    table(
      [
        'edit',
        'embed calls',
        'texts embedded',
        'chunk rows written',
        'ledger rows written',
        'writing requests',
        'ms',
        'floor, ms',
        'ratio',
      ],
      rows,
    ),
  ]);
}

type Versions = Map<string, string>;

async function versions(core: Core, table: string, id: string, where: string): Promise<Versions> {
  const rows = await core.database.query<{ id: string; version: string }>(
    `SELECT ${id}::text AS id, xmin::text || ctid::text AS version FROM ${table} WHERE ${where}`,
  );
  return new Map(rows.map((row) => [row.id, row.version]));
}

const written = (before: Versions, after: Versions): number =>
  [...after].filter(([id, version]) => before.get(id) !== version).length +
  [...before.keys()].filter((id) => !after.has(id)).length;

async function measureEdit(
  core: Core,
  story: number,
  content: string,
  { calls, writes }: { calls: number[]; writes: string[] },
): Promise<Round> {
  const read = async () => ({
    chunks: await versions(core, 'story_chunk_embeddings', 'id', `story_id = ${story}`),
    points: await versions(core, 'vector_points', 'point_id', `kind = 'story'`),
  });
  const before = await read();
  calls.length = 0;
  writes.length = 0;
  const startedAt = performance.now();
  const { syncToken } = await core.services.writer.update(core.registry.kind('story'), story, { content });
  await core.sync.awaitSync(syncToken, TIMEOUT_MS);
  const ms = performance.now() - startedAt;
  const after = await read();
  return {
    ms,
    chunkRows: written(before.chunks, after.chunks),
    pointRows: written(before.points, after.points),
    writes: writes.length,
    embedCalls: calls.length,
    embeddedTexts: calls.reduce((sum, count) => sum + count, 0),
  };
}
