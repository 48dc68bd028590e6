import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { createCore, type Core } from '../../src/app/core';
import { recordKinds } from '../../src/features/registry';
import { Copy } from '../../src/legacy/copy';
import type { LegacyParts } from '../../src/legacy/legacy-parts';
import { verify } from '../../src/legacy/verify';
import { median, table, writeResult } from '../support/report';
import { compareJoins } from './joins';

const SIZES = (process.env['BENCH_ROWS'] ?? '100000,1000000').split(',').map(Number);
/** The large one takes minutes, so it is done once unless asked otherwise. */
const ROUNDS = (process.env['BENCH_ROUNDS'] ?? '3,1').split(',').map(Number);
const JOIN_ROWS = Number(process.env['BENCH_JOIN_ROWS'] ?? 1_000_000);
const ROWS_PER_RECORD = 5;
const TARGET = 4;
const SAMPLE_MS = 50;

/** Kind, table of the document's Solution 1, foreign key, whole-text type, share of rows. */
const KINDS = [
  ['profile', 'profiles', 'bare_profile_embeddings', 'full_profile', 0.4],
  ['job_description', 'job_descriptions', 'bare_job_embeddings', 'full_description', 0.3],
  ['work_experience', 'work_experiences', 'bare_work_embeddings', 'full_experience', 0.3],
] as const;

interface Round {
  bareSeconds: number;
  copySeconds: number;
  verifySeconds: number;
  /** Resident memory at the start, and the most above it. */
  baseMebibytes: number;
  growthMebibytes: number;
}

