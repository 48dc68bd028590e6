import { randomUUID } from 'node:crypto';

import type { SqlRunner } from '../db/database';
import { BULK, isSetForLater, URGENT } from './outbox-conditions';
import type { OutboxTopic, PointTopic } from './outbox-event.entity';

/** All living events of one key, taken together. */
export interface ClaimedKey {
  kind: string;
  /** `source`: the record's id. `point` and follow-ups: the point's id. */
  key: string;
  eventIds: string[];
  /** Failed attempts so far, the most of any of its events. */
  attempts: number;
  /** Whether an earlier worker may still be writing for it: it lost its lease, or its last request had no answer. */
  isContested: boolean;
  /** W3C trace context of the latest change that had one. */
  traceParent?: string;
}

/** Keys that one worker has taken until its lease ends. All are of one topic and one priority. */
export interface Claim {
  /** Names the lease; new for every claim. */
  owner: string;
  topic: OutboxTopic;
  isBulk: boolean;
  keys: ClaimedKey[];
}

/** What a worker looks for. */
export interface ClaimScope {
  topic: OutboxTopic;
  kinds: readonly string[];
  /** How many keys it can take at once; a few more may come. */
  size: number;
  /** Leaves bulk work alone. */
  isUrgentOnly?: boolean;
}

export interface Failure {
  code: string;
  message: string;
  /** Failed attempts, this one included. */
  attempts: number;
  retryInMs: number;
  isDead: boolean;
}

interface ClaimedRow {
  id: string;
  kind: string;
  key: string;
  attempts: number;
  traceParent: string | null;
  isDead: boolean;
  isInDoubt: boolean;
}

/** A tenth of what an event has waited: at once where a writer holds a record for a moment, rarely where it does for an hour. */
const BUSY_PAUSE = `least(interval '5 seconds', greatest(interval '100 milliseconds', (now() - captured_at) / 10))`;
const MAX_EVENTS_A_KEY = 1000;

// None of the statements on the outbox is prepared. The table is empty one minute and has a million rows the next, and a
// plan that was kept from the one would read all of it in the other. For the same reason limits are literals: of a
// parameter the planner expects a tenth of the table, which it would rather sort than take from the index in order. And
// each look-up asks for an order that the index has, or the planner, where one kind has all the events, would look for
// those of another by reading the table.
const WAITING = `
  SELECT p.priority, k.kind FROM unnest($2::smallint[]) AS p (priority) CROSS JOIN unnest($3::text[]) AS k (kind)
  CROSS JOIN LATERAL (
    SELECT 1 FROM outbox_events o
    WHERE o.topic = $1 AND o.priority = p.priority AND o.kind = k.kind AND o.dead_at IS NULL AND o.available_at <= now()
      AND (o.leased_until IS NULL OR o.leased_until <= now())
    ORDER BY o.available_at, o.id LIMIT 1
  ) e`;

// No index has a lease, and pages are left more than half empty (fillfactor), so that taking an event writes its row and nothing
// else. What others have leased is passed over in the index: as much as all workers hold.
//
// All living events of the chosen keys come along, except what another worker holds; dead ones do too, for a success
// settles them as well, and one that was given up in doubt still is. A check that was set for later and comes along before its
// time says that its doubt is not over. A key with more events than anyone should hold at once is taken in parts.
const claimUpTo = (keysOfAKind: number): string => `
  WITH due AS (
    SELECT e.kind, e.key FROM unnest($4::text[]) AS k (kind) CROSS JOIN LATERAL (
      SELECT o.kind, o.key FROM outbox_events o
      WHERE o.topic = $1 AND o.priority = $5 AND o.kind = k.kind AND o.dead_at IS NULL AND o.available_at <= now()
        AND (o.leased_until IS NULL OR o.leased_until <= now())
      ORDER BY o.available_at, o.id LIMIT ${keysOfAKind}
      FOR UPDATE SKIP LOCKED
    ) e
  ), held AS (
    SELECT e.id, e.is_in_doubt, e.is_dead FROM (SELECT DISTINCT kind, key FROM due) k CROSS JOIN LATERAL (
      SELECT o.id, o.dead_at IS NOT NULL AS is_dead,
        o.lease_owner IS NOT NULL OR (o.dead_at IS NULL AND ${isSetForLater('o')}) AS is_in_doubt
      FROM outbox_events o
      WHERE o.kind = k.kind AND o.key = k.key AND o.topic = $1
        AND (o.leased_until IS NULL OR o.leased_until <= now())
      ORDER BY o.id LIMIT ${MAX_EVENTS_A_KEY}
      FOR UPDATE SKIP LOCKED
    ) e
  ), taken AS (
    UPDATE outbox_events SET lease_owner = $2, leased_until = now() + $3 * interval '1 millisecond'
    WHERE id = ANY (ARRAY(SELECT id FROM held))
    RETURNING id, kind, key, attempts, trace_parent
  )
  SELECT taken.id, taken.kind, taken.key, taken.attempts, taken.trace_parent AS "traceParent",
    held.is_dead AS "isDead", held.is_in_doubt AS "isInDoubt"
  FROM taken JOIN held USING (id) ORDER BY taken.id`;

