import { SpanKind } from '@opentelemetry/api';

import type { Logger } from '../logging/logger';
import type { Meter } from '../telemetry/meter';
import { inBatchSpan } from '../telemetry/tracing';
import { failureOf } from './failure-policy';
import { Lease, LeaseLostError } from './lease';
import type { Claim, OutboxStore } from './outbox-store';
import type { PointLedger } from './point-ledger';
import type { RelaySettings } from './relay-settings';
import { keysWith, type Outcomes, type StepHook } from './relay-step';

export interface BatchesParts {
  outbox: OutboxStore;
  ledger: PointLedger;
  settings: RelaySettings;
  logger: Logger;
  meter?: Meter;
  onStep?: StepHook;
}

/** Work on claims, each kept until it ends; what is not done then is given back. */
export class Batches {
  private readonly leases = new Set<Lease>();

  constructor(private readonly parts: BatchesParts) {}

  /**
   * @param work acknowledges what it has done
   * @returns how the keys ended; `undefined` when the claim was lost or given up
   * @throws what `work` does; the keys that it has not settled have been given back
   */
  async run(claim: Claim, work: (lease: Lease) => Promise<Outcomes>): Promise<Outcomes | undefined> {
    const { outbox, settings, logger, onStep } = this.parts;
    const { topic } = claim;
    const lease = new Lease(outbox, claim, settings.leaseMs);
    this.leases.add(lease);
    try {
      await onStep?.('claimed', { topic, keys: claim.keys.length });
      const facts = { kind: SpanKind.CONSUMER, attributes: { 'messaging.batch.message_count': claim.keys.length } };
      const traceParents = claim.keys.map((key) => key.traceParent);
      const outcomes = await inBatchSpan(`relay ${topic}`, facts, traceParents, () => work(lease));
      await onStep?.('acked', { topic, keys: claim.keys.length });
      await this.giveBack(claim, outcomes);
      return outcomes;
    } catch (error) {
      if (error instanceof LeaseLostError) {
        logger.warn({ topic, keys: claim.keys.length }, 'lost a lease; another worker has the work');
        return undefined;
      }
      await outbox
        .release(claim, lease.unsettled, { isUncertain: lease.isWriting })
        .catch((cause: unknown) => logger.warn({ err: cause, topic }, 'could not give back; the lease ends'));
      if (!lease.signal.aborted) throw error;
      return undefined;
    } finally {
      lease.end();
      this.leases.delete(lease);
    }
  }

  /** Ends all work that is under way; its keys are given back. */
  giveUp(): void {
    for (const lease of this.leases) lease.giveUp();
  }

  private async giveBack(claim: Claim, outcomes: Outcomes): Promise<void> {
    const { outbox, ledger, settings, logger, meter } = this.parts;
    await outbox.release(claim, keysWith(outcomes, 'busy'), { isBusy: true });
    for (const [key, outcome] of outcomes) {
      if (outcome.result !== 'failed') {
        meter?.attempted(claim.topic, key.kind, outcome.result);
        continue;
      }
      if (outcome.point && !(await ledger.isCurrent(outcome.point))) {
        // What failed is not wanted any more, and its error may quote what has been erased since.
        await outbox.release(claim, [key]);
        meter?.attempted(claim.topic, key.kind, 'busy');
        continue;
      }
      const failure = failureOf(outcome.error, key.attempts, settings);
      const { isDead, code, message, attempts } = failure;
      // That a collection beside the live one lacks it is no failure of the record's. What fails before anybody knew the
      // point's revision fails whatever it is.
      const point = claim.topic === 'point' && (outcome.point ?? { pointId: key.key, revision: null });
      const isNoted = !point || (await ledger.noteError(point, { code, message, isDead }));
      if (isDead && !isNoted) {
        // Given up now, it could stay pending although nothing will fetch it any more.
        await outbox.release(claim, [key], { isBusy: true });
        meter?.attempted(claim.topic, key.kind, 'busy');
        continue;
      }
      meter?.attempted(claim.topic, key.kind, isDead ? 'dead' : 'failed');
      const fields = { topic: claim.topic, kind: key.kind, key: key.key, code, message, attempts };
      if (isDead) logger.error(fields, 'gave an event up; it is among the dead letters');
      else logger.warn(fields, 'an attempt failed; it is repeated');
      await outbox.fail(claim, [key], failure);
    }
  }
}