/** Moving a table beside a bare `INSERT … SELECT` of the same rows; and whether typed tables join faster. */
export async function legacyBench(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres') });
  try {
    const found: [number, Round[]][] = [];
    for (const [i, size] of SIZES.entries()) {
      const template = `bench_${size}`;
      await onDatabase(postgres.url, 'kindred', (core) => core.database.query(`CREATE DATABASE ${template}`));
      await onDatabase(postgres.url, template, (core) => fill(core, size));
      const rounds: Round[] = [];
      for (let round = 0; round < (ROUNDS[i] ?? 1); round++) {
        const name = `${template}_${round}`;
        await onDatabase(postgres.url, 'kindred', (core) =>
          core.database.query(`CREATE DATABASE ${name} TEMPLATE ${template}`),
        );
        rounds.push(await onDatabase(postgres.url, name, (core) => measure(core)));
        await onDatabase(postgres.url, 'kindred', (core) => core.database.query(`DROP DATABASE ${name}`));
        console.log(`${size} rows: ${JSON.stringify(rounds.at(-1))}`);
      }
      await onDatabase(postgres.url, 'kindred', (core) => core.database.query(`DROP DATABASE ${template}`));
      found.push([size, rounds]);
    }
    const joins = await onDatabase(postgres.url, 'kindred', async (core) => {
      await core.database.dataSource.runMigrations();
      return compareJoins(core.database, JOIN_ROWS);
    });
    await report(found, joins);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function onDatabase<T>(url: string, database: string, work: (core: Core) => Promise<T>): Promise<T> {
  const core = await createCore({
    databaseUrl: url.replace(/^(postgres(?:ql)?:\/\/[^/?]*)\/[^?]*/, `$1/${database}`),
    poolSize: 4,
    applicationName: 'kindred bench',
    // Nobody is there: nothing here may ask a vector server.
    qdrantUrl: 'http://127.0.0.1:1',
    embedder: createDeterministicEmbedder(),
    logger: pino({ level: 'warn' }),
  });
  try {
    return await work(core);
  } finally {
    await core.close();
  }
}

/** Records, the document's polymorphic table, and its Solution 1 with its indexes, empty. */
async function fill({ database }: Core, size: number): Promise<void> {
  await database.dataSource.runMigrations();
  const records = Math.ceil(size / ROWS_PER_RECORD);
  await database.query(`INSERT INTO profiles (name) SELECT 'P' || n FROM generate_series(1, $1) n`, [records]);
  await database.query(
    `INSERT INTO job_descriptions (title, description) SELECT 'J' || n, 'D' FROM generate_series(1, $1) n`,
    [records],
  );
  await database.query(`INSERT INTO work_experiences (profile_id, title) SELECT n, 'W' FROM generate_series(1, $1) n`, [
    records,
  ]);
  await database.query('TRUNCATE outbox_events');
  await database.query(`CREATE TABLE vector_embeddings (
    id SERIAL PRIMARY KEY, uuid UUID UNIQUE NOT NULL DEFAULT gen_random_uuid(), entity_type VARCHAR(50) NOT NULL,
    entity_id INTEGER NOT NULL, qdrant_point_id UUID UNIQUE NOT NULL, embedding_type VARCHAR(50) NOT NULL,
    chunk_index INTEGER DEFAULT 0, metadata_json TEXT, created_at TIMESTAMP DEFAULT NOW(), updated_at TIMESTAMP DEFAULT NOW()
  )`);
  for (const [kind, parents, bare, type, share] of KINDS) {
    await database.query(
      `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
       SELECT '${kind}', n / ${ROWS_PER_RECORD} + 1, gen_random_uuid(), '${type}', n % ${ROWS_PER_RECORD},
         '{"source": "bench", "n": ' || n || '}'
       FROM generate_series(0, $1::int - 1) n`,
      [Math.round(size * share)],
    );
    await database.query(`CREATE TABLE ${bare} (
      id SERIAL PRIMARY KEY, uuid UUID UNIQUE NOT NULL DEFAULT gen_random_uuid(),
      parent_id INTEGER NOT NULL REFERENCES ${parents} (id) ON DELETE CASCADE, qdrant_point_id UUID UNIQUE NOT NULL,
      embedding_type VARCHAR(50) NOT NULL, chunk_index INTEGER DEFAULT 0, metadata_json TEXT,
      created_at TIMESTAMP DEFAULT NOW(), updated_at TIMESTAMP DEFAULT NOW()
    )`);
    for (const column of ['parent_id', 'qdrant_point_id', 'embedding_type']) {
      await database.query(`CREATE INDEX ON ${bare} (${column})`);
    }
  }
  await database.query('VACUUM ANALYZE');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function measure(core: Core): Promise<Round> {
  const { database } = core;
  await database.query('CHECKPOINT').catch(() => undefined);
  const bareSeconds = await timed(async () => {
    for (const [kind, , bare, type] of KINDS) {
      await database.query(
        `INSERT INTO ${bare} (parent_id, qdrant_point_id, embedding_type, chunk_index, metadata_json, created_at, updated_at)
         SELECT entity_id, qdrant_point_id, '${type}', chunk_index, metadata_json, created_at, updated_at
         FROM vector_embeddings WHERE entity_type = '${kind}'`,
      );
    }
  });
  const parts: LegacyParts = {
    database,
    store: core.store,
    consistency: core.services.consistency,
    model: core.embedder.model,
    kinds: recordKinds,
  };
  const mebibytes = (): number => process.memoryUsage().rss / 2 ** 20;
  const baseMebibytes = mebibytes();
  let most = baseMebibytes;
  const sampling = setInterval(() => (most = Math.max(most, mebibytes())), SAMPLE_MS);
  const copySeconds = await timed(() =>
    new Copy(parts).run({
      table: { schema: 'public', name: 'vector_embeddings' },
      columns: {},
      entityTypes: {},
      embeddingTypes: {},
      matchBy: 'id',
      timeZone: 'UTC',
      vectorHome: null,
    }),
  );
  const verifySeconds = await timed(async () => {
    const report = await verify(parts, { isComparingPoints: false });
    if (report.differing > 0 || report.migrated !== report.legacy) throw new Error('The copy is not right');
  });
  clearInterval(sampling);
  return { bareSeconds, copySeconds, verifySeconds, baseMebibytes, growthMebibytes: most - baseMebibytes };
}

async function report(found: readonly [number, Round[]][], joins: string[]): Promise<void> {
  const of = (rounds: readonly Round[], value: (round: Round) => number): number => median(rounds.map(value));
  const rate = (size: number, seconds: number): string => Math.round(size / seconds).toLocaleString('en');
  await writeResult('legacy', 'Moving the polymorphic table', [
    'The document’s own table, five rows a record, three entity types, moved by `kindred legacy copy` without its work in Qdrant,',
    'beside the document’s own `INSERT … SELECT` of the same rows into its own Solution 1 tables with their indexes. The copy',
    'also looks up every record, finds duplicates, hashes and captures every row, writes the ledger of points and queues the',
    'records. Medians; the embedded PostgreSQL, each round in a fresh copy of the database.',
    '',
    table(
      [
        'rows',
        'rounds',
        'bare, s',
        'copy, s',
        'ratio',
        'target',
        'copy, rows/s',
        'verify, s',
        'verify, rows/s',
        'memory, MiB',
        'its growth, MiB',
      ],
      found.map(([size, rounds]) => {
        const [bare, copy, check] = [
          of(rounds, (round) => round.bareSeconds),
          of(rounds, (round) => round.copySeconds),
          of(rounds, (round) => round.verifySeconds),
        ];
        return [
          size.toLocaleString('en'),
          rounds.length,
          bare.toFixed(1),
          copy.toFixed(1),
          of(rounds, (round) => round.copySeconds / round.bareSeconds).toFixed(2),
          `≤ ${TARGET}`,
          rate(size, copy),
          check.toFixed(1),
          rate(size, check),
          of(rounds, (round) => round.baseMebibytes).toFixed(0),
          of(rounds, (round) => round.growthMebibytes).toFixed(0),
        ];
      }),
    ),
    '',
    ...joins,
  ]);
}