/** The queue: every statement on `outbox_events` that takes work or gives it back. */
export class OutboxStore {
  constructor(private readonly sql: SqlRunner) {}

  /**
   * Takes about `scope.size` keys for `leaseMs`: what someone may be waiting for first, the oldest first, kinds with work
   * in equal shares, so that none waits behind the backlog of another. Never waits for another worker.
   * @returns `undefined` when nothing is due
   */
  async claim(scope: ClaimScope, leaseMs: number): Promise<Claim | undefined> {
    const { topic, kinds, size } = scope;
    const priorities = scope.isUrgentOnly === true ? [URGENT] : [URGENT, BULK];
    const waiting = await this.sql.query<{ priority: number; kind: string }>(WAITING, [topic, priorities, kinds]);
    for (const priority of priorities) {
      const active = waiting.filter((found) => found.priority === priority).map(({ kind }) => kind);
      if (active.length === 0) continue;
      const owner = randomUUID();
      const rows = await this.sql.query<ClaimedRow>(claimUpTo(Math.ceil(size / active.length)), [
        topic,
        owner,
        leaseMs,
        active,
        priority,
      ]);
      if (rows.length > 0) return { owner, topic, isBulk: priority === BULK, keys: byKey(rows) };
      // Another worker took all of that at this moment; less urgent work need not wait for it.
    }
    return undefined;
  }

  /**
   * Prolongs a lease.
   * @returns false when any of it has been lost to another worker
   */
  async renew(claim: Claim, keys: readonly ClaimedKey[], leaseMs: number): Promise<boolean> {
    const ids = eventIds(keys);
    const rows = await this.sql.query(
      `UPDATE outbox_events SET leased_until = now() + $3 * interval '1 millisecond'
       WHERE id = ANY ($1::bigint[]) AND lease_owner = $2 RETURNING id`,
      [ids, claim.owner, leaseMs],
    );
    return rows.length === ids.length;
  }

  /**
   * Removes the events of keys that are done. Pass a transaction to make it one with the work itself.
   * @returns the keys whose lease was lost, so that another worker has them too
   */
  async acknowledge(
    claim: Claim,
    keys: readonly ClaimedKey[],
    sql: SqlRunner = this.sql,
  ): Promise<readonly ClaimedKey[]> {
    if (keys.length === 0) return [];
    const rows = await sql.query<{ id: string }>(
      'DELETE FROM outbox_events WHERE id = ANY ($1::bigint[]) AND lease_owner = $2 RETURNING id',
      [eventIds(keys), claim.owner],
    );
    const removed = new Set(rows.map((row) => row.id));
    return keys.filter((key) => key.eventIds.some((id) => !removed.has(id)));
  }

