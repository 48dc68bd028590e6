import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { contentItemSpec } from '../../src/features/content/content-item.spec';
import type { SqlRunner } from '../../src/kernel/db/database';
import { EmbeddingRows, type SourceChanges } from '../../src/kernel/outbox/embedding-rows';
import { PointLedger } from '../../src/kernel/outbox/point-ledger';
import { WritePathServers, type WritePath } from '../support/write-path';

const RECORDS = 3000;
const BATCH = 256;

let servers: WritePathServers;
let path: WritePath;
let points: { pointId: string; revision: string; contentHash: string; entityId: number }[];
let generationId: number;
let rowIds: number[];

/** Tables as an import leaves them: full, with the statistics of when they were empty. */
beforeAll(async () => {
  servers = await WritePathServers.start();
  path = await servers.open();
  for (const table of ['vector_points', 'content_embeddings']) {
    await path.sql(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    await path.sql(`ANALYZE ${table}`);
  }
  const relay = path.relay();
  await path.sql(
    `INSERT INTO content_items (content_type, content_id, content)
     SELECT 'document', 'import-' || i, 'import ' || i FROM generate_series(1, ${RECORDS}) i`,
  );
  await path.idle();
  await relay.stop();
  points = await path.sql(
    `SELECT p.point_id AS "pointId", p.revision, p.indexed_hash AS "contentHash", p.entity_id AS "entityId"
     FROM vector_points p WHERE p.kind = 'content_item' ORDER BY p.entity_id LIMIT ${BATCH}`,
  );
  [{ generationId }] = (await path.sql(`SELECT generation_id AS "generationId" FROM vector_points LIMIT 1`)) as [
    { generationId: number },
  ];
  const rows = await path.sql<{ id: number }>('SELECT id FROM content_embeddings ORDER BY id LIMIT 2');
  rowIds = rows.map(({ id }) => id);
});

afterAll(async () => {
  await path?.close();
  await servers?.close();
});

/** Carries statements out after it has noted how. */
function explained(plans: string[]): SqlRunner {
  return {
    query: async (sql, values, name) => {
      // The plan of a prepared statement is that of when the table was small, however it is written.
      expect(name).toBeUndefined();
      if (sql.startsWith('SET')) return [];
      const rows = await path.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return path.database.query(sql, values);
    },
  };
}

const payloads = (): Map<number, { archived: boolean }> =>
  new Map(points.map(({ entityId }) => [entityId, { archived: true }]));
/** An error is noted point by point. */
function firstPoint(): (typeof points)[number] {
  const [point] = points;
  if (!point) throw new Error('there are no points');
  return point;
}
const written = () => points.map((point) => ({ ...point, isPayloadOnly: false }));
const deleted = () => points.map((point) => ({ ...point, isContested: true }));

/** One row moved and one rewritten. */
function changedRows(): SourceChanges[] {
  const chunk = {
    embeddingType: 'content',
    chunkIndex: 0,
    text: 'changed',
    contextLine: null,
    startOffset: 0,
    endOffset: 7,
    tokenCount: 1,
    headingPath: [],
    contentHash: '',
  };
  const [moved = 0, rewritten = 0] = rowIds;
  const changes = {
    inserted: [],
    deleted: [],
    moved: [{ id: moved, chunk }],
    rewritten: [{ id: rewritten, chunk }],
  };
  return [{ sourceId: 0, changes }];
}

const statements: [name: string, run: (sql: SqlRunner) => Promise<unknown>][] = [
  [
    'loads its points',
    (sql) =>
      new PointLedger(sql).load(
        contentItemSpec,
        points.map(({ pointId }) => pointId),
      ),
  ],
  ['begins to write', (sql) => new PointLedger(sql).beginWriting(generationId, points)],
  ['settles what was written', (sql) => new PointLedger(sql).settle('content_item', generationId, written(), true)],
  ['notes an error', (sql) => new PointLedger(sql).noteError(firstPoint(), { code: 'X', message: 'x', isDead: false })],
  ['settles what was deleted', (sql) => new PointLedger(sql).settleDeleted('content_item', deleted())],
  ['reads the rows of its records', (sql) => new EmbeddingRows(sql).existing(contentItemSpec, [...payloads().keys()])],
  ['changes the rows of its records', (sql) => new EmbeddingRows(sql).apply(contentItemSpec, changedRows())],
  ['sets the payloads of its records', (sql) => new EmbeddingRows(sql).setPayloads(contentItemSpec, payloads())],
];

it.each(statements)('a batch reads what it concerns, not the table, when it %s', async (_, run) => {
  const plans: string[] = [];
  await run(explained(plans));
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) {
    expect(plan).not.toMatch(/Seq Scan on (vector_points|content_embeddings)/);
    // A kind's points are not a batch's; its generations are few.
    const ofMany = plan.replace(/ on embedding_generations .*\n *Index Cond: .*/g, '');
    expect(ofMany).not.toMatch(/Index Cond: \(\(kind\)::text = '[^)]*\)$/m);
  }
});
