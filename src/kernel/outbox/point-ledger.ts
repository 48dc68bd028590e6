import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { GenerationLedger, PointRecord, WrittenPoint } from './generation-ledger';

interface LoadedRow extends Omit<PointRecord, 'row'> {
  embeddingType: string | null;
  contentHash: string;
  text: string;
  contextLine: string | null;
  isArchived: boolean;
}

/** An event that follows once a point is as it should be. */
export interface FollowUpEvent {
  topic: string;
  /** Whether it also follows a point that only got another payload. */
  isOfPayload: boolean;
}

/**
 * One row while the generation is in that state, held so until the statement ends. Its readers come to nothing else first, so
 * that whoever waits for a promotion here holds nothing that the promotion waits for.
 */
export function stillIn(state: 'live' | 'building', generationId: string): string {
  return `still AS MATERIALIZED (
         SELECT id FROM embedding_generations WHERE id = ${generationId} AND state = '${state}' FOR SHARE
       )`;
}

/**
 * The same of all generations of kind `$5`: whoever queues something for what is beside the live one must not do so once
 * that has been given up, for nobody would take it. In the order in which a promotion takes them.
 */
const CURRENT = `current AS MATERIALIZED (
         SELECT id, state FROM embedding_generations WHERE kind = $5 AND state <> 'retired' ORDER BY id FOR SHARE
       )`;

/**
 * The relay's statements on `vector_points`, which says what the live collections hold. They pass over entries that a
 * writer has locked rather than wait for it: waiting while holding others could end in a deadlock with that writer. What is
 * passed over is queued again.
 *
 * Each looks its points up one by one, LATERAL and LIMIT or ANY (ARRAY (SELECT …)) see to that. As a join the planner
 * would choose by the statistics, which in a growing table are those of when it was small, and read all of it for every
 * batch. Nor are they prepared: a plan made for a table of one page reads all of what that has become.
 */
export class PointLedger implements GenerationLedger {
  /** @param followUpsOf what a new vector of a kind's point leads to */
  constructor(
    private readonly sql: SqlRunner,
    private readonly followUpsOf: (kind: string) => readonly FollowUpEvent[] = () => [],
  ) {}

  async load(kind: RecordKind, pointIds: readonly string[]): Promise<PointRecord[]> {
    const spec = specOf(kind);
    const rows = await this.sql.query<LoadedRow>(
      `SELECT wanted.point_id AS "pointId", p.kind, p.state, p.revision, p.entity_id AS "entityId", p.payload,
         p.indexed_revision AS "indexedRevision",
         p.indexed_hash AS "indexedHash", p.generation_id IS NOT NULL AS "isHeld", p.adopted_from AS "adoptedFrom",
         e.embedding_type AS "embeddingType",
         e.content_hash AS "contentHash", e.text, e.context_line AS "contextLine",
         e.archived_at IS NOT NULL AS "isArchived"
       FROM unnest($1::uuid[]) AS wanted (point_id)
       LEFT JOIN LATERAL (SELECT * FROM vector_points WHERE point_id = wanted.point_id LIMIT 1) p ON true
       LEFT JOIN LATERAL (SELECT * FROM ${spec.table} WHERE qdrant_point_id = wanted.point_id LIMIT 1) e ON true`,
      [pointIds],
    );
    return rows.map((loaded) => {
      const { embeddingType, contentHash, text, contextLine, isArchived, ...point } = loaded;
      const row = embeddingType === null ? null : { embeddingType, contentHash, text, contextLine, isArchived };
      return { ...point, row };
    });
  }

  async beginWriting(
    generationId: number,
    points: readonly { pointId: string; revision: string }[],
  ): Promise<Set<string>> {
    const rows = await this.sql.query<{ pointId: string }>(
      `WITH ${stillIn('live', '$3')}, intended AS MATERIALIZED (
         SELECT i.* FROM still CROSS JOIN unnest($1::uuid[], $2::bigint[]) AS i (point_id, revision)
       ), free AS (
         SELECT p.point_id, p.indexed_hash FROM intended i CROSS JOIN LATERAL (
           SELECT v.point_id, v.indexed_hash FROM vector_points v
           WHERE v.point_id = i.point_id AND v.revision = i.revision AND v.state <> 'deleting'
           LIMIT 1 FOR UPDATE SKIP LOCKED
         ) p
       ), cleared AS (
         UPDATE vector_points SET indexed_hash = NULL
         WHERE point_id = ANY (ARRAY(SELECT point_id FROM free WHERE indexed_hash IS NOT NULL))
       )
       SELECT point_id AS "pointId" FROM free`,
      [points.map((point) => point.pointId), points.map((point) => point.revision), generationId],
    );
    return new Set(rows.map((row) => row.pointId));
  }

