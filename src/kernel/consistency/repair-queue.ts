import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { Drift } from './consistency-report';

/** Puts what differs into the outbox, as bulk work, to be put right like any other change. */
export class RepairQueue {
  constructor(private readonly sql: SqlRunner) {}

  /**
   * @param highestRevision that any point read so far carries
   * @returns how many points were queued
   */
  async points(kind: RecordKind, drifts: readonly Drift[], highestRevision: number): Promise<number> {
    const spec = specOf(kind);
    // A restored backup may be behind its points; they would refuse every write with an older revision.
    await this.sql.query(
      `SELECT setval('kindred_revision', $1::bigint) FROM kindred_revision WHERE last_value < $1::bigint`,
      [Math.max(1, highestRevision)],
    );
    const rows = await this.sql.query(
      `WITH drifted AS (
         SELECT * FROM unnest($2::uuid[], $3::boolean[]) AS d (point_id, has_vector)
       ), registered AS (
         INSERT INTO vector_points AS point (point_id, kind, entity_id)
         SELECT row.qdrant_point_id, $1, row.${spec.sourceColumn} FROM ${spec.table} row
         JOIN drifted ON drifted.point_id = row.qdrant_point_id
         ON CONFLICT (point_id) DO UPDATE SET state = 'pending', revision = nextval('kindred_revision'),
           state_since = now(), error = NULL, error_code = NULL,
           indexed_hash = CASE WHEN (SELECT has_vector FROM drifted d WHERE d.point_id = point.point_id)
             THEN point.indexed_hash END,
           generation_id = CASE WHEN (SELECT has_vector FROM drifted d WHERE d.point_id = point.point_id)
             THEN point.generation_id END
         WHERE point.kind = $1
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, point_id::text, 1 FROM drifted ON CONFLICT DO NOTHING RETURNING 1`,
      [kind.kind, drifts.map(({ pointId }) => pointId), drifts.map(({ remedy }) => remedy === 'payload')],
    );
    return rows.length;
  }

  /** @returns how many records were queued */
  async records(kind: RecordKind, ids: readonly number[]): Promise<number> {
    const rows = await this.sql.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'source', $1, id::text, 1 FROM unnest($2::int[]) AS drifted (id) ON CONFLICT DO NOTHING RETURNING 1`,
      [kind.kind, ids],
    );
    return rows.length;
  }
}
