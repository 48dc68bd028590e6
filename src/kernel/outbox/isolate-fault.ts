import { outageOf } from './failure-policy';
import { LeaseLostError, type Lease } from './lease';
import type { ClaimedKey } from './outbox-store';
import type { Outcomes } from './relay-step';

/** A fault that names no event is found by running them one by one. */
export async function isolateFault(
  lease: Lease,
  keys: readonly ClaimedKey[],
  run: (keys: readonly ClaimedKey[]) => Promise<Outcomes>,
): Promise<Outcomes> {
  try {
    return await run(keys);
  } catch (error) {
    const isOfAll = outageOf(error) ?? (error instanceof LeaseLostError || lease.signal.aborted);
    if (isOfAll) throw error;
    const [only] = keys;
    if (keys.length === 1 && only) return new Map([[only, { result: 'failed', error }]]);
    const outcomes: Outcomes = new Map();
    for (const key of keys) {
      for (const [one, outcome] of await isolateFault(lease, [key], run)) outcomes.set(one, outcome);
    }
    return outcomes;
  }
}
