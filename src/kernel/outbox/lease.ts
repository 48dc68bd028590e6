import type { Transaction } from '../db/database';
import type { Claim, ClaimedKey, OutboxStore } from './outbox-store';

/** The work under a claim is another worker's now. */
export class LeaseLostError extends Error {
  constructor() {
    super('The lease ended and another worker took the work over');
    this.name = 'LeaseLostError';
  }
}

/** Keeps a claim for as long as the work on it goes on. */
export class Lease {
  private readonly ending = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private renewedAt = performance.now();
  private open: readonly ClaimedKey[];
  /** Whether a request that changes the vector server may be under way, so that its outcome can be unknown. */
  isWriting = false;

  constructor(
    private readonly outbox: OutboxStore,
    readonly claim: Claim,
    private readonly leaseMs: number,
  ) {
    this.open = claim.keys;
    this.timer = setInterval(() => void this.renew().catch(() => undefined), leaseMs / 3);
  }

  /** Aborts when the lease is lost or the work is to be given up. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  giveUp(): void {
    this.ending.abort(new DOMException('The relay is stopping', 'AbortError'));
  }

  /**
   * Called before something is written: makes sure that the work is still ours.
   * @throws LeaseLostError, or an AbortError when it was given up
   */
  async confirm(): Promise<void> {
    if (performance.now() - this.renewedAt > this.leaseMs / 2) await this.renew();
    this.signal.throwIfAborted();
  }

  /** Removes the events of these keys in the transaction that writes their result: they are settled unless it is undone. */
  async acknowledge(transaction: Transaction, keys: readonly ClaimedKey[]): Promise<void> {
    await this.outbox.acknowledge(this.claim, keys, transaction);
    // Or a renewal in the middle of a long batch would take them for lost.
    this.settle(keys);
    transaction.onRollback(() => this.reopen(keys));
  }

  /** Leaves these keys out of further renewals: they are settled. */
  settle(keys: readonly ClaimedKey[]): void {
    const settled = new Set(keys);
    this.open = this.open.filter((key) => !settled.has(key));
  }

  /** The keys that have not been settled. */
  get unsettled(): readonly ClaimedKey[] {
    return this.open;
  }

  end(): void {
    clearInterval(this.timer);
  }

  private reopen(keys: readonly ClaimedKey[]): void {
    const reopened = new Set([...this.open, ...keys]);
    this.open = this.claim.keys.filter((key) => reopened.has(key));
  }

  private async renew(): Promise<void> {
    const { open } = this;
    if (open.length === 0) return;
    const startedAt = performance.now();
    const isOurs = await this.outbox.renew(this.claim, open, this.leaseMs);
    // Keys that were settled meanwhile are rightly gone.
    if (isOurs) this.renewedAt = startedAt;
    else if (open.every((key) => this.open.includes(key))) this.ending.abort(new LeaseLostError());
  }
}
