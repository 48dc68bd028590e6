import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 90_000;
const POLL_MS = 20;

/** Resolves once `isDone` answers true; fails after a minute and a half. */
export async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isDone())) {
    if (Date.now() > deadline) throw new Error(`Still not done after ${DEADLINE_MS} ms`);
    await delay(POLL_MS);
  }
}
