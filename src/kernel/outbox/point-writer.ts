import { specOf } from '../embedding/embedding-reader';
import { documentVector } from '../embedding/lexical';
import type { Logger } from '../logging/logger';
import type { RecordKind } from '../record/record-spec';
import type { CollectionTarget } from '../vector/collections';
import type { Generation } from '../vector/generation-store';
import type { GenerationRole } from '../vector/route';
import type { Point, VectorStore } from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import { outageOf } from './failure-policy';
import type { GenerationLedger, WrittenPoint } from './generation-ledger';
import type { Lease } from './lease';
import type { PointTopic } from './outbox-event.entity';
import type { OutboxStore } from './outbox-store';
import { keysOf, type PlannedPoint, type PointPlan } from './point-plan';
import type { Outcomes, StepHook } from './relay-step';
import type { DenseOutcome } from './vector-source';

export interface PointWriterParts {
  outbox: OutboxStore;
  /** Of each role's collections. */
  ledgers: Readonly<Record<GenerationRole, GenerationLedger>>;
  store: VectorStore;
  logger: Logger;
  /** When to look again at a point that an earlier worker may still have been writing. */
  recheckMs: number;
  onStep?: StepHook;
}

/** The vectors of points that are to have new ones. */
export interface FoundVectors {
  /** By content hash. */
  dense: ReadonlyMap<string, DenseOutcome>;
  /** By point id. */
  adopted: ReadonlyMap<string, Float32Array>;
}

interface ReadyPoint {
  planned: PlannedPoint;
  point: Point;
}

/** What events about the points of each role's collections are queued as. */
export const TOPICS: Readonly<Record<GenerationRole, PointTopic>> = { live: 'point', standby: 'build' };

/** Carries plans out: writes to the vector server, and to the ledger what is there then. */
export class PointWriter {
  private readonly topic: PointTopic;
  private readonly ledger: GenerationLedger;

  constructor(
    private readonly parts: PointWriterParts,
    private readonly role: GenerationRole,
  ) {
    this.topic = TOPICS[role];
    this.ledger = parts.ledgers[role];
  }

  /** @param outcomes gets that of every key of the plan */
  async carryOut(
    plan: PointPlan,
    target: CollectionTarget,
    vectors: FoundVectors,
    lease: Lease,
    outcomes: Outcomes,
  ): Promise<void> {
    const generation = target[this.role];
    await this.drop(plan, target, outcomes);
    // Given up beside the live collections, there is nothing to write to; without a live one nothing was planned.
    for (const key of generation ? [...plan.settled.map((point) => point.key), ...plan.skipped] : keysOf(plan)) {
      outcomes.set(key, { result: 'done' });
    }
    if (generation) await this.write(plan, generation, vectors, lease, outcomes);
    await this.lookAgain(plan, lease, outcomes);
  }

  private async drop(plan: PointPlan, target: CollectionTarget, outcomes: Outcomes): Promise<void> {
    if (plan.drops.length === 0) return;
    const points = plan.drops.map(({ pointId, revision }) => ({
      id: pointId,
      ...(revision !== null && { revision: Number(revision) }),
    }));
    for (const collection of target.collections) await this.parts.store.delete(collection, points);
    await this.ledger.settleDeleted(
      plan.kind.kind,
      plan.drops.map(({ pointId, revision, key }) => ({ pointId, revision, isContested: key.isContested })),
    );
    for (const point of plan.drops) outcomes.set(point.key, { result: 'done' });
  }

  private async write(
    plan: PointPlan,
    generation: Generation,
    vectors: FoundVectors,
    lease: Lease,
    outcomes: Outcomes,
  ): Promise<void> {
    const { kind } = plan;
    const written = [
      ...(await this.writePayloads(plan.payloads, generation, outcomes)),
      ...(await this.writeTexts(kind, plan.texts, generation, vectors.dense, outcomes)),
      ...(await this.writeAdopted(plan, generation, vectors.adopted, lease, outcomes)),
    ];
    if (written.length === 0) return;
    await this.parts.onStep?.('upserted', { topic: this.topic, keys: written.length });
    const queued = await this.ledger.settle(kind.kind, generation.id, written, lease.claim.isBulk);
    if (queued > 0) this.parts.logger.debug({ kind: kind.kind, queued }, 'points changed while they were written');
  }

  /**
   * A request from before may still arrive, though what it was about is done. It would bring back a point that is deleted,
   * now or by then: a check set for later puts that right, and says to whoever deletes before its time that there is doubt.
   */
  private async lookAgain(plan: PointPlan, lease: Lease, outcomes: Outcomes): Promise<void> {
    const { outbox, recheckMs } = this.parts;
    const contested = keysOf(plan).filter((key) => key.isContested && outcomes.get(key)?.result === 'done');
    await outbox.enqueuePoints(
      contested.map(({ key }) => ({ kind: plan.kind.kind, pointId: key })),
      { isBulk: lease.claim.isBulk, delayMs: recheckMs, topic: this.topic },
    );
  }

