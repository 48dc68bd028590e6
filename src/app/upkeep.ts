import { setTimeout as delay } from 'node:timers/promises';

import type { Environment } from '../config/environment';
import { NotificationListener } from '../kernel/db/notification-listener';
import { ERASURE_CHANNEL } from '../kernel/lifecycle/erasure-channel';
import type { Logger } from '../kernel/logging/logger';
import { GENERATIONS_CHANNEL } from '../kernel/vector/generation-store';
import { every, type Periodic } from '../kernel/process/periodic';
import type { Core } from './core';

/** What a process does beside its main work. */
export interface Upkeep {
  stop(): Promise<void>;
}

const PURGE_INTERVAL_MS = 3_600_000;
const LIGHT_CHECK_INTERVAL_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;

/** The jobs of processes that relay: they may run in many, and then share the work. */
export function startJobs(core: Core, environment: Environment, logger: Logger): Upkeep {
  const { purgeAfterMs } = environment.retention;
  const jobs: Periodic[] = [];
  if (purgeAfterMs !== undefined) {
    const purge = async (signal: AbortSignal): Promise<void> => {
      const kinds = (await core.purge.run(purgeAfterMs, signal)).filter(({ records }) => records > 0);
      if (kinds.length > 0) logger.info({ kinds }, 'purged what was archived long ago');
    };
    jobs.push(every(PURGE_INTERVAL_MS, 'purge', purge, logger));
  }
  const check = async (signal: AbortSignal): Promise<void> => {
    const startedAt = performance.now();
    const forgotten = await core.services.deadLetters.forgetGone();
    if (forgotten > 0) logger.info({ forgotten }, 'forgot dead letters about what has been deleted');
    const counts = await core.lightCheck.run(signal);
    const suspects = counts.filter(({ suspected }) => (suspected ?? 0) > 0);
    if (suspects.length > 0) logger.warn({ suspects }, 'the stores differ in number; run kindred consistency check');
    await core.services.consistency.checkRepaired(counts);
    // Counting large tables takes its time; it may take a hundredth of ours.
    const restMs = (performance.now() - startedAt) * 100 - LIGHT_CHECK_INTERVAL_MS;
    if (restMs > 0) await delay(restMs, undefined, { signal, ref: false }).catch(() => undefined);
  };
  jobs.push(every(LIGHT_CHECK_INTERVAL_MS, 'light check', check, logger));
  return {
    stop: async () => {
      await Promise.all(jobs.map((job) => job.stop()));
    },
  };
}

/**
 * What processes that answer clients owe to erasures, whoever carries them out: to forget the texts that they remember.
 * @param others what else remembers some
 */
export function heedErasures(core: Core, logger: Logger, ...others: readonly { forget(): void }[]): Upkeep {
  const forget = (): void => {
    core.services.search.rememberedTexts.clear();
    for (const other of others) other.forget();
  };
  const listener = new NotificationListener(core.database.pool, ERASURE_CHANNEL, forget, logger);
  listener.start();
  return { stop: () => listener.close() };
}

/** What every process that runs for long owes to promotions: to read and write what is live from then on. */
export function heedPromotions(core: Core, logger: Logger): Upkeep {
  const stopping = new AbortController();
  const { signal } = stopping;
  const look = async (): Promise<void> => {
    for (let isSeen = false; !isSeen && !signal.aborted;) {
      try {
        await core.catalog.refresh();
        isSeen = true;
      } catch (error) {
        logger.warn({ err: error }, 'cannot see which model is live now; trying again');
        await delay(LOOK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  };
  const listener = new NotificationListener(core.database.pool, GENERATIONS_CHANNEL, () => void look(), logger);
  listener.start();
  return {
    stop: () => {
      stopping.abort();
      return listener.close();
    },
  };
}
