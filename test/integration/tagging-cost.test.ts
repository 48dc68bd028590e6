import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { SqlRunner } from '../../src/kernel/db/database';
import { taggableOf, type Taggable } from '../../src/features/tag/taggable';
import { AssignmentRows } from '../../src/features/tag/tagging/assignment-rows';
import { compareStatement } from '../../src/features/tag/tagging/compare-statement';
import { SubjectReader, type SubjectPoint } from '../../src/features/tag/tagging/subject-reader';
import { WritePathServers, type WritePath } from '../support/write-path';

const CHUNKS = 3000;
const BATCH = 64;
const GROWING = ['vector_points', 'story_chunk_embeddings', 'story_chunk_tags'];

const taggable = taggableOf('story') as Taggable;
let servers: WritePathServers;
let path: WritePath;
let batch: (SubjectPoint & { id: number })[];

/** Tables as an import leaves them: full, with the statistics of when they were empty. */
beforeAll(async () => {
  servers = await WritePathServers.start();
  path = await servers.open();
  for (const table of GROWING) {
    await path.sql(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    await path.sql(`ANALYZE ${table}`);
  }
  await path.sql(`UPDATE tag_schemes SET kinds = '{}'`);
  await path.sql(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 40) i`);
  const content = Array.from({ length: CHUNKS }, (_, i) => `passage ${i % 100}`).join('\n\n');
  await path.sql(`INSERT INTO stories (title, content) VALUES ('Long', $1)`, [content]);
  const relay = path.relay();
  await path.idle();
  await relay.stop();
  await path.sql(
    `INSERT INTO story_chunk_tags (story_chunk_id, tag_concept_id, score, source, status)
     SELECT chunk.id, tag.id, 0.5, 'auto', 'suggested' FROM story_chunk_embeddings chunk
     JOIN tag_concepts tag ON tag.id % 10 = chunk.id % 10`,
  );
  batch = await path.sql(
    `SELECT e.id, p.point_id AS "pointId", p.indexed_revision AS revision, p.indexed_hash AS hash
     FROM story_chunk_embeddings e JOIN vector_points p ON p.point_id = e.qdrant_point_id ORDER BY e.id LIMIT ${BATCH}`,
  );
});

afterAll(async () => {
  await path?.close();
  await servers?.close();
});

/** Carries statements out after it has noted how. */
function explained(plans: string[]): SqlRunner {
  return {
    query: async (sql, values) => {
      const rows = await path.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return path.database.query(sql, values);
    },
  };
}

const statements: [name: string, run: (sql: SqlRunner) => Promise<unknown>][] = [
  [
    'reads which texts its points are',
    (sql) =>
      new SubjectReader(sql).ofPoints(
        taggable,
        batch.map(({ pointId }) => pointId),
      ),
  ],
  ['sees whether they have changed', (sql) => new SubjectReader(sql).changed(batch)],
  ['reads the tags of its texts', (sql) => new AssignmentRows(sql, taggable).of(batch.map(({ id }) => id))],
  [
    'writes what was found near a tag',
    async (sql) => {
      const [tag] = await path.sql<{ id: number }>(`SELECT id FROM tag_concepts WHERE name = 'tag 1'`);
      await sql.query(compareStatement(taggable), [
        [tag?.id],
        batch.map(() => tag?.id),
        batch.map(({ pointId }) => pointId),
        batch.map(() => 0.6),
        batch.map(({ hash }) => hash),
        path.catalog.route.model.modelId,
        'story',
        ['chunk'],
      ]);
    },
  ],
];

it.each(statements)('a batch reads what it concerns, not the table, when it %s', async (_, run) => {
  const plans: string[] = [];
  await run(explained(plans));
  expect(plans).toHaveLength(1);
  for (const plan of plans) expect(plan).not.toMatch(new RegExp(`Seq Scan on (${GROWING.join('|')})`));
});
