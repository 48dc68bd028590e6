import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import type { Core } from '../../src/app/core';
import { recordKinds } from '../../src/features/registry';
import { Copy } from '../../src/legacy/copy';
import type { LegacyParts } from '../../src/legacy/legacy-parts';
import { verify } from '../../src/legacy/verify';
import { median, table, writeResult } from '../support/report';
import { childrenOf, familySeconds, privateBytes, processorSeconds, serverProcess } from '../relay/processes';
import { fill, KINDS, onDatabase, SETTINGS } from './document-move';
import { compareJoins } from './joins';
import { movePoints } from './points';

const SIZES = (process.env['BENCH_ROWS'] ?? '100000,1000000').split(',').map(Number);
/** The large one takes minutes, so it is done once unless asked otherwise. */
const ROUNDS = (process.env['BENCH_ROUNDS'] ?? '3,1').split(',').map(Number);
const JOIN_ROWS = Number(process.env['BENCH_JOIN_ROWS'] ?? 1_000_000);
const TARGET = 4;
const SAMPLE_MS = 50;

/** What one piece of work took. */
interface Usage {
  seconds: number;
  /** Of this process and of PostgreSQL with all of its processes. */
  processorSeconds: number;
  /** The most that this process had resident. */
  programMebibytes: number;
  /** The most that a session of PostgreSQL had for itself, shared buffers aside. */
  sessionMebibytes: number;
}

interface Round {
  bare: Usage;
  copy: Usage;
  check: Usage;
}

/** Moving a table beside a bare `INSERT … SELECT` of the same rows; and whether typed tables join faster. */
export async function legacyBench(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres') });
  try {
    const server = await serverProcess(postgres.url);
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
        rounds.push(await onDatabase(postgres.url, name, (core) => measure(core, server)));
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
    await report(found, await movePoints(folder, postgres.url, server), joins);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function watched(server: number, work: () => Promise<unknown>): Promise<Usage> {
  let [programMebibytes, sessionMebibytes] = [0, 0];
  const sample = (): void => {
    programMebibytes = Math.max(programMebibytes, process.memoryUsage().rss / 2 ** 20);
    for (const pid of childrenOf(server)) {
      sessionMebibytes = Math.max(sessionMebibytes, privateBytes(pid) / 2 ** 20);
    }
  };
  const spent = (): number => familySeconds(server) + processorSeconds(process.pid);
  const sampling = setInterval(sample, SAMPLE_MS);
  const [startedAt, spentBefore] = [performance.now(), spent()];
  try {
    await work();
    sample();
    return {
      seconds: (performance.now() - startedAt) / 1000,
      processorSeconds: spent() - spentBefore,
      programMebibytes,
      sessionMebibytes,
    };
  } finally {
    clearInterval(sampling);
  }
}

async function measure(core: Core, server: number): Promise<Round> {
  const { database } = core;
  await database.query('CHECKPOINT').catch(() => undefined);
  const bare = await watched(server, async () => {
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
  await database.query('CHECKPOINT').catch(() => undefined);
  const copy = await watched(server, () => new Copy(parts).run(SETTINGS));
  const check = await watched(server, async () => {
    const report = await verify(parts, { isComparingPoints: false });
    if (report.differing > 0 || report.migrated !== report.legacy) throw new Error('The copy is not right');
  });
  return { bare, copy, check };
}

async function report(found: readonly [number, Round[]][], points: string[], joins: string[]): Promise<void> {
  const of = (rounds: readonly Round[], value: (round: Round) => number): number => median(rounds.map(value));
  const rate = (size: number, seconds: number): string => Math.round(size / seconds).toLocaleString('en');
  await writeResult('legacy', 'Moving the polymorphic table', [
    'The document’s own table, five rows a record, three entity types, moved by `kindred legacy copy` without its work in Qdrant,',
    'beside the document’s own `INSERT … SELECT` of the same rows into its own Solution 1 tables with their indexes. The copy',
    'also looks up every record, finds duplicates, hashes and captures every row, writes the ledger of points and queues the',
    'records. Medians of rounds, each in a fresh copy of the database, bare and copy in turns; the embedded PostgreSQL. Processor',
    'seconds are those of PostgreSQL with all of its processes and of the program; they depend less on what else the machine does.',
    '',
    table(
      [
        'rows',
        'rounds',
        'bare, s',
        'copy, s',
        'ratio',
        'target',
        'bare, processor s',
        'copy, processor s',
        'ratio',
        'copy, rows/s',
        'verify, s',
        'verify, rows/s',
        'verify, processor s',
      ],
      found.map(([size, rounds]) => {
        const copy = of(rounds, (round) => round.copy.seconds);
        const check = of(rounds, (round) => round.check.seconds);
        return [
          size.toLocaleString('en'),
          rounds.length,
          of(rounds, (round) => round.bare.seconds).toFixed(1),
          copy.toFixed(1),
          of(rounds, (round) => round.copy.seconds / round.bare.seconds).toFixed(2),
          `≤ ${TARGET}`,
          of(rounds, (round) => round.bare.processorSeconds).toFixed(1),
          of(rounds, (round) => round.copy.processorSeconds).toFixed(1),
          of(rounds, (round) => round.copy.processorSeconds / round.bare.processorSeconds).toFixed(2),
          rate(size, copy),
          check.toFixed(1),
          rate(size, check),
          of(rounds, (round) => round.check.processorSeconds).toFixed(1),
        ];
      }),
    ),
    '',
    'The most memory that the program had, and a session of PostgreSQL for itself, shared buffers aside, in MiB:',
    '',
    table(
      ['rows', 'bare, session', 'copy, program', 'copy, session', 'verify, program', 'verify, session'],
      found.map(([size, rounds]) => [
        size.toLocaleString('en'),
        ...(
          [
            ({ bare }) => bare.sessionMebibytes,
            ({ copy }) => copy.programMebibytes,
            ({ copy }) => copy.sessionMebibytes,
            ({ check }) => check.programMebibytes,
            ({ check }) => check.sessionMebibytes,
          ] as ((round: Round) => number)[]
        ).map((value) => Math.max(...rounds.map(value)).toFixed(0)),
      ]),
    ),
    '',
    ...points,
    '',
    ...joins,
  ]);
}
