import type { Transaction } from '../db/database';
import type { FollowUpTopic } from './outbox-event.entity';
import type { ClaimedKey } from './outbox-store';
import type { Outcomes } from './relay-step';

/** Points of one topic that a relay has leased. */
export interface FollowUpBatch {
  keys: readonly ClaimedKey[];
  /** Whether nobody waits for it. */
  isBulk: boolean;
  /** Aborts when the lease is lost or the relay stops. */
  signal: AbortSignal;
  /**
   * Removes the events of `keys`. Call it in the transaction that writes their result, so that it is done once, or after
   * it where it may be done again.
   */
  acknowledge(transaction: Transaction, keys: readonly ClaimedKey[]): Promise<void>;
}

/**
 * Work of a feature's own that follows when a point has a new vector, or another payload, in the vector server. Its events are in the outbox
 * like all others: leased, repeated with back-off, isolated when one of a batch is at fault, and dead letters in the end.
 */
export interface FollowUpTask {
  topic: FollowUpTopic;
  /** Kinds of record whose points it follows. */
  kinds: readonly string[];
  /** Those of them that it also follows where only a point's payload has changed: it finds others by what that says. */
  payloadKinds?: readonly string[];
  batchSize: number;
  concurrency: number;
  /**
   * Level-triggered: brings what depends on these points to the state that both stores are in now. Keys that come out
   * `done` have been acknowledged.
   * @throws OutageError, or an error of which the relay finds out which key it concerns
   */
  run(batch: FollowUpBatch): Promise<Outcomes>;
}
