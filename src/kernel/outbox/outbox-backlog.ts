import type { SqlRunner } from '../db/database';
import { BULK, isSetForLater, PRESENT, URGENT } from './outbox-conditions';

export interface Backlog {
  /** Living events. */
  sources: number;
  points: number;
  /** Work of features that follows on new vectors. */
  followUps: number;
  /** Points of collections that are being built. */
  building: number;
  dead: number;
}

// What `outbox-store.ts` says of the planner holds here too: nothing is prepared, and look-ups ask for the index's order.

/** What the queue holds, without taking any of it. */
export class OutboxBacklog {
  constructor(private readonly sql: SqlRunner) {}

  /** Living and dead events of these kinds. Counts, so its cost grows with the backlog. */
  async count(kinds: readonly string[]): Promise<Backlog> {
    const [row] = await this.sql.query<Backlog>(
      `SELECT count(*) FILTER (WHERE topic = 'source' AND dead_at IS NULL)::int AS sources,
         count(*) FILTER (WHERE topic = 'point' AND dead_at IS NULL)::int AS points,
         count(*) FILTER (WHERE topic NOT IN ('source', 'point', 'build') AND dead_at IS NULL)::int AS "followUps",
         count(*) FILTER (WHERE topic = 'build' AND dead_at IS NULL)::int AS building,
         count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead
       FROM outbox_events WHERE kind = ANY ($1)`,
      [kinds],
    );
    return row ?? { sources: 0, points: 0, followUps: 0, building: 0, dead: 0 };
  }

  /**
   * Whether nothing is due, leased or waiting to be tried again. Dead letters, checks set for later and collections that are
   * being built beside the live ones do not count.
   * Cheap while there is work: only where none is due does it read the table.
   */
  async isIdle(kinds: readonly string[]): Promise<boolean> {
    const [row] = await this.sql.query<{ isIdle: boolean }>(
      `SELECT CASE WHEN EXISTS (
         SELECT 1 FROM unnest(ARRAY['source', 'point']) AS t (topic) CROSS JOIN (VALUES (${URGENT}), (${BULK})) AS p (priority)
         CROSS JOIN unnest($1::text[]) AS k (kind)
         CROSS JOIN LATERAL (
           SELECT 1 FROM outbox_events o
           WHERE o.topic = t.topic AND o.priority = p.priority AND o.kind = k.kind AND o.dead_at IS NULL
             AND o.available_at <= ${PRESENT}
           ORDER BY o.available_at, o.id LIMIT 1
         ) e
       ) THEN false ELSE NOT EXISTS (
         SELECT 1 FROM outbox_events o
         WHERE o.dead_at IS NULL AND o.kind = ANY ($1) AND o.topic <> 'build'
           AND (o.lease_owner IS NOT NULL OR NOT ${isSetForLater('o')})
       ) END AS "isIdle"`,
      [kinds],
    );
    return row?.isIdle ?? true;
  }
}
