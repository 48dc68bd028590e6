import type { SqlRunner } from '../db/database';
import { isSetForLater } from '../outbox/outbox-conditions';
import type { RecordKind } from '../record/record-spec';

/** How far the collection beside the live one of a kind is filled. */
export interface StandbyCount {
  kind: string;
  /** Points that it should hold: one for each embedding row. */
  rows: number;
  /** Points that it holds as new as the live collection does, or newer. */
  filled: number;
  /** Points that are yet to be written. */
  missing: number;
  /** Points that were given up; see the dead letters. */
  dead: number;
  /** Points of `missing` and `dead` that the live collection has or may get, so that they would be lost to searches. */
  lacking: number;
}

/** Longer than any statement by which a relay records what it has written. */
const RECENT = '10 minutes';

/**
 * Of point `p` of the ledger and what is beside it, `s`: whether that is as new as what the live collection holds. A vector
 * that was taken over is of the live model, and has to be given up first.
 */
const IS_FILLED = `s.indexed_hash IS NOT NULL AND s.indexed_revision >= coalesce(p.indexed_revision, 0)
           AND p.adopted_from IS NULL`;
/** The kinds among `$1` that have something beside the live collection, which stays so until the statement ends. */
const BESIDE = `beside AS MATERIALIZED (
         SELECT kind FROM embedding_generations WHERE kind = ANY ($1) AND state = 'building' ORDER BY id FOR SHARE
       )`;
const POINTS = `vector_points p LEFT JOIN standby_points s ON s.point_id = p.point_id AND s.kind = p.kind`;

/** The statements on what is beside the live collections of all kinds together. */
export class StandbyStore {
  constructor(
    private readonly sql: SqlRunner,
    private readonly kinds: readonly string[],
  ) {}

  /** Reads the whole ledger. */
  count(): Promise<StandbyCount[]> {
    return this.sql.query<StandbyCount>(
      `WITH dead AS MATERIALIZED (
         SELECT DISTINCT key FROM outbox_events WHERE topic = 'build' AND kind = ANY ($1) AND dead_at IS NOT NULL
       ), points AS (
         SELECT p.kind, p.state, ${IS_FILLED} AS is_filled, dead.key IS NOT NULL AS is_dead
         FROM ${POINTS} LEFT JOIN dead ON dead.key = p.point_id::text
         WHERE p.kind = ANY ($1) AND p.state <> 'deleting'
       )
       SELECT k.kind, count(points.kind)::int AS rows, count(*) FILTER (WHERE is_filled)::int AS filled,
         count(*) FILTER (WHERE NOT is_filled AND NOT is_dead)::int AS missing,
         count(*) FILTER (WHERE NOT is_filled AND is_dead)::int AS dead,
         count(*) FILTER (WHERE NOT is_filled AND NOT (is_dead AND state = 'failed'))::int AS lacking
       FROM unnest($1::text[]) WITH ORDINALITY AS k (kind, place) LEFT JOIN points ON points.kind = k.kind
       GROUP BY k.kind, k.place ORDER BY k.place`,
      [this.kinds],
    );
  }

  /** Whether any event will yet fill something. */
  async isWorkedOn(): Promise<boolean> {
    const rows = await this.sql.query(
      `SELECT 1 FROM outbox_events WHERE topic = 'build' AND kind = ANY ($1) AND dead_at IS NULL LIMIT 1`,
      [this.kinds],
    );
    return rows.length > 0;
  }

  /** Queues what is missing and not queued yet. @returns how many points */
  async queueMissing(): Promise<number> {
    const rows = await this.sql.query<{ count: number }>(
      `WITH ${BESIDE}, queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'build', p.kind, p.point_id::text, 1 FROM ${POINTS}
         WHERE p.kind IN (SELECT kind FROM beside) AND p.state <> 'deleting'
           AND (s.indexed_hash IS NULL OR s.indexed_revision < p.revision OR p.adopted_from IS NOT NULL)
           AND NOT EXISTS (
             SELECT 1 FROM outbox_events e
             WHERE e.kind = p.kind AND e.key = p.point_id::text AND e.topic = 'build'
           )
         ON CONFLICT DO NOTHING RETURNING 1
       ), announced AS (
         SELECT pg_notify('kindred_outbox', 'build')
       )
       SELECT (SELECT count(*) FROM queued)::int AS count FROM announced`,
      [this.kinds],
    );
    return rows[0]?.count ?? 0;
  }

