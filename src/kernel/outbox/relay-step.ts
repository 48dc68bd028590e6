import type { OutboxTopic } from './outbox-event.entity';
import type { ClaimedKey } from './outbox-store';

/**
 * The places where a worker can die or sleep with different consequences: after it has claimed, rendered, embedded and
 * upserted, before it acknowledges (`acking`), and after (`acked`).
 */
export const relaySteps = ['claimed', 'rendered', 'embedded', 'upserted', 'acking', 'acked'] as const;
export type RelayStep = (typeof relaySteps)[number];

/** Called at each step and awaited; tests of faults kill, sleep or throw here. */
export type StepHook = (step: RelayStep, at: { topic: OutboxTopic; keys: number }) => void | Promise<void>;

/** How one claimed key ended. */
export type KeyOutcome =
  | { result: 'done' }
  /** Taken again soon, without counting an attempt: a writer holds it, or it is changing right now. */
  | { result: 'busy' }
  | { result: 'failed'; error: unknown; point?: { pointId: string; revision: string } };

/** How the keys of a batch ended. */
export type Outcomes = Map<ClaimedKey, KeyOutcome>;

export function keysWith(outcomes: Outcomes, result: KeyOutcome['result']): ClaimedKey[] {
  return [...outcomes].filter(([, outcome]) => outcome.result === result).map(([key]) => key);
}
