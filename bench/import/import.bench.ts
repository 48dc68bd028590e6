import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { createCore, type Core } from '../../src/app/core';
import { createEmbedder } from '../../src/app/embedder';
import { loadEnvironment } from '../../src/config/environment';
import { ImportWriter } from '../../src/import/import-writer';
import type { Embedder } from '../../src/kernel/model/embedder';
import { profileItems } from '../graphql/records';
import { median, range, table, writeResult } from '../support/report';

const PROFILES = Number(process.env['BENCH_PROFILES'] ?? 2000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
/** Records a call of the import's writer. */
const WRITE_SIZE = 50;
const TARGET = 1.15;
/** What a text costs where the model is not at hand: it sleeps, so that the rest is not in its way. */
const FAKE_MS_PER_TEXT = 4;
const IDLE_POLL_MS = 20;

interface Round {
  texts: number;
  importSeconds: number;
  aloneSeconds: number;
  /** Of this process: writer, relay, model and vector server, but not PostgreSQL. */
  importCpuSeconds: number;
  aloneCpuSeconds: number;
}

/** Import of profiles, from the first row written to the last point searchable, beside embedding their texts alone. */
export async function importBench(): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres') });
    closers.push(() => postgres.stop());
    const qdrant = await startEmbeddedQdrant({ dataDir: path.join(folder, 'qdrant') });
    closers.push(() => qdrant.close());
    const { embedder, description } = await chooseEmbedder();
    closers.push(() => embedder.close());
    const texts: string[] = [];
    const core = await createCore({
      databaseUrl: postgres.url,
      poolSize: 20,
      applicationName: 'kindred bench',
      qdrantUrl: qdrant.url,
      embedder: recording(embedder, texts),
      logger: pino({ level: 'warn' }),
    });
    closers.push(() => core.close());
    await core.database.dataSource.runMigrations();
    await core.catalog.start();
    const relay = core.createRelay();
    relay.start();
    closers.push(() => relay.stop());
    await report(await measure(core, embedder, texts), description);
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

async function chooseEmbedder(): Promise<{ embedder: Embedder; description: string }> {
  const local = createEmbedder({ ...loadEnvironment().embedder, provider: 'local' });
  try {
    await local.ready();
    return { embedder: local, description: `the local model, ${local.model.name}` };
  } catch {
    await local.close();
    const embedder = createDeterministicEmbedder({
      dimensions: 384,
      onEmbed: (texts) => delay(texts.length * FAKE_MS_PER_TEXT),
    });
    return { embedder, description: `a stand-in that takes ${FAKE_MS_PER_TEXT} ms a text` };
  }
}

/** The same embedder, which also notes what it was asked. */
function recording(embedder: Embedder, texts: string[]): Embedder {
  return {
    model: embedder.model,
    batchSize: embedder.batchSize,
    embed: (asked, options) => {
      texts.push(...asked);
      return embedder.embed(asked, options);
    },
    ready: () => embedder.ready(),
    close: () => Promise.resolve(),
  };
}

async function measure(core: Core, embedder: Embedder, texts: string[]): Promise<Round[]> {
  const writer = new ImportWriter(core.database, core.registry);
  const items = profileItems(PROFILES);
  const perRound = Math.ceil(PROFILES / ROUNDS);
  const rounds: Round[] = [];
  for (let from = 0; from < items.length; from += perRound) {
    texts.length = 0;
    const startedAt = performance.now();
    const startCpu = process.cpuUsage();
    const slice = items.slice(from, from + perRound);
    for (let at = 0; at < slice.length; at += WRITE_SIZE) await writer.write(slice.slice(at, at + WRITE_SIZE));
    while (!(await core.isIdle())) await delay(IDLE_POLL_MS);
    const importedAt = performance.now();
    const importCpu = process.cpuUsage(startCpu);
    const importedCpu = process.cpuUsage();
    await embedder.embed(texts, { purpose: 'document' });
    const aloneCpu = process.cpuUsage(importedCpu);
    const round: Round = {
      texts: texts.length,
      importSeconds: (importedAt - startedAt) / 1000,
      aloneSeconds: (performance.now() - importedAt) / 1000,
      importCpuSeconds: (importCpu.user + importCpu.system) / 1e6,
      aloneCpuSeconds: (aloneCpu.user + aloneCpu.system) / 1e6,
    };
    console.log(
      `${slice.length} profiles, ${round.texts} texts: ${(round.importSeconds / round.aloneSeconds).toFixed(2)}`,
    );
    rounds.push(round);
  }
  return rounds;
}

async function report(rounds: readonly Round[], description: string): Promise<void> {
  const ratios = rounds.map((round) => round.importSeconds / round.aloneSeconds);
  const cpuRatios = rounds.map((round) => round.importCpuSeconds / round.aloneCpuSeconds);
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  await writeResult('import', 'Import beside embedding alone', [
    `${PROFILES} generated profiles with their skills and positions, imported into an empty database in ${rounds.length} parts, each`,
    'from the first row written to the last point searchable, by the import’s own writer, the relay with its default settings, the',
    'embedded PostgreSQL and the embedded vector server on disk. After each part the very same texts are embedded again, alone.',
    `${sum((round) => round.texts)} texts. The embedder is ${description}.`,
    '',
    table(
      ['', 'import', 'the texts alone', 'ratio, median of the parts', 'lowest–highest', 'target'],
      [
        [
          'time, s',
          sum((round) => round.importSeconds).toFixed(1),
          sum((round) => round.aloneSeconds).toFixed(1),
          median(ratios).toFixed(2),
          range(ratios),
          `≤ ${TARGET}`,
        ],
        [
          'processor time of the process, s',
          sum((round) => round.importCpuSeconds).toFixed(1),
          sum((round) => round.aloneCpuSeconds).toFixed(1),
          median(cpuRatios).toFixed(2),
          range(cpuRatios),
          '—',
        ],
      ],
    ),
  ]);
}
