import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import type { SqlRunner, Transaction } from '../db/database';
import { DomainError } from '../errors/domain-error';
import { indexingStatus } from './indexing-status';
import type { IndexingStatusRow, SyncService } from './sync-service';

/** What a token refers to: a record whose text or payload may have changed, or a point. */
type SyncRef = [topic: 'source' | 'point', kind: string, key: string];

interface SyncToken {
  xid: string;
  /** Absent when the transaction touched too much to name; then `kinds` says what it touched, and `since` when. */
  refs?: SyncRef[];
  kinds?: string[];
  /** The highest revision there was. */
  since?: string;
}

interface PendingPoint {
  pointId: string;
  revision: string;
}

/** A token of that many references is about 10 kB. */
const MAX_REFS = 250;
const MAX_KINDS = 100;
const LONGEST_TOKEN = 100_000;
const LARGEST_BIGINT = 2n ** 63n - 1n;
const LARGEST_ID = 2 ** 31 - 1;
const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 100;
const MAX_TIMEOUT_MS = 60_000;

const bigintText = z
  .string()
  .regex(/^[0-9]{1,19}$/)
  .refine((text) => BigInt(text) <= LARGEST_BIGINT);

const tokenShape = z.object({
  xid: bigintText,
  refs: z
    .array(
      z.union([
        z.tuple([
          z.literal('source'),
          z.string().max(50),
          z
            .string()
            .regex(/^[0-9]{1,10}$/)
            .refine((id) => Number(id) <= LARGEST_ID),
        ]),
        z.tuple([z.literal('point'), z.string().max(50), z.guid()]),
      ]),
    )
    .max(MAX_REFS)
    .optional(),
  kinds: z.array(z.string().max(50)).max(MAX_KINDS).optional(),
  since: bigintText.optional(),
});

/** Lets a reader wait for one write to be searchable. */
export class Sync implements SyncService {
  constructor(private readonly sql: SqlRunner) {}

  /** A token for everything that this transaction has written so far; call it last, right before the commit. */
  async tokenOf(transaction: Transaction): Promise<string> {
    const rows = await transaction.query<{ xid: string; topic: SyncRef[0]; kind: string; key: string }>(
      `SELECT captured_xid AS xid, topic, kind, key FROM outbox_events
       WHERE captured_xid = kindred_transaction_id() AND topic IN ('source', 'point') LIMIT $1`,
      [MAX_REFS + 1],
      'sync_token',
    );
    const refs = rows.map(({ topic, kind, key }): SyncRef => [topic, kind, key]);
    const xid = rows[0]?.xid ?? '0';
    const token: SyncToken =
      refs.length <= MAX_REFS ? { xid, refs } : { xid, ...(await this.extentOf(transaction, xid)) };
    return Buffer.from(JSON.stringify(token)).toString('base64url');
  }

  /**
   * Resolves once the write that issued `token` is searchable. It waits for that write alone, unless it was a transaction
   * that touched hundreds of records: then also for what else there was to do for their kinds.
   * @throws BAD_INPUT not a token of ours
   * @throws SYNC_TIMEOUT it takes longer than `timeoutMs`; the same call may succeed later
   * @throws SYNC_FAILED it was given up and is among the dead letters
   */
  async awaitSync(token: string, timeoutMs: number): Promise<void> {
    const { xid, refs, kinds, since } = this.parse(token);
    if (!Number.isFinite(timeoutMs) || timeoutMs < 0 || timeoutMs > MAX_TIMEOUT_MS) {
      throw new DomainError('BAD_INPUT', `timeoutMs: ${timeoutMs}; it must be from 0 to ${MAX_TIMEOUT_MS}.`, {
        details: { field: 'timeoutMs' },
      });
    }
    if (xid === '0') return;
    const wait = new Wait(timeoutMs);
    await wait.until(() => this.areSourcesDone(xid));
    if (refs) {
      const points = await this.unsettledPoints(refs);
      await wait.until(() => this.arePointsDone(points));
    } else {
      // Nobody can say any more which points they were. They are among those of the kinds with revisions up to now.
      const until = await this.lastRevision(this.sql);
      await wait.until(() => this.areKindsDone(kinds, since ?? '0', until));
    }
  }

  indexingStatus(kind: string, ids: readonly number[]): Promise<IndexingStatusRow[]> {
    return indexingStatus(this.sql, kind, ids);
  }

  private parse(token: string): SyncToken {
    try {
      if (token.length > LONGEST_TOKEN) throw new Error('too long');
      return tokenShape.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
    } catch (cause) {
      throw new DomainError('BAD_INPUT', 'awaitSync.token: not a token that a mutation returned.', {
        cause,
        details: { field: 'token' },
      });
    }
  }

  /** What stands in for the references of a transaction that has too many. */
  private async extentOf(transaction: Transaction, xid: string): Promise<Pick<SyncToken, 'kinds' | 'since'>> {
    const rows = await transaction.query<{ kind: string }>(
      'SELECT DISTINCT kind FROM outbox_events WHERE captured_xid = $1',
      [xid],
    );
    return { kinds: rows.map(({ kind }) => kind), since: await this.lastRevision(transaction) };
  }