  private async writePayloads(
    points: readonly PlannedPoint[],
    generation: Generation,
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    const written = await this.writeIsolated(points, outcomes, (part) =>
      this.parts.store.overwritePayloads(
        generation.collection,
        part.map(({ pointId, payload }) => ({ id: pointId, payload })),
      ),
    );
    return written.map(({ pointId, revision, contentHash }) => ({
      pointId,
      revision,
      contentHash,
      isPayloadOnly: true,
    }));
  }

  private async writeTexts(
    kind: RecordKind,
    points: readonly PlannedPoint[],
    generation: Generation,
    dense: ReadonlyMap<string, DenseOutcome>,
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    const ready: ReadyPoint[] = [];
    for (const planned of points) {
      const outcome = dense.get(planned.contentHash);
      if (outcome && 'dense' in outcome) {
        ready.push({ planned, point: toPoint(planned, outcome.dense, specOf(kind).meanTermCount) });
      } else {
        const error = outcome?.error ?? new Error('There is no vector');
        outcomes.set(planned.key, { result: 'failed', error, point: planned });
      }
    }
    return this.writeVectors(generation, ready, outcomes);
  }

  /** Points whose vector cannot be had are given back to their records, to be embedded like any other. */
  private async writeAdopted(
    plan: PointPlan,
    generation: Generation,
    adopted: ReadonlyMap<string, Float32Array>,
    lease: Lease,
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    const ready: ReadyPoint[] = [];
    const lost: PlannedPoint[] = [];
    for (const planned of plan.adoptions) {
      const vector = adopted.get(planned.pointId);
      if (vector) ready.push({ planned, point: toPoint(planned, vector, specOf(plan.kind).meanTermCount) });
      else lost.push(planned);
    }
    if (lost.length > 0) {
      await this.ledger.endAdoption(plan.kind.kind, lost, lease.claim.isBulk);
      this.parts.logger.warn(
        { kind: plan.kind.kind, points: lost.length },
        'vectors to be taken over are not there; the records are embedded instead',
      );
      for (const { key } of lost) outcomes.set(key, { result: 'done' });
    }
    return this.writeVectors(generation, ready, outcomes);
  }

  private async writeVectors(
    generation: Generation,
    ready: readonly ReadyPoint[],
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    if (ready.length === 0) return [];
    const current = await this.ledger.beginWriting(
      generation.id,
      ready.map(({ planned }) => planned),
    );
    const due = ready.filter(({ planned }) => current.has(planned.pointId));
    for (const { planned } of ready) if (!current.has(planned.pointId)) outcomes.set(planned.key, { result: 'busy' });
    const pointOf = new Map(due.map(({ planned, point }) => [planned, point]));
    const written = await this.writeIsolated(
      due.map(({ planned }) => planned),
      outcomes,
      (part) =>
        this.parts.store.upsert(
          generation.collection,
          part.map((planned) => pointOf.get(planned) as Point),
        ),
    );
    return written.map(({ pointId, revision, contentHash }) => ({
      pointId,
      revision,
      contentHash,
      isPayloadOnly: false,
    }));
  }

  /** Writes all points in one request; when the server refuses it, finds the point at fault by halving. */
  private async writeIsolated(
    points: readonly PlannedPoint[],
    outcomes: Outcomes,
    write: (part: readonly PlannedPoint[]) => Promise<void>,
  ): Promise<PlannedPoint[]> {
    if (points.length === 0) return [];
    try {
      await write(points);
      for (const point of points) outcomes.set(point.key, { result: 'done' });
      return [...points];
    } catch (error) {
      const outage = outageOf(error);
      if (outage) throw outage;
      if (!(error instanceof VectorStoreRejectedError)) throw error;
      if (error.status === 404) throw error;
      const [only] = points;
      if (points.length === 1 && only) {
        outcomes.set(only.key, { result: 'failed', error, point: only });
        return [];
      }
      const middle = points.length >> 1;
      const first = await this.writeIsolated(points.slice(0, middle), outcomes, write);
      return [...first, ...(await this.writeIsolated(points.slice(middle), outcomes, write))];
    }
  }
}

function toPoint(planned: PlannedPoint, dense: Float32Array, meanTermCount: number): Point {
  const lexical = documentVector(planned.text, meanTermCount);
  return { id: planned.pointId, dense, lexical, payload: planned.payload };
}
