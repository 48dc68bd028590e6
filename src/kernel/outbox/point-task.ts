import { specOf } from '../embedding/embedding-reader';
import { documentVector } from '../embedding/lexical';
import type { Logger } from '../logging/logger';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog, CollectionTarget } from '../vector/collections';
import type { Generation } from '../vector/generation-store';
import type { Point, VectorStore } from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import type { AdoptedVectors } from './adopted-vectors';
import { OutageError, outageOf } from './failure-policy';
import type { Lease } from './lease';
import type { ClaimedKey, OutboxStore } from './outbox-store';
import type { PointLedger, WrittenPoint } from './point-ledger';
import { planPoints, type PlannedPoint, type PointPlan } from './point-plan';
import type { KeyOutcome, StepHook } from './relay-step';
import type { DenseOutcome, VectorSource } from './vector-source';

export interface PointTaskParts {
  outbox: OutboxStore;
  ledger: PointLedger;
  store: VectorStore;
  catalog: CollectionCatalog;
  vectors: VectorSource;
  adoption: AdoptedVectors;
  kinds: readonly RecordKind[];
  logger: Logger;
  /** When to look again at a deleted point that an earlier worker may still be writing. */
  recheckMs: number;
  onStep?: StepHook;
}

interface ReadyPoint {
  planned: PlannedPoint;
  point: Point;
}

interface FoundVectors {
  /** By content hash. */
  dense: ReadonlyMap<string, DenseOutcome>;
  /** By point id. */
  adopted: ReadonlyMap<string, Float32Array>;
}

type Outcomes = Map<ClaimedKey, KeyOutcome>;

/**
 * Brings points to the state that their rows have now, whatever the events said: level-triggered, so events may repeat,
 * come late or in any order.
 */
export class PointTask {
  private readonly kinds: Map<string, RecordKind>;

  constructor(private readonly parts: PointTaskParts) {
    this.kinds = new Map(parts.kinds.map((kind) => [kind.kind, kind]));
  }

  /**
   * Nothing is acknowledged here.
   * @throws OutageError the vector server, the model or the database does not work now
   * @throws LeaseLostError before anything was written
   */
  async run(lease: Lease, keys: readonly ClaimedKey[]): Promise<Outcomes> {
    try {
      return await this.bringUpToDate(lease, keys);
    } catch (error) {
      if (!(error instanceof VectorStoreRejectedError) || error.status !== 404) throw error;
      // The collection is not there: it is made again, and all of its points are queued.
      await this.parts.catalog.restore();
      throw new OutageError(error, 0);
    }
  }