  private async lastRevision(sql: SqlRunner): Promise<string> {
    const [row] = await sql.query<{ revision: string }>(
      'SELECT last_value::text AS revision FROM kindred_revision',
      [],
      'sync_last_revision',
    );
    return row?.revision ?? '0';
  }

  private async areKindsDone(kinds: readonly string[] | undefined, since: string, until: string): Promise<boolean> {
    const [row] = await this.sql.query<{ isPending: boolean; isFailed: boolean; error: string | null }>(
      `WITH unsettled AS (
         SELECT state, revision, error FROM vector_points
         WHERE state <> 'indexed' AND ($1::text[] IS NULL OR kind = ANY ($1)) AND revision <= $3::bigint
           AND indexed_revision IS DISTINCT FROM revision
       )
       SELECT EXISTS (SELECT 1 FROM unsettled WHERE state <> 'failed') AS "isPending", f.revision IS NOT NULL AS "isFailed",
         f.error
       FROM (SELECT 1) one LEFT JOIN LATERAL (
         SELECT revision, error FROM unsettled WHERE state = 'failed' AND revision > $2::bigint LIMIT 1
       ) f ON true`,
      [kinds ?? null, since, until],
    );
    if (row?.isFailed) throw syncFailed(row.error);
    return !row?.isPending;
  }

  /** A source event is removed in the transaction that writes its rows, so after it every point concerned is known. */
  private async areSourcesDone(xid: string): Promise<boolean> {
    const [row] = await this.sql.query<{ pending: boolean; error: string | null; isDead: boolean }>(
      `SELECT count(*) > 0 AS pending, coalesce(bool_or(dead_at IS NOT NULL), false) AS "isDead",
         max(error) FILTER (WHERE dead_at IS NOT NULL) AS error
       FROM outbox_events WHERE captured_xid = $1 AND topic = 'source'`,
      [xid],
      'sync_sources',
    );
    if (row?.isDead) throw syncFailed(row.error);
    return !row?.pending;
  }

  private async unsettledPoints(refs: readonly SyncRef[]): Promise<PendingPoint[]> {
    const sources = refs.filter(([topic]) => topic === 'source');
    const points = refs.filter(([topic]) => topic === 'point');
    return this.sql.query<PendingPoint>(
      `SELECT p.point_id AS "pointId", p.revision
       FROM unnest($1::text[], $2::int[]) AS s (kind, id) JOIN vector_points p ON p.kind = s.kind AND p.entity_id = s.id
       WHERE p.indexed_revision IS DISTINCT FROM p.revision
       UNION
       SELECT p.point_id, p.revision FROM unnest($3::uuid[]) AS k (id) JOIN vector_points p ON p.point_id = k.id
       WHERE p.indexed_revision IS DISTINCT FROM p.revision`,
      [sources.map(([, kind]) => kind), sources.map(([, , key]) => Number(key)), points.map(([, , key]) => key)],
      'sync_unsettled',
    );
  }

  private async arePointsDone(points: PendingPoint[]): Promise<boolean> {
    if (points.length === 0) return true;
    const waiting = await this.sql.query<PendingPoint & { isFailed: boolean; error: string | null }>(
      `SELECT p.point_id AS "pointId", w.revision, p.state = 'failed' AS "isFailed", p.error
       FROM unnest($1::uuid[], $2::bigint[]) AS w (point_id, revision) JOIN vector_points p USING (point_id)
       WHERE p.indexed_revision IS NULL OR p.indexed_revision < w.revision`,
      [points.map((point) => point.pointId), points.map((point) => point.revision)],
      'sync_points',
    );
    const failed = waiting.find((point) => point.isFailed);
    if (failed) throw syncFailed(failed.error);
    points.splice(0, points.length, ...waiting);
    return waiting.length === 0;
  }
}

/** A deadline and the pauses before it, each twice as long as the one before. */
class Wait {
  private readonly startedAt = performance.now();

  constructor(private readonly timeoutMs: number) {}

  async until(isDone: () => Promise<boolean>): Promise<void> {
    for (let pauseMs = FIRST_POLL_MS; !(await isDone()); pauseMs = Math.min(LONGEST_POLL_MS, pauseMs * 2)) {
      const leftMs = this.timeoutMs - (performance.now() - this.startedAt);
      if (leftMs <= 0) {
        throw new DomainError('SYNC_TIMEOUT', `The write is not searchable after ${this.timeoutMs} ms.`, {
          retryable: true,
          details: { timeoutMs: this.timeoutMs },
        });
      }
      await delay(Math.min(pauseMs, leftMs));
    }
  }
}

function syncFailed(error: string | null): DomainError {
  return new DomainError('SYNC_FAILED', `The write could not be embedded and was given up: ${error ?? 'unknown'}`);
}
