import { setTimeout as delay } from 'node:timers/promises';

import type { Logger } from '../logging/logger';

export interface Periodic {
  /** Starts no further run; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `work` soon and then every `intervalMs`, one run at a time. A run that fails is logged, and the next one comes in
 * its time. Does not keep the process alive.
 */
export function every(
  intervalMs: number,
  name: string,
  work: (signal: AbortSignal) => Promise<unknown>,
  logger: Logger,
): Periodic {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error, job: name }, 'a periodic job failed; it comes again');
      }
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
