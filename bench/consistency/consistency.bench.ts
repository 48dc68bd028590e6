import path from 'node:path';
import pino from 'pino';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { createCore, type Core } from '../../src/app/core';
import { serverProcess } from '../relay/processes';
import { startEmbedded, startQdrant, withFolder, type BenchPostgres } from '../relay/stores';
import { table, writeResult, type Row } from '../support/report';
import { DIMENSIONS, HEAP_LIMIT, runConsistency, type CommandFigures, type StoreUrls } from './checked-command';
import { fillUpTo } from './fill';

const SIZES = (process.env['BENCH_POINTS'] ?? '100000,1000000').split(',').map(Number);
const PAGE = 1000;
/** The embedded server sorts all ids when it is first asked for a page. */
const PATIENCE_MS = 60_000;

/** What complete checks and repairs need, where all is well and where all is lost, at several sizes. */
export function consistencyBench(): Promise<void> {
  return withFolder(async (folder) => {
    const postgres = await startEmbedded(path.join(folder, 'postgres'));
    try {
      const rows: Row[] = [];
      for (const size of SIZES) rows.push(...(await measure(size, postgres, path.join(folder, `qdrant-${size}`))));
      await writeResult('consistency', 'The consistency check, by the number of points', [
        '`kindred consistency check` and `repair`, the commands themselves, each in a process that may use no more than',
        `${HEAP_LIMIT} MiB of garbage-collected memory (\`--max-old-space-size=${HEAP_LIMIT}\`; it would end otherwise). Stories of 4 passages of some`,
        '45 words, so the records are a quarter of the points; every one is rendered and compared with its rows, and every row with',
        'its ledger entry and its point. The embedded PostgreSQL and the embedded vector server, each in a process of its own. The',
        'stores are filled by the relay’s own statements, without its queue and its model; vectors have 8 numbers, as a check reads',
        'none. Seconds are those of the whole command, start included; processor seconds are those of the program and both servers, and',
        'depend less on what else the machine does. Memory is the most that was resident, and the most that a PostgreSQL session had',
        'for itself, shared buffers aside.',
        '',
        table(
          [
            'points',
            'what is there',
            'command',
            'seconds',
            'processor s',
            'found',
            'program, MiB',
            'session, MiB',
            'temporary files, MiB',
          ],
          rows,
        ),
      ]);
    } finally {
      await postgres.stop();
    }
  });
}

async function measure(size: number, postgres: BenchPostgres, folder: string): Promise<Row[]> {
  const qdrant = await startQdrant(folder);
  try {
    const urls = { databaseUrl: await postgres.database(`consistency_${size}`), qdrantUrl: qdrant.url };
    const pids = { postgres: await serverProcess(urls.databaseUrl), qdrant: qdrant.pid };
    const rows: Row[] = [];
    const run = async (what: string, found: (figures: CommandFigures) => string, command: string): Promise<void> => {
      const figures = await runConsistency(urls, pids, command);
      rows.push(rowOf(size, what, command, found(figures), figures));
      console.log(JSON.stringify(rows.at(-1)));
    };
    const drift = ({ findings }: CommandFigures): string => `drift ${findings.drift.toLocaleString('en')}`;
    await withCore(urls, async (core) => {
      await core.database.dataSource.runMigrations();
      await core.catalog.start();
      await fillUpTo(core, size);
    });
    await run('everything as it should be', drift, 'check');
    await withCore(urls, loseAllPoints);
    await run('every point lost', drift, 'check');
    await run('every point lost', ({ findings }) => `${(findings.queued ?? 0).toLocaleString('en')} queued`, 'repair');
    await run(
      'every point on its way, no relay running',
      (figures) => `${drift(figures)}, ${pending(figures).toLocaleString('en')} pending`,
      'check',
    );
    return rows;
  } finally {
    await qdrant.stop();
  }
}

async function withCore(urls: StoreUrls, work: (core: Core) => Promise<void>): Promise<void> {
  const core = await createCore({
    ...urls,
    poolSize: 4,
    applicationName: 'kindred bench',
    qdrantTimeoutMs: PATIENCE_MS,
    embedder: createDeterministicEmbedder({ dimensions: DIMENSIONS }),
    logger: pino({ level: 'warn' }, pino.destination(2)),
  });
  try {
    await work(core);
  } finally {
    await core.close();
  }
}

async function loseAllPoints(core: Core): Promise<void> {
  const collection = core.services.route().collection('story');
  const rows = await core.database.query<{ id: string }>('SELECT qdrant_point_id AS id FROM story_chunk_embeddings');
  for (let at = 0; at < rows.length; at += PAGE) await core.store.delete(collection, rows.slice(at, at + PAGE));
}

const pending = ({ findings }: CommandFigures): number => findings.kinds.reduce((sum, kind) => sum + kind.pending, 0);

function rowOf(size: number, what: string, command: string, found: string, figures: CommandFigures): Row {
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const { seconds, processorSeconds, program, session, temporary } = figures;
  return [
    size.toLocaleString('en'),
    what,
    command,
    seconds.toFixed(1),
    processorSeconds.toFixed(1),
    found,
    mebibytes(program),
    mebibytes(session),
    mebibytes(temporary),
  ];
}
