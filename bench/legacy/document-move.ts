import pino from 'pino';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { createCore, type Core } from '../../src/app/core';
import type { MoveSettings } from '../../src/legacy/move-settings';

const ROWS_PER_RECORD = 5;

/** Kind, table of the document's Solution 1, foreign key, whole-text type, share of rows. */
export const KINDS = [
  ['profile', 'profiles', 'bare_profile_embeddings', 'full_profile', 0.4],
  ['job_description', 'job_descriptions', 'bare_job_embeddings', 'full_description', 0.3],
  ['work_experience', 'work_experiences', 'bare_work_embeddings', 'full_experience', 0.3],
] as const;

/** The document's table as `fill` makes it, with nothing to be asked of Qdrant. */
export const SETTINGS: MoveSettings = {
  table: { schema: 'public', name: 'vector_embeddings' },
  columns: {},
  entityTypes: {},
  embeddingTypes: {},
  matchBy: 'id',
  timeZone: 'UTC',
  vectorHome: null,
};

/** Kindred on a database of that server; unless a vector server is given, nothing here may ask one. */
export async function onDatabase<T>(
  url: string,
  database: string,
  work: (core: Core) => Promise<T>,
  qdrantUrl = 'http://127.0.0.1:1',
): Promise<T> {
  const core = await createCore({
    databaseUrl: url.replace(/^(postgres(?:ql)?:\/\/[^/?]*)\/[^?]*/, `$1/${database}`),
    poolSize: 4,
    applicationName: 'kindred bench',
    qdrantUrl,
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
export async function fill({ database }: Core, size: number): Promise<void> {
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
