import type { Database, Transaction } from '../db/database';
import type { RecordKind } from '../record/record-spec';
import { findCaptureDamage, type CaptureDamage } from './capture-check';
import { kindsFollowing } from './capture-dependents';
import { captureFunctions, createHashTrigger, HASH_TRIGGER } from './capture-sql';

export interface CaptureRepair {
  /** What was wrong before. */
  damages: CaptureDamage[];
  /** Records and points that were queued to be looked at. */
  queued: number;
}

/**
 * Makes damaged capture triggers anew and queues everything that may have changed unseen, as bulk work. One transaction:
 * making a trigger waits for the writers of its table, so every change is either queued here or captured.
 */
export function restoreCapture(database: Database, kinds: readonly RecordKind[]): Promise<CaptureRepair> {
  return database.transaction({ isBulk: true }, async (transaction) => {
    const damages = await findCaptureDamage(transaction, kinds);
    const tables = new Set(damages.map((damage) => damage.table));
    const damaged = captureFunctions(kinds).filter((capture) => tables.has(capture.table));
    for (const capture of damaged) {
      await transaction.query(`DROP FUNCTION IF EXISTS ${capture.name}() CASCADE`);
      await transaction.query(capture.createFunction);
      for (const trigger of capture.triggers) {
        // One of that name may be there that calls something else.
        await transaction.query(`DROP TRIGGER IF EXISTS ${trigger.name} ON ${capture.table}`);
        for (const statement of trigger.create) await transaction.query(statement);
      }
    }
    const embeddings = kinds.flatMap(({ embedding }) =>
      embedding && tables.has(embedding.table) ? [embedding.table] : [],
    );
    for (const table of embeddings) {
      await transaction.query(`DROP TRIGGER IF EXISTS ${HASH_TRIGGER} ON ${table}`);
      await transaction.query(createHashTrigger(table));
      // Texts that were changed without it are hashed now.
      await transaction.query(`UPDATE ${table} SET text = text`);
    }
    const stale = new Set(damaged.flatMap((capture) => kindsFollowing(capture.table, kinds)));
    let queued = 0;
    for (const kind of stale) queued += await queueRecords(transaction, kind);
    for (const kind of kinds)
      if (tables.has(kind.embedding?.table ?? '')) queued += await queuePoints(transaction, kind);
    await transaction.query(`SELECT pg_notify('kindred_outbox', '')`);
    return { damages, queued };
  });
}

async function queueRecords(sql: Transaction, kind: RecordKind): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `WITH queued AS (
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'source', $1, id::text, 1 FROM ${kind.table} ON CONFLICT DO NOTHING RETURNING 1
     ) SELECT count(*)::int AS count FROM queued`,
    [kind.kind],
  );
  return row?.count ?? 0;
}

/** Brings the ledger to the rows there are, and has every point compared with its row. */
async function queuePoints(sql: Transaction, kind: RecordKind): Promise<number> {
  const spec = kind.embedding;
  if (!spec) return 0;
  const [row] = await sql.query<{ count: number }>(
    `WITH present AS (
       INSERT INTO vector_points AS point (point_id, kind, entity_id)
       SELECT row.qdrant_point_id, $1, row.${spec.sourceColumn} FROM ${spec.table} row
       ON CONFLICT (point_id) DO UPDATE SET entity_id = EXCLUDED.entity_id, state = 'pending',
         revision = nextval('kindred_revision'), state_since = now(), error = NULL, error_code = NULL
       WHERE point.kind = EXCLUDED.kind
       RETURNING point.point_id
     ), gone AS (
       UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
       WHERE point.kind = $1 AND NOT EXISTS (SELECT 1 FROM ${spec.table} row WHERE row.qdrant_point_id = point.point_id)
       RETURNING point.point_id
     ), queued AS (
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, touched.point_id::text, 1 FROM (TABLE present UNION ALL TABLE gone) touched
       ON CONFLICT DO NOTHING RETURNING 1
     ) SELECT count(*)::int AS count FROM queued`,
    [kind.kind],
  );
  return row?.count ?? 0;
}
