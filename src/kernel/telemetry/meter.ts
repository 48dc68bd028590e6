import type { OutboxTopic } from '../outbox/outbox-event.entity';

/** How one attempt at an event ended. `busy`: a writer held what it is about. */
export type AttemptOutcome = 'done' | 'busy' | 'failed' | 'dead';

/** What the program tells of its work, as it happens; metrics are made of it. Calls must be cheap and never throw. */
export interface Meter {
  attempted(topic: OutboxTopic, kind: string, outcome: AttemptOutcome): void;
  /** One call of the model. `tokens` are estimated. */
  embedded(call: {
    purpose: 'document' | 'query';
    texts: number;
    tokens: number;
    durationMs: number;
    isOk: boolean;
  }): void;
  /** Texts whose vector another point had already (`hits`), and those that had to be embedded. */
  reused(counts: { hits: number; misses: number }): void;
  /** One request that changes points. */
  wrote(request: { operation: WriteOperation; points: number; durationMs: number; isOk: boolean }): void;
}

export type WriteOperation = 'upsert' | 'payload' | 'delete';

/** For programs that nobody measures. */
export const silentMeter: Meter = {
  attempted: () => undefined,
  embedded: () => undefined,
  reused: () => undefined,
  wrote: () => undefined,
};
