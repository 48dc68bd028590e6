import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { recordKinds } from '../../src/features/registry';
import { Copy } from '../../src/legacy/copy';
import { verify } from '../../src/legacy/verify';
import { childrenOf, privateBytes } from '../relay/processes';
import { startQdrant, type BenchQdrant } from '../relay/stores';
import { seeded } from '../support/random';
import { residentBytes, table } from '../support/report';
import { onDatabase, SETTINGS } from './document-move';

const SIZES = (process.env['BENCH_POINTS'] ?? '10000,30000').split(',').map(Number);
const COLLECTION = 'old_points';
const PAGE = 500;
const ROWS_PER_RECORD = 5;
const SAMPLE_MS = 100;

/** Moving rows whose points are taken over by a relay in the same program, and what memory each side has. @returns Markdown */
export async function movePoints(folder: string, postgresUrl: string, server: number): Promise<string[]> {
  const rows = [];
  for (const size of SIZES) {
    const qdrant = await startQdrant(path.join(folder, `qdrant-${size}`));
    try {
      rows.push(await move(size, postgresUrl, server, qdrant));
      console.log(JSON.stringify(rows.at(-1)));
    } finally {
      await qdrant.stop();
    }
  }
  return [
    '## With the points',
    '',
    'The same move with its points, copied from another collection of the embedded vector server: until everything is in place and',
    'verified, payloads included. The server keeps every vector in memory, those of the old collection too, so its memory grows with',
    'them; nothing else does. The most memory, in MiB.',
    '',
    table(
      [
        'points',
        'copy and take over, s',
        'points/s',
        'verify, s',
        'program',
        'PostgreSQL session',
        'vector server before',
        'after',
        'bytes a point moved',
      ],
      rows,
    ),
  ];
}

async function move(
  size: number,
  postgresUrl: string,
  server: number,
  qdrant: BenchQdrant,
): Promise<(string | number)[]> {
  const name = `bench_points_${size}`;
  await onDatabase(postgresUrl, 'kindred', (core) => core.database.query(`CREATE DATABASE ${name}`));
  return onDatabase(
    postgresUrl,
    name,
    async (core) => {
      const { database, store } = core;
      await database.dataSource.runMigrations();
      await core.catalog.start();
      const points = Array.from({ length: size }, () => randomUUID());
      await putPoints(qdrant.url, points, core.embedder.model.dimensions);
      await database.query(`INSERT INTO profiles (name) SELECT 'P' || n FROM generate_series(1, $1) n`, [
        Math.ceil(size / ROWS_PER_RECORD),
      ]);
      await database.query('TRUNCATE outbox_events');
      await database.query(`CREATE TABLE vector_embeddings (id SERIAL PRIMARY KEY, entity_type VARCHAR(50), entity_id INTEGER,
        qdrant_point_id UUID, embedding_type VARCHAR(50), chunk_index INTEGER, metadata_json TEXT)`);
      await database.query(
        `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
         SELECT 'profile', (n - 1) / ${ROWS_PER_RECORD} + 1, point, 'full_profile', (n - 1) % ${ROWS_PER_RECORD}, '{"n": 1}'
         FROM unnest($1::uuid[]) WITH ORDINALITY AS p (point, n)`,
        [points],
      );
      const parts = {
        database,
        store,
        consistency: core.services.consistency,
        model: core.embedder.model,
        kinds: recordKinds,
      };
      let [program, session, vectors] = [0, 0, 0];
      const before = residentBytes(qdrant.pid);
      const sampling = setInterval(() => {
        program = Math.max(program, process.memoryUsage().rss);
        session = Math.max(session, ...childrenOf(server).map(privateBytes));
        vectors = Math.max(vectors, residentBytes(qdrant.pid));
      }, SAMPLE_MS);
      try {
        const copySeconds = await timed(async () => {
          await new Copy(parts).run({ ...SETTINGS, vectorHome: COLLECTION });
          const relay = core.createRelay();
          relay.start();
          while (!(await core.isIdle())) await new Promise((resolve) => setTimeout(resolve, 20));
          await relay.stop();
        });
        const verifySeconds = await timed(async () => {
          const report = await verify(parts);
          if (!report.isVerified || report.migrated !== size) throw new Error('The move is not right');
        });
        const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
        return [
          size.toLocaleString('en'),
          copySeconds.toFixed(1),
          Math.round(size / copySeconds).toLocaleString('en'),
          verifySeconds.toFixed(1),
          mebibytes(program),
          mebibytes(session),
          mebibytes(before),
          mebibytes(vectors),
          Math.round((vectors - before) / size).toLocaleString('en'),
        ];
      } finally {
        clearInterval(sampling);
      }
    },
    qdrant.url,
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function putPoints(url: string, ids: readonly string[], dimensions: number): Promise<void> {
  const random = seeded(5);
  const put = async (place: string, body: object): Promise<void> => {
    const response = await fetch(`${url}/collections/${COLLECTION}${place}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
  };
  await put('', { vectors: { size: dimensions, distance: 'Cosine' } });
  for (let at = 0; at < ids.length; at += PAGE) {
    const points = ids.slice(at, at + PAGE).map((id) => ({
      id,
      vector: Array.from({ length: dimensions }, () => random() - 0.5),
      payload: { old: true },
    }));
    await put('/points?wait=true', { points });
  }
}
