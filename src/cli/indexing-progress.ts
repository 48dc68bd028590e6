import { setTimeout as delay } from 'node:timers/promises';

import type { Core } from '../app/core';
import { startProgress } from './progress';

const POLL_MS = 100;

interface PointCounts {
  done: number;
  total: number;
}

async function pointCounts(core: Core): Promise<PointCounts> {
  const [row] = await core.database.query<PointCounts>(
    `SELECT count(*) FILTER (WHERE state IN ('indexed', 'failed'))::int AS done, count(*)::int AS total
     FROM vector_points WHERE state <> 'deleting'`,
  );
  return row ?? { done: 0, total: 0 };
}

/** Shows how far the vector side is, and resolves once it has followed everything (or `signal` aborts). */
export async function waitUntilIndexed(core: Core, options: { label: string; signal?: AbortSignal }): Promise<void> {
  const progress = startProgress(options.label, 'texts');
  try {
    while (!options.signal?.aborted) {
      const [isIdle, counts] = [await core.isIdle(), await pointCounts(core)];
      if (counts.total > 0) progress.update(counts.done, counts.total);
      if (isIdle) return;
      await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  } finally {
    progress.stop();
  }
}
