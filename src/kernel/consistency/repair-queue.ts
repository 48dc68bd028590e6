import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { VectorStore } from '../vector/vector-store';
import type { Drift } from './consistency-report';
import { isOwnId } from './point-stream';

/** More than are taken in the time of one statement. */
const REVISION_HEADROOM = 1_000_000;

/**
 * Puts what differs into the outbox, as bulk work, to be put right like any other change. Only points with ids that
 * Kindred never gives are deleted at once: there is no order among writers of such a point to keep.
 */
export class RepairQueue {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly collectionOf: (kind: string) => string,
  ) {}

  /**
   * @param highestRevision that any point read so far carries
   * @returns how many points were queued, or deleted
   */
  async points(kind: RecordKind, drifts: readonly Drift[], highestRevision: number): Promise<number> {
    const ids = drifts.flatMap(({ pointId }) => pointId ?? []);
    const foreign = ids.filter((id) => !isOwnId(id));
    if (foreign.length > 0) {
      await this.store.delete(
        this.collectionOf(kind.kind),
        foreign.map((id) => ({ id })),
      );
    }
    const own = ids.filter(isOwnId);
    if (own.length === 0) return foreign.length;
    const spec = specOf(kind);
    // A restored backup may be behind its points; they would refuse every write with an older revision. Writers that take
    // revisions between the look at the last one and its being set must not be set back, hence the headroom.
    await this.sql.query(
      `SELECT setval('kindred_revision', $1::bigint + ${REVISION_HEADROOM}) FROM kindred_revision WHERE last_value < $1::bigint`,
      [Math.max(1, highestRevision)],
    );
    const withVector = drifts.filter(({ remedy }) => remedy === 'payload');
    const rows = await this.sql.query(
      `WITH drifted AS (
         SELECT * FROM unnest($2::uuid[]) AS d (point_id)
       ), registered AS (
         INSERT INTO vector_points AS point (point_id, kind, entity_id)
         SELECT row.qdrant_point_id, $1, row.${spec.sourceColumn} FROM drifted CROSS JOIN LATERAL (
           SELECT * FROM ${spec.table} WHERE qdrant_point_id = drifted.point_id LIMIT 1
         ) row
         ON CONFLICT (point_id) DO UPDATE SET entity_id = EXCLUDED.entity_id, state = 'pending',
           revision = nextval('kindred_revision'), state_since = now(), error = NULL, error_code = NULL,
           indexed_hash = CASE WHEN point.point_id = ANY ($3::uuid[]) THEN point.indexed_hash END,
           generation_id = CASE WHEN point.point_id = ANY ($3::uuid[]) THEN point.generation_id END
         WHERE point.kind = $1
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, point_id::text, 1 FROM drifted ON CONFLICT DO NOTHING RETURNING 1`,
      [kind.kind, own, withVector.map(({ pointId }) => pointId)],
    );
    return foreign.length + rows.length;
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
