import { specOf } from '../embedding/embedding-reader';
import { documentVector } from '../embedding/lexical';
import type { Logger } from '../logging/logger';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog, CollectionTarget } from '../vector/collections';
import type { Generation } from '../vector/generation-store';
import type { GenerationRole } from '../vector/route';
import type { Point, VectorStore } from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import type { AdoptedVectors } from './adopted-vectors';
import { OutageError, outageOf } from './failure-policy';
import type { Lease } from './lease';
import type { PointTopic } from './outbox-event.entity';
import type { ClaimedKey, OutboxStore } from './outbox-store';
import type { GenerationLedger, WrittenPoint } from './generation-ledger';
import { planPoints, type PlannedPoint, type PointPlan } from './point-plan';
import type { KeyOutcome, StepHook } from './relay-step';
import type { TextEmbedding } from './text-embedding';
import type { DenseOutcome, VectorSource } from './vector-source';

export interface PointTaskParts {
  outbox: OutboxStore;
  /** Of each role's collections. */
  ledgers: Readonly<Record<GenerationRole, GenerationLedger>>;
  store: VectorStore;
  catalog: CollectionCatalog;
  vectors: VectorSource;
  /** Embeds with the model that fills a generation, which is one of this process's. */
  embeddingFor: (generation: Generation) => TextEmbedding;
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

const TOPICS: Readonly<Record<GenerationRole, PointTopic>> = { live: 'point', standby: 'build' };

/**
 * Brings points of the live collections, or of those beside them, to the state that their rows have now, whatever the
 * events said: level-triggered, so events may repeat, come late or in any order.
 */
export class PointTask {
  private readonly kinds: Map<string, RecordKind>;
  private readonly topic: PointTopic;
  private readonly ledger: GenerationLedger;

  constructor(
    private readonly parts: PointTaskParts,
    private readonly role: GenerationRole = 'live',
  ) {
    this.topic = TOPICS[role];
    this.ledger = parts.ledgers[role];
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
    const targets = await this.parts.catalog.targets([...byKind.keys()], this.role);
    const plans = await Promise.all([...byKind].map(([name, keys]) => this.plan(name, keys, targets.get(name))));
    const dense = await this.embed(plans, targets, lease);
    const adopted = await this.adopt(plans, targets);
    await this.parts.onStep?.('embedded', { topic: this.topic, keys: all.length });
    await lease.confirm();
    lease.isWriting = true;
    const promoted = await this.parts.catalog.targets([...byKind.keys()], this.role);
    for (const plan of plans) {
      const target = promoted.get(plan.kind.kind);
      // The vectors at hand are of a generation that is no longer the one to write to.
      const isSuperseded = targets.get(plan.kind.kind)?.[this.role]?.id !== target?.[this.role]?.id;
      if (isSuperseded) for (const key of keysOf(plan)) outcomes.set(key, { result: 'busy' });
      else if (target) await this.carryOut(plan, target, { dense, adopted }, lease, outcomes);
    }
    if ([...outcomes.values()].some(isRefusal)) await this.parts.catalog.confirm([...byKind.keys()], this.role);
    return outcomes;
  }

  private async plan(name: string, keys: ClaimedKey[], target: CollectionTarget | undefined): Promise<PointPlan> {
    const kind = this.kinds.get(name);
    const generation = target?.[this.role];
    if (!kind || (!generation && this.role === 'live')) {
      throw new OutageError(new Error(`There is no live collection for ${name}`));
    }
    const records = await this.ledger.load(
      kind,
      keys.map((key) => key.key),
    );
    const plan = planPoints(kind, keys, records);
    if (generation) await this.verify(plan, generation);
    return plan;
  }

  /** After an uncertain end the ledger's word is not enough: what the vector server lacks is written again. */
  private async verify(plan: PointPlan, { collection }: Generation): Promise<void> {
    const doubtful = plan.settled.filter((point) => point.key.isContested);
    if (doubtful.length === 0) return;
    const ids = doubtful.map((point) => point.pointId);
    const stored = await this.parts.store.retrieve(collection, ids, { payload: ['revision'], vectors: [] });
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
    const { ledgers, vectors, embeddingFor } = this.parts;
    const found = new Map<string, DenseOutcome>();
    const wanted = plans.flatMap(({ kind: { kind }, texts }) => {
      const target = targets.get(kind);
      const generation = target?.[this.role];
      return generation && texts.length > 0 ? [{ kind, texts, target, generation }] : [];
    });
    const [first] = wanted;
    if (!first) return found;
    const { modelId } = first.generation;
    const scopes = wanted.map(({ kind, texts, target }) => ({
      kind,
      texts,
      homes: (['live', 'standby'] as const).flatMap((role) => {
        const home = target?.[role];
        return home?.modelId === modelId ? [{ ledger: ledgers[role], collection: home.collection }] : [];
      }),
    }));
    return vectors.find(scopes, embeddingFor(first.generation), {
      signal: lease.signal,
      isUrgent: !lease.claim.isBulk,
    });
  }

  /** Only live collections take vectors over: what is built beside them is of Kindred's own model, or of another one. */
  private async adopt(
    plans: readonly PointPlan[],
    targets: ReadonlyMap<string, CollectionTarget>,
  ): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    if (this.role === 'standby') return found;
    for (const { kind, adoptions } of plans) {
      const dimensions = targets.get(kind.kind)?.live?.dimensions ?? 0;
      for (const [id, vector] of await this.parts.adoption.find(adoptions, dimensions)) found.set(id, vector);
    }
    return found;
  }

  private async carryOut(
    plan: PointPlan,
    target: CollectionTarget,
    vectors: FoundVectors,
    lease: Lease,
    outcomes: Outcomes,
  ): Promise<void> {
    const { kind } = plan;
    const generation = target[this.role];
    await this.drop(plan, target, lease, outcomes);
    // Given up beside the live collections, there is nothing to write to; without a live one nothing was planned.
    for (const key of generation ? [...plan.settled.map((point) => point.key), ...plan.skipped] : keysOf(plan)) {
      outcomes.set(key, { result: 'done' });
    }
    if (!generation) return;
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

  private async drop(plan: PointPlan, target: CollectionTarget, lease: Lease, outcomes: Outcomes): Promise<void> {
    if (plan.drops.length === 0) return;
    const { outbox, store, recheckMs } = this.parts;
    const kind = plan.kind.kind;
    const points = plan.drops.map(({ pointId, revision }) => ({
      id: pointId,
      ...(revision !== null && { revision: Number(revision) }),
    }));
    for (const collection of target.collections) await store.delete(collection, points);
    const contested = plan.drops.filter((point) => point.key.isContested);
    await outbox.enqueuePoints(
      contested.map(({ pointId }) => ({ kind, pointId })),
      { isBulk: lease.claim.isBulk, delayMs: recheckMs, topic: this.topic },
    );
    await this.ledger.settleDeleted(
      kind,
      plan.drops.map(({ pointId, revision, key }) => ({ pointId, revision, isContested: key.isContested })),
    );
    for (const point of plan.drops) outcomes.set(point.key, { result: 'done' });
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
