import { setTimeout as delay } from 'node:timers/promises';

import type { SqlRunner } from '../db/database';
import { isSetForLater } from './outbox-conditions';

/** How far the vector side has followed one kind. */
export interface KindProgress {
  kind: string;
  /** Captured changes of records that nobody has looked at yet. */
  records: number;
  /** Events of points and of what follows on them. */
  pointEvents: number;
  /** Points that are to be written or deleted. */
  pending: number;
  /** Points that could not be made. */
  failed: number;
  /** Events given up. */
  dead: number;
  /** Whether nothing is due, leased or waiting to be tried again. */
  isIdle: boolean;
  /** Age of the oldest change that is on its way. */
  oldestPendingMs: number | null;
}

/** The same for several kinds together, and for each of them. */
export interface IndexingProgress extends Omit<KindProgress, 'kind'> {
  kinds: KindProgress[];
}

export interface WatchOptions {
  kinds?: readonly string[];
  /** Ends once nothing is on its way. */
  isUntilIdle?: boolean;
  signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 250;
/** Counting a long queue takes time; no more than this share of it is spent on counting. */
const MAX_LOAD = 0.1;

// Only what is unsettled is counted, so the cost grows with the backlog and not with what has been indexed.
const SAMPLE = `
  SELECT k.kind, coalesce(e.records, 0)::int AS records, coalesce(e.others, 0)::int AS "pointEvents", coalesce(p.pending, 0)::int AS pending,
    coalesce(p.failed, 0)::int AS failed, coalesce(e.dead, 0)::int AS dead, coalesce(e.idle, true) AS "isIdle",
    e.oldest AS "oldestPendingMs"
  FROM unnest($1::text[]) AS k (kind)
  LEFT JOIN (
    SELECT kind, count(*) FILTER (WHERE topic = 'source' AND dead_at IS NULL) AS records,
      count(*) FILTER (WHERE topic NOT IN ('source', 'build') AND dead_at IS NULL) AS others,
      count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
      NOT bool_or(dead_at IS NULL AND topic <> 'build' AND (lease_owner IS NOT NULL OR NOT ${isSetForLater('o')})) AS idle,
      (extract(epoch FROM now() - min(captured_at) FILTER (WHERE dead_at IS NULL AND topic <> 'build')) * 1000)::float8 AS oldest
    FROM outbox_events o GROUP BY kind
  ) e ON e.kind = k.kind
  LEFT JOIN (
    SELECT kind, count(*) FILTER (WHERE state IN ('pending', 'deleting')) AS pending,
      count(*) FILTER (WHERE state = 'failed') AS failed
    FROM vector_points WHERE state <> 'indexed' GROUP BY kind
  ) p ON p.kind = k.kind`;

/**
 * How far the vector side has followed what was written. One sample serves all who watch at the same time, so a hundred
 * of them ask the database no more than one does.
 */
export class IndexingProgressSource {
  private latest: { kinds: KindProgress[]; freshUntil: number } | undefined;
  private running: Promise<KindProgress[]> | undefined;
  private queued: Promise<KindProgress[]> | undefined;

  constructor(
    private readonly sql: SqlRunner,
    private readonly kinds: readonly string[],
  ) {}

  /** As it is now. */
  async current(kinds: readonly string[] = this.kinds): Promise<IndexingProgress> {
    return this.progressOf(await this.fresh(), kinds);
  }

  /**
   * The progress at once, and again whenever it has changed, at most four times a second. Who reads slowly misses steps
   * between, never the last one.
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<IndexingProgress> {
    const ending = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
    const steps = this.steps(options, signal);
    const iterator: AsyncIterableIterator<IndexingProgress> = {
      next: () => steps.next(),
      // A generator that waits cannot be ended from outside.
      return: () => {
        ending.abort();
        return steps.return(undefined);
      },
      throw: (error) => {
        ending.abort();
        return steps.throw(error);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  private progressOf(all: readonly KindProgress[], kinds: readonly string[]): IndexingProgress {
    const sampled = all.filter((one) => kinds.includes(one.kind));
    const sum = (count: (one: KindProgress) => number): number => sampled.reduce((total, one) => total + count(one), 0);
    const ages = sampled.flatMap(({ oldestPendingMs }) => oldestPendingMs ?? []);
    return {
      records: sum((one) => one.records),
      pointEvents: sum((one) => one.pointEvents),
      pending: sum((one) => one.pending),
      failed: sum((one) => one.failed),
      dead: sum((one) => one.dead),
      isIdle: sampled.every((one) => one.isIdle),
      oldestPendingMs: ages.length === 0 ? null : Math.max(...ages),
      kinds: sampled,
    };
  }

  private async *steps(
    { kinds = this.kinds, isUntilIdle }: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<IndexingProgress, undefined> {
    let last: string | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      // What was sampled before the first step may not know of what the caller has just written.
      const sample = await (last === undefined ? this.fresh() : this.recent());
      const progress = this.progressOf(sample, kinds);
      // An age alone is no progress.
      const now = JSON.stringify(progress, (name, value: unknown) => (name === 'oldestPendingMs' ? undefined : value));
      if (now !== last) yield progress;
      last = now;
      if (isUntilIdle && progress.isIdle) return;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A sample that others took shortly before, where there is one. */
  private async recent(): Promise<KindProgress[]> {
    return this.latest && performance.now() < this.latest.freshUntil ? this.latest.kinds : this.fresh();
  }

  /** A sample begun after this call. Who calls while one is being taken shares the one after it. */
  private fresh(): Promise<KindProgress[]> {
    if (!this.running) return (this.running = this.take());
    this.queued ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.queued = undefined;
        return (this.running = this.take());
      });
    return this.queued;
  }

  private async take(): Promise<KindProgress[]> {
    const startedAt = performance.now();
    try {
      const kinds = await this.sql.query<KindProgress>(SAMPLE, [this.kinds], 'indexing_progress');
      const now = performance.now();
      this.latest = { kinds, freshUntil: now + Math.max(FIRST_PAUSE_MS / 2, (now - startedAt) / MAX_LOAD) };
      return kinds;
    } finally {
      this.running = undefined;
    }
  }
}