  private async bringUpToDate(lease: Lease, all: readonly ClaimedKey[]): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    const byKind = new Map<string, ClaimedKey[]>();
    for (const key of all) byKind.set(key.kind, [...(byKind.get(key.kind) ?? []), key]);
    const targets = await this.parts.catalog.targets([...byKind.keys()]);
    const plans = await Promise.all([...byKind].map(([name, keys]) => this.plan(name, keys, targets.get(name))));
    const dense = await this.embed(plans, targets, lease);
    const adopted = await this.parts.adoption.find(plans.flatMap((plan) => plan.adoptions));
    await this.parts.onStep?.('embedded', { topic: 'point', keys: all.length });
    await lease.confirm();
    lease.isWriting = true;
    const promoted = await this.parts.catalog.targets([...byKind.keys()]);
    for (const plan of plans) {
      const target = promoted.get(plan.kind.kind);
      // The vectors at hand are of a generation that is no longer the one to write to.
      const isSuperseded = targets.get(plan.kind.kind)?.live?.id !== target?.live?.id;
      if (isSuperseded) for (const key of keysOf(plan)) outcomes.set(key, { result: 'busy' });
      else if (target) await this.carryOut(plan, target, { dense, adopted }, lease, outcomes);
    }
    if ([...outcomes.values()].some(isRefusal)) await this.parts.catalog.confirm([...byKind.keys()]);
    return outcomes;
  }

  private async plan(name: string, keys: ClaimedKey[], target: CollectionTarget | undefined): Promise<PointPlan> {
    const kind = this.kinds.get(name);
    if (!kind || !target?.live) throw new OutageError(new Error(`There is no live collection for ${name}`));
    const records = await this.parts.ledger.load(
      kind,
      keys.map((key) => key.key),
    );
    const plan = planPoints(kind, keys, records, target.live);
    await this.verify(plan, target.live);
    return plan;
  }

  /** After an uncertain end the ledger's word is not enough: what the vector server lacks is written again. */
  private async verify(plan: PointPlan, live: Generation): Promise<void> {
    const doubtful = plan.settled.filter((point) => point.key.isContested);
    if (doubtful.length === 0) return;
    const ids = doubtful.map((point) => point.pointId);
    const stored = await this.parts.store.retrieve(live.collection, ids, { payload: ['revision'], vectors: [] });
    const revisions = new Map(stored.map((point) => [point.id, point.payload.revision]));
    const lost = new Set(doubtful.filter((point) => revisions.get(point.pointId) !== Number(point.revision)));
    plan.settled = plan.settled.filter((point) => !lost.has(point));
    for (const point of lost) (point.adoptedFrom === null ? plan.texts : plan.adoptions).push(point);
  }

  private async embed(
    plans: readonly PointPlan[],
    targets: ReadonlyMap<string, CollectionTarget>,
    lease: Lease,
  ): Promise<Map<string, DenseOutcome>> {
    const scopes = plans.flatMap(({ kind, texts }) => {
      const live = targets.get(kind.kind)?.live;
      if (!live || texts.length === 0) return [];
      return [{ kind: kind.kind, generationId: live.id, collection: live.collection, texts }];
    });
    return this.parts.vectors.find(scopes, { signal: lease.signal, isUrgent: !lease.claim.isBulk });
  }

  private async carryOut(
    plan: PointPlan,
    target: CollectionTarget,
    vectors: FoundVectors,
    lease: Lease,
    outcomes: Outcomes,
  ): Promise<void> {
    const { kind } = plan;
    const { live } = target;
    if (!live) return;
    for (const key of [...plan.settled.map((point) => point.key), ...plan.skipped]) {
      outcomes.set(key, { result: 'done' });
    }
    await this.drop(plan, target, lease, outcomes);
    const written = [
      ...(await this.writePayloads(plan.payloads, live, outcomes)),
      ...(await this.writeTexts(kind, plan.texts, live, vectors.dense, outcomes)),
      ...(await this.writeAdopted(plan, live, vectors.adopted, lease, outcomes)),
    ];
    if (written.length === 0) return;
    await this.parts.onStep?.('upserted', { topic: 'point', keys: written.length });
    const queued = await this.parts.ledger.settle(kind.kind, live.id, written, lease.claim.isBulk);
    if (queued > 0) this.parts.logger.debug({ kind: kind.kind, queued }, 'points changed while they were written');
  }

  private async drop(plan: PointPlan, target: CollectionTarget, lease: Lease, outcomes: Outcomes): Promise<void> {
    if (plan.drops.length === 0) return;
    const { outbox, ledger, store, recheckMs } = this.parts;
    const kind = plan.kind.kind;
    const points = plan.drops.map(({ pointId, revision }) => ({
      id: pointId,
      ...(revision !== null && { revision: Number(revision) }),
    }));
    for (const collection of target.collections) await store.delete(collection, points);
    const contested = plan.drops.filter((point) => point.key.isContested);
    await outbox.enqueuePoints(
      contested.map(({ pointId }) => ({ kind, pointId })),
      { isBulk: lease.claim.isBulk, delayMs: recheckMs },
    );
    await ledger.settleDeleted(
      kind,
      plan.drops.map(({ pointId, revision, key }) => ({ pointId, revision, isContested: key.isContested })),
    );
    for (const point of plan.drops) outcomes.set(point.key, { result: 'done' });
  }

  private async writePayloads(
    points: readonly PlannedPoint[],
    live: Generation,
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    const written = await this.writeIsolated(points, outcomes, (part) =>
      this.parts.store.overwritePayloads(
        live.collection,
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
    live: Generation,
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
    return this.writeVectors(live, ready, outcomes);
  }

  /** Points whose vector cannot be had are given back to their records, to be embedded like any other. */
  private async writeAdopted(
    plan: PointPlan,
    live: Generation,
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
      await this.parts.ledger.endAdoption(plan.kind.kind, lost, lease.claim.isBulk);
      this.parts.logger.warn(
        { kind: plan.kind.kind, points: lost.length },
        'vectors to be taken over are not there; the records are embedded instead',
      );
      for (const { key } of lost) outcomes.set(key, { result: 'done' });
    }
    return this.writeVectors(live, ready, outcomes);
  }

  private async writeVectors(
    live: Generation,
    ready: readonly ReadyPoint[],
    outcomes: Outcomes,
  ): Promise<WrittenPoint[]> {
    if (ready.length === 0) return [];
    const current = await this.parts.ledger.beginWriting(ready.map(({ planned }) => planned));
    const due = ready.filter(({ planned }) => current.has(planned.pointId));
    for (const { planned } of ready) if (!current.has(planned.pointId)) outcomes.set(planned.key, { result: 'busy' });
    const pointOf = new Map(due.map(({ planned, point }) => [planned, point]));
    const written = await this.writeIsolated(
      due.map(({ planned }) => planned),
      outcomes,
      (part) =>
        this.parts.store.upsert(
          live.collection,
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

function isRefusal(outcome: KeyOutcome): boolean {
  return outcome.result === 'failed' && outcome.error instanceof VectorStoreRejectedError;
}

function toPoint(planned: PlannedPoint, dense: Float32Array, meanTermCount: number): Point {
  const lexical = documentVector(planned.text, meanTermCount);
  return { id: planned.pointId, dense, lexical, payload: planned.payload };
}

function keysOf(plan: PointPlan): ClaimedKey[] {
  return [
    ...[...plan.texts, ...plan.adoptions, ...plan.payloads, ...plan.drops, ...plan.settled].map((point) => point.key),
    ...plan.skipped,
  ];
}
