import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that may last, in steps: at every `yield` others may have their turn. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Too short for a request or a lease to notice, and long beside what a turn of the loop costs. */
const TURN_MS = 10;

export interface TurnOptions {
  /** Ends the work between two steps. */
  signal?: AbortSignal;
  /** How long the thread is kept at a time; a step is never divided. */
  turnMs?: number;
}

export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Lets timers, requests and answers of servers have their turn in between.
 * @throws the signal's reason
 */
export async function inTurns<Result>(
  steps: Steps<Result>,
  { signal, turnMs = TURN_MS }: TurnOptions = {},
): Promise<Result> {
  let since = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < turnMs) continue;
    await nextTurn();
    signal?.throwIfAborted();
    since = performance.now();
  }
}
