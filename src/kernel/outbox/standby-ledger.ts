import type { SqlRunner } from '../db/database';
import type { RecordKind } from '../record/record-spec';
import type { GenerationLedger, PointRecord, WrittenPoint } from './generation-ledger';
import { stillIn, type PointLedger } from './point-ledger';

/**
 * The relay's statements on `standby_points`, which says what the collections beside the live ones hold. What belongs in
 * them, and when, is what the ledger of the live ones says: its entries are read here and never changed.
 */
export class StandbyLedger implements GenerationLedger {
  constructor(
    private readonly sql: SqlRunner,
    private readonly live: PointLedger,
  ) {}

  async load(kind: RecordKind, pointIds: readonly string[]): Promise<PointRecord[]> {
    const [records, held] = await Promise.all([
      this.live.load(kind, pointIds),
      this.sql.query<{ pointId: string; indexedRevision: string; indexedHash: string | null }>(
        `SELECT s.point_id AS "pointId", s.indexed_revision AS "indexedRevision", s.indexed_hash AS "indexedHash"
         FROM unnest($2::uuid[]) AS wanted (point_id)
         CROSS JOIN LATERAL (SELECT * FROM standby_points WHERE point_id = wanted.point_id AND kind = $1 LIMIT 1) s`,
        [kind.kind, pointIds],
      ),
    ]);
    const byId = new Map(held.map((point) => [point.pointId, point]));
    return records.map((record) => {
      const { indexedRevision = null, indexedHash = null } = byId.get(record.pointId) ?? {};
      // Whether the live collection has followed says nothing about this one.
      const state = record.state === null || record.state === 'deleting' ? record.state : 'indexed';
      return { ...record, state, indexedRevision, indexedHash, isHeld: byId.has(record.pointId) };
    });
  }

  async beginWriting(
    generationId: number,
    points: readonly { pointId: string; revision: string }[],
  ): Promise<Set<string>> {
    const rows = await this.sql.query<{ pointId: string }>(
      `WITH ${stillIn('building', '$3')}, intended AS MATERIALIZED (
         SELECT i.* FROM still CROSS JOIN unnest($1::uuid[], $2::bigint[]) AS i (point_id, revision)
       ), due AS (
         SELECT p.point_id FROM intended i CROSS JOIN LATERAL (
           SELECT v.point_id FROM vector_points v
           WHERE v.point_id = i.point_id AND v.revision = i.revision AND v.state <> 'deleting' LIMIT 1
         ) p
       ), cleared AS (
         UPDATE standby_points SET indexed_hash = NULL
         WHERE point_id = ANY (ARRAY(SELECT point_id FROM due)) AND indexed_hash IS NOT NULL
       )
       SELECT point_id AS "pointId" FROM due`,
      [points.map((point) => point.pointId), points.map((point) => point.revision), generationId],
    );
    return new Set(rows.map((row) => row.pointId));
  }

  /** What was written to a collection that has been promoted since is looked at again as a live point. */
  async settle(kind: string, generationId: number, written: readonly WrittenPoint[]): Promise<number> {
    if (written.length === 0) return 0;
    const [row] = await this.sql.query<{ queued: number }>(
      `WITH ${stillIn('building', '$6')}, written AS (
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::boolean[])
           AS w (point_id, revision, content_hash, is_payload_only)
       ), allowed AS MATERIALIZED (
         SELECT w.* FROM still CROSS JOIN written w
       ), free AS (
         SELECT w.point_id, w.revision, w.content_hash FROM allowed w CROSS JOIN LATERAL (
           SELECT v.point_id FROM vector_points v
           WHERE v.point_id = w.point_id AND v.kind = $5 AND v.revision = w.revision AND v.state <> 'deleting'
             AND (NOT w.is_payload_only OR EXISTS (
               SELECT 1 FROM standby_points s WHERE s.point_id = v.point_id AND s.indexed_hash = w.content_hash
             ))
           LIMIT 1 FOR KEY SHARE SKIP LOCKED
         ) p
       ), settled AS (
         INSERT INTO standby_points (point_id, kind, indexed_revision, indexed_hash)
         SELECT point_id, $5, revision, content_hash FROM free
         ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, indexed_revision = EXCLUDED.indexed_revision,
           indexed_hash = EXCLUDED.indexed_hash
         RETURNING point_id
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT CASE WHEN EXISTS (SELECT 1 FROM still) THEN 'build' ELSE 'point' END, $5, w.point_id::text, 1 FROM written w
         WHERE NOT EXISTS (SELECT 1 FROM settled s WHERE s.point_id = w.point_id)
         ON CONFLICT DO NOTHING RETURNING 1
       )
       SELECT count(*)::int AS queued FROM queued`,
      [
        written.map((point) => point.pointId),
        written.map((point) => point.revision),
        written.map((point) => point.contentHash),
        written.map((point) => point.isPayloadOnly),
        kind,
        generationId,
      ],
    );
    return row?.queued ?? 0;
  }

  /** Nothing to record: what is said of a point goes with its entry in the ledger. */
  settleDeleted(): Promise<void> {
    return Promise.resolve();
  }

  endAdoption(...about: Parameters<GenerationLedger['endAdoption']>): Promise<void> {
    return this.live.endAdoption(...about);
  }

  async pointsByHash(kind: string, hashes: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.sql.query<{ hash: string; pointId: string }>(
      `SELECT wanted.hash, s.point_id AS "pointId" FROM unnest($2::text[]) AS wanted (hash) CROSS JOIN LATERAL (
         SELECT point_id FROM standby_points WHERE indexed_hash = wanted.hash::char(64) AND kind = $1 LIMIT 1
       ) s`,
      [kind, hashes],
    );
    return new Map(rows.map((row) => [row.hash, row.pointId]));
  }
}