  async settle(kind: string, generationId: number, written: readonly WrittenPoint[], isBulk: boolean): Promise<number> {
    if (written.length === 0) return 0;
    const followUps = this.followUpsOf(kind);
    const [row] = await this.sql.query<{ queued: number }>(
      `WITH ${CURRENT}, still AS (
         SELECT id FROM current WHERE id = $6 AND state = 'live'
       ), written AS (
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::boolean[])
           AS w (point_id, revision, content_hash, is_payload_only)
       ), allowed AS MATERIALIZED (
         SELECT w.* FROM still CROSS JOIN written w
       ), free AS (
         SELECT p.point_id FROM allowed w CROSS JOIN LATERAL (
           SELECT v.point_id FROM vector_points v
           WHERE v.point_id = w.point_id AND v.kind = $5 AND v.revision = w.revision AND v.state <> 'deleting'
             AND (NOT w.is_payload_only OR (v.indexed_hash = w.content_hash AND v.generation_id IS NOT NULL))
           LIMIT 1 FOR UPDATE SKIP LOCKED
         ) p
       ), settled AS (
         UPDATE vector_points p SET state = 'indexed', state_since = now(), indexed_at = now(),
           indexed_revision = w.revision, indexed_hash = w.content_hash, generation_id = $6, error = NULL, error_code = NULL
         FROM written w
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM free)) AND p.point_id = w.point_id
         RETURNING p.point_id, w.is_payload_only
       ), followed AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT follow_up.topic, $5, settled.point_id::text, $7
         FROM settled CROSS JOIN unnest($8::text[], $9::boolean[]) AS follow_up (topic, is_of_payload)
         WHERE follow_up.is_of_payload OR NOT settled.is_payload_only
         ON CONFLICT DO NOTHING
       ), built AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'build', $5, settled.point_id::text, 1 FROM settled
         WHERE EXISTS (SELECT 1 FROM current WHERE state = 'building')
         ON CONFLICT DO NOTHING
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', $5, w.point_id::text, $7 FROM written w
         WHERE NOT EXISTS (SELECT 1 FROM settled s WHERE s.point_id = w.point_id)
         ON CONFLICT DO NOTHING RETURNING 1
       )
       SELECT (SELECT count(*) FROM queued)::int AS queued, (SELECT count(*) FROM settled)::int AS settled`,
      [
        written.map((point) => point.pointId),
        written.map((point) => point.revision),
        written.map((point) => point.contentHash),
        written.map((point) => point.isPayloadOnly),
        kind,
        generationId,
        isBulk ? 1 : 0,
        followUps.map(({ topic }) => topic),
        followUps.map(({ isOfPayload }) => isOfPayload),
      ],
    );
    return row?.queued ?? 0;
  }

  /**
   * A point id that was given to a new row meanwhile is queued to be written again, because the point just dropped may have
   * been the new one.
   */
  async settleDeleted(
    kind: string,
    points: readonly { pointId: string; revision: string | null; isContested: boolean }[],
  ): Promise<void> {
    const known = points.filter((point) => point.revision !== null);
    if (known.length === 0) return;
    await this.sql.query(
      `WITH dropped AS (
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS d (point_id, revision, is_contested)
       ), free AS (
         SELECT p.* FROM dropped d CROSS JOIN LATERAL (
           SELECT v.point_id, v.kind, v.revision, v.state FROM vector_points v WHERE v.point_id = d.point_id
           LIMIT 1 FOR UPDATE SKIP LOCKED
         ) p
       ), removed AS (
         DELETE FROM vector_points p USING free JOIN dropped d USING (point_id)
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM free)) AND p.point_id = free.point_id AND free.kind = $4 AND free.revision = d.revision AND NOT d.is_contested
         RETURNING p.point_id
       ), kept AS (
         UPDATE vector_points p SET indexed_revision = p.revision, indexed_hash = NULL, generation_id = NULL
         FROM free JOIN dropped d USING (point_id)
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM free)) AND p.point_id = free.point_id AND free.kind = $4 AND free.revision = d.revision AND d.is_contested
         RETURNING p.point_id
       ), revived AS (
         UPDATE vector_points p SET state = 'pending', state_since = now(), revision = nextval('kindred_revision'),
           indexed_revision = NULL, indexed_hash = NULL
         FROM free JOIN dropped d USING (point_id)
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM free)) AND p.point_id = free.point_id AND free.kind = $4 AND free.revision <> d.revision AND free.state <> 'deleting'
         RETURNING p.point_id
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $4, d.point_id::text, 0 FROM dropped d
       CROSS JOIN LATERAL (SELECT 1 FROM vector_points v WHERE v.point_id = d.point_id AND v.kind = $4 LIMIT 1) p
       WHERE NOT EXISTS (SELECT 1 FROM removed r WHERE r.point_id = d.point_id)
         AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.point_id = d.point_id)
       ON CONFLICT DO NOTHING`,
      [
        known.map((point) => point.pointId),
        known.map((point) => point.revision),
        known.map((point) => point.isContested),
        kind,
      ],
    );
  }