  /**
   * What is said of the live collections and of those beside them changes places, for those points of which it differs; of
   * the others nothing has to be written. Points whose new live entry is behind are queued.
   * @param keepsFormer or what is said of the former live collections is forgotten
   */
  async exchange(keepsFormer: boolean): Promise<void> {
    await this.sql.query(
      `WITH differing AS MATERIALIZED (
         SELECT p.point_id, p.kind, s.indexed_revision AS next_revision, s.indexed_hash AS next_hash,
           p.indexed_revision AS former_revision, p.indexed_hash AS former_hash,
           p.generation_id IS NOT NULL AND p.indexed_revision IS NOT NULL AS was_held, g.id AS next_generation
         FROM ${POINTS} JOIN embedding_generations g ON g.kind = p.kind AND g.state = 'building'
         WHERE p.kind = ANY ($1) AND p.state <> 'deleting'
           AND (s.indexed_revision, s.indexed_hash) IS DISTINCT FROM (p.indexed_revision, p.indexed_hash)
         FOR UPDATE OF p
       ), taken AS (
         UPDATE vector_points p SET indexed_revision = d.next_revision, indexed_hash = d.next_hash,
           generation_id = CASE WHEN d.next_revision IS NOT NULL THEN d.next_generation END,
           indexed_at = CASE WHEN d.next_hash IS NOT NULL THEN now() ELSE p.indexed_at END,
           state = CASE WHEN d.next_hash IS NOT NULL AND d.next_revision = p.revision THEN 'indexed'
             WHEN p.state = 'failed' THEN 'failed' ELSE 'pending' END,
           state_since = now()
         FROM differing d WHERE p.point_id = d.point_id
         RETURNING p.point_id, p.kind, p.state
       ), given AS (
         INSERT INTO standby_points AS s (point_id, kind, indexed_revision, indexed_hash)
         SELECT point_id, kind, former_revision, former_hash FROM differing WHERE was_held
         ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, indexed_revision = EXCLUDED.indexed_revision,
           indexed_hash = EXCLUDED.indexed_hash
       ), forgotten AS (
         DELETE FROM standby_points s USING differing d WHERE s.point_id = d.point_id AND NOT d.was_held
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', kind, point_id::text, 0 FROM taken WHERE state = 'pending' ON CONFLICT DO NOTHING`,
      [this.kinds],
    );
    if (keepsFormer) return void (await this.queueMissing());
    // Where a request may still be under way, it is to what is live now.
    await this.sql.query(
      `UPDATE outbox_events e SET topic = 'point'
       WHERE topic = 'build' AND kind = ANY ($1) AND dead_at IS NULL
         AND (lease_owner IS NOT NULL OR ${isSetForLater('e')})
         AND NOT EXISTS (
           SELECT 1 FROM outbox_events o
           WHERE o.kind = e.kind AND o.key = e.key AND o.topic = 'point' AND o.captured_xid = e.captured_xid
         )`,
      [this.kinds],
    );
    await this.forget();
  }

  /** Forgets what is beside the live collections, and what was to be done about it. */
  async forget(): Promise<void> {
    await this.sql.query('DELETE FROM standby_points WHERE kind = ANY ($1)', [this.kinds]);
    await this.sql.query(`DELETE FROM outbox_events WHERE topic = 'build' AND kind = ANY ($1)`, [this.kinds]);
  }

  /** Forgets that these points are held, and queues them to be written again or, where their rows are gone, deleted. */
  async requeue(kind: string, pointIds: readonly string[]): Promise<void> {
    await this.sql.query(
      `WITH ${BESIDE}, forgotten AS (
         DELETE FROM standby_points WHERE point_id = ANY ($2::uuid[]) AND kind = ANY ($1)
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'build', kind, id::text, 1 FROM beside CROSS JOIN unnest($2::uuid[]) AS asked (id) ON CONFLICT DO NOTHING`,
      [[kind], pointIds],
    );
  }

  /** Queues every record to be rendered again. */
  async queueRecords(kinds: readonly RecordKind[]): Promise<void> {
    for (const { kind, table } of kinds) {
      await this.sql.query(
        `INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'source', $1, id::text, 1 FROM ${table} ON CONFLICT DO NOTHING`,
        [kind],
      );
    }
    await this.sql.query(`SELECT pg_notify('kindred_outbox', 'source')`);
  }

  /**
   * Queues what follows from new vectors, for every point of these kinds.
   * @param options.isRecentOnly only for those that were written in the minutes before this transaction, and since
   */
  async queueFollowUps(
    topic: string,
    kinds: readonly string[],
    options: { isRecentOnly?: boolean } = {},
  ): Promise<void> {
    await this.sql.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT $1, kind, point_id::text, 1 FROM vector_points
       WHERE kind = ANY ($2) AND indexed_hash IS NOT NULL AND state <> 'deleting'
         AND ($3::boolean IS NOT TRUE OR indexed_at > now() - interval '${RECENT}') ON CONFLICT DO NOTHING`,
      [topic, kinds, options.isRecentOnly ?? false],
    );
    await this.sql.query(`SELECT pg_notify('kindred_outbox', $1)`, [topic]);
  }
}
