import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog, CollectionTarget } from '../vector/collections';
import type { Generation } from '../vector/generation-store';
import type { GenerationRole } from '../vector/route';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import type { AdoptedVectors } from './adopted-vectors';
import { OutageError } from './failure-policy';
import type { Lease } from './lease';
import type { PointTopic } from './outbox-event.entity';
import type { ClaimedKey } from './outbox-store';
import type { GenerationLedger } from './generation-ledger';
import { keysOf, planPoints, type PointPlan } from './point-plan';
import { PointWriter, TOPICS, type PointWriterParts } from './point-writer';
import type { KeyOutcome, Outcomes } from './relay-step';
import type { TextEmbedding } from './text-embedding';
import type { DenseOutcome, VectorSource } from './vector-source';

export interface PointTaskParts extends PointWriterParts {
  catalog: CollectionCatalog;
  vectors: VectorSource;
  /** Embeds with the model that fills a generation, which is one of this process's. */
  embeddingFor: (generation: Generation) => TextEmbedding;
  adoption: AdoptedVectors;
  kinds: readonly RecordKind[];
}

/**
 * Brings points of the live collections, or of those beside them, to the state that their rows have now, whatever the
 * events said: level-triggered, so events may repeat, come late or in any order.
 */
export class PointTask {
  private readonly kinds: Map<string, RecordKind>;
  private readonly topic: PointTopic;
  private readonly ledger: GenerationLedger;
  private readonly writer: PointWriter;

  constructor(
    private readonly parts: PointTaskParts,
    private readonly role: GenerationRole = 'live',
  ) {
    this.topic = TOPICS[role];
    this.ledger = parts.ledgers[role];
    this.writer = new PointWriter(parts, role);
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
      else if (target) await this.writer.carryOut(plan, target, { dense, adopted }, lease, outcomes);
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
}

function isRefusal(outcome: KeyOutcome): boolean {
  return outcome.result === 'failed' && outcome.error instanceof VectorStoreRejectedError;
}
