import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 25;

/** Long enough for a busy machine; a condition that holds is seen at once. */
export const PATIENCE_MS = 120_000;

/**
 * Asks until `attempt` gives something other than `undefined`.
 * @throws when it has not within `deadlineMs`, naming what was waited for
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | undefined | Promise<T | undefined>,
  deadlineMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(PAUSE_MS);
  }
}
