import type { OutboxTopic } from './outbox-event.entity';

/** The places where a worker can die or sleep with different consequences. */
export type RelayStep = 'claimed' | 'rendered' | 'embedded' | 'upserted' | 'settled' | 'acked';

/** Called at each step and awaited; tests of faults kill, sleep or throw here. */
export type StepHook = (step: RelayStep, at: { topic: OutboxTopic; keys: number }) => void | Promise<void>;

/** How one claimed key ended. */
export type KeyOutcome =
  | { result: 'done' }
  /** Taken again soon, without counting an attempt: a writer holds it, or it is changing right now. */
  | { result: 'busy' }
  | { result: 'failed'; error: unknown; point?: { pointId: string; revision: string } };