  /**
   * Gives keys back for another attempt later, or for good as dead letters. What was contested stays so until it is settled:
   * the request that nobody knows the end of may still arrive.
   */
  async fail(claim: Claim, keys: readonly ClaimedKey[], failure: Failure): Promise<void> {
    await this.sql.query(
      `UPDATE outbox_events SET lease_owner = CASE WHEN id = ANY ($8::bigint[]) THEN lease_owner END,
         leased_until = CASE WHEN id = ANY ($8::bigint[]) THEN now() END, attempts = $3, error_code = $4, error = $5,
         available_at = now() + $6 * interval '1 millisecond',
         dead_at = CASE WHEN $7 THEN coalesce(dead_at, now()) ELSE dead_at END
       WHERE id = ANY ($1::bigint[]) AND lease_owner = $2`,
      [
        eventIds(keys),
        claim.owner,
        failure.attempts,
        failure.code,
        failure.message,
        failure.retryInMs,
        failure.isDead,
        eventIds(keys.filter((key) => key.isContested)),
      ],
    );
  }

  /**
   * Gives keys back without counting an attempt.
   * @param isUncertain a request for them may still be under way; whoever takes them next is told
   * @param isBusy a writer holds what they are about, so they are left alone for a moment
   */
  async release(
    claim: Claim,
    keys: readonly ClaimedKey[],
    options: { isUncertain?: boolean; isBusy?: boolean } = {},
  ): Promise<void> {
    if (keys.length === 0) return;
    await this.sql.query(
      `UPDATE outbox_events SET lease_owner = CASE WHEN id = ANY ($3::bigint[]) THEN lease_owner END,
         leased_until = CASE WHEN id = ANY ($3::bigint[]) THEN now() END, available_at = now() + CASE WHEN $4 THEN ${BUSY_PAUSE} ELSE '0' END,
         error_code = CASE WHEN $4 THEN 'BUSY' ELSE error_code END
       WHERE id = ANY ($1::bigint[]) AND lease_owner = $2`,
      [
        eventIds(keys),
        claim.owner,
        eventIds(keys.filter((key) => options.isUncertain === true || key.isContested)),
        options.isBusy ?? false,
      ],
    );
  }

  /**
   * Ends every lease now. For a database whose workers are known to be gone; whoever takes their work next is told that
   * a request of theirs may still be under way.
   */
  async endLeases(): Promise<void> {
    await this.sql.query('UPDATE outbox_events SET leased_until = now() WHERE leased_until > now()');
  }

  /**
   * Queues points to be brought to their rows' state, `delayMs` from now. What concerned a collection beside the live one that
   * is not beside it any more concerns the live one.
   */
  async enqueuePoints(
    points: readonly { kind: string; pointId: string }[],
    options: { isBulk: boolean; delayMs?: number; topic?: PointTopic },
  ): Promise<void> {
    if (points.length === 0) return;
    await this.sql.query(
      `WITH beside AS MATERIALIZED (
         SELECT kind FROM embedding_generations
         WHERE $5 = 'build' AND kind = ANY ($1::text[]) AND state = 'building' ORDER BY id FOR SHARE
       )
       INSERT INTO outbox_events (topic, kind, key, priority, available_at)
       SELECT CASE WHEN p.kind IN (SELECT kind FROM beside) THEN 'build' ELSE 'point' END, p.kind, p.key, $3,
         now() + $4 * interval '1 millisecond'
       FROM unnest($1::text[], $2::text[]) AS p (kind, key) ON CONFLICT DO NOTHING`,
      [
        points.map((point) => point.kind),
        points.map((point) => point.pointId),
        options.isBulk ? BULK : URGENT,
        options.delayMs ?? 0,
        options.topic ?? 'point',
      ],
    );
  }
}

function eventIds(keys: readonly ClaimedKey[]): string[] {
  return keys.flatMap((key) => key.eventIds);
}

function byKey(rows: readonly ClaimedRow[]): ClaimedKey[] {
  const keys = new Map<string, ClaimedKey>();
  for (const row of rows) {
    const name = `${row.kind} ${row.key}`;
    let claimed = keys.get(name);
    if (!claimed) {
      claimed = { kind: row.kind, key: row.key, eventIds: [], attempts: 0, isContested: false };
      keys.set(name, claimed);
    }
    claimed.eventIds.push(row.id);
    // A dead letter has spent its attempts; what came after it has not.
    if (!row.isDead) claimed.attempts = Math.max(claimed.attempts, row.attempts);
    claimed.isContested ||= row.isInDoubt;
    claimed.traceParent = row.traceParent ?? claimed.traceParent;
  }
  return [...keys.values()];
}