  /** Whether the point is still to be as it was at that revision. */
  async isCurrent({ pointId, revision }: { pointId: string; revision: string }): Promise<boolean> {
    const rows = await this.sql.query(
      `SELECT 1 FROM vector_points WHERE point_id = $1 AND revision = $2 AND state <> 'deleting'`,
      [pointId, revision],
    );
    return rows.length > 0;
  }

  /**
   * Shows why a point is not indexed, unless it has changed since; without a revision, whether or not it has.
   * @returns false when a writer holds the point, who may leave it as it is
   */
  async noteError(
    point: { pointId: string; revision: string | null },
    error: { code: string; message: string; isDead: boolean },
  ): Promise<boolean> {
    const [row] = await this.sql.query<{ isHeld: boolean }>(
      `WITH concerned AS (
         SELECT point_id FROM vector_points
         WHERE point_id = $1 AND revision = coalesce($2::bigint, revision) AND state IN ('pending', 'failed')
       ), free AS (
         SELECT point_id FROM vector_points
         WHERE point_id = $1 AND revision = coalesce($2::bigint, revision) AND state IN ('pending', 'failed')
         FOR UPDATE SKIP LOCKED
       ), noted AS (
         UPDATE vector_points p SET error_code = $3, error = $4,
           state = CASE WHEN $5 THEN 'failed' ELSE 'pending' END,
           state_since = CASE WHEN (p.state = 'failed') = $5 THEN p.state_since ELSE now() END
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM free))
       )
       SELECT EXISTS (TABLE concerned) AND NOT EXISTS (TABLE free) AS "isHeld"`,
      [point.pointId, point.revision, error.code, error.message, error.isDead],
    );
    return row?.isHeld !== true;
  }

  async endAdoption(
    kind: string,
    points: readonly { pointId: string; revision: string; text: string }[],
    isBulk: boolean,
  ): Promise<void> {
    await this.sql.query(
      `WITH ended AS (
         UPDATE vector_points p SET adopted_from = NULL, adopted_hash = NULL, indexed_hash = NULL
         FROM unnest($2::uuid[], $3::bigint[], $5::boolean[]) AS e (point_id, revision, has_text)
         WHERE p.point_id = e.point_id AND p.kind = $1 AND p.revision = e.revision
         RETURNING p.entity_id, p.point_id, e.has_text
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'source', $1, entity_id::text, $4::smallint FROM ended
       UNION SELECT 'point', $1, point_id::text, $4::smallint FROM ended WHERE has_text ON CONFLICT DO NOTHING`,
      [
        kind,
        points.map((point) => point.pointId),
        points.map((point) => point.revision),
        isBulk ? 1 : 0,
        points.map((point) => point.text !== ''),
      ],
    );
  }

  async pointsByHash(kind: string, hashes: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.sql.query<{ hash: string; pointId: string }>(
      `SELECT wanted.hash, p.point_id AS "pointId" FROM unnest($2::text[]) AS wanted (hash) CROSS JOIN LATERAL (
         SELECT point_id FROM vector_points
         WHERE indexed_hash = wanted.hash::char(64) AND kind = $1 AND generation_id IS NOT NULL AND state <> 'deleting'
           AND adopted_from IS NULL LIMIT 1
       ) p`,
      [kind, hashes],
    );
    return new Map(rows.map((row) => [row.hash, row.pointId]));
  }
}
