import type { Database } from '../db/database';
import { DomainError } from '../errors/domain-error';
import type { ChunkWindow } from '../model/chunk-window';
import { findCaptureDamage } from '../outbox/capture-check';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import type { Generation } from '../vector/generation-store';
import type { VectorStore } from '../vector/vector-store';
import {
  driftKinds,
  totalDrift,
  type ConsistencyFindings,
  type ConsistencyReport,
  type Drift,
  type DriftKind,
  type KindConsistency,
  type Remedy,
  type Repair,
  type RepairPlan,
} from './consistency-report';
import { DEFAULT_BATCH_SIZES, type BatchSizes } from './batch-sizes';
import type { CheckStore } from './check-store';
import type { LightCount } from './light-check';
import { PointCheck } from './point-check';
import { RecordCheck } from './record-check';
import { RepairQueue } from './repair-queue';

export interface ConsistencyParts {
  database: Database;
  store: VectorStore;
  catalog: CollectionCatalog;
  kinds: readonly RecordKind[];
  /** As the relay cuts chunks. */
  window: () => Promise<ChunkWindow>;
  /** Where what is found is kept for every process. */
  checks: CheckStore;
  batchSizes?: BatchSizes;
}

export interface CheckOptions {
  /** All unless given. */
  kinds?: readonly string[];
  /** Leaves records alone and compares only rows with points. */
  isOfPointsOnly?: boolean;
  /** How many of the points and records that disagree to name. */
  maxDrifts?: number;
}

/** Does something about what disagrees, a batch at a time, while the comparison goes on. */
interface Mender {
  points(kind: RecordKind, drifts: readonly Drift[], highestRevision: number): Promise<number>;
  records(kind: RecordKind, ids: readonly number[]): Promise<number>;
}

type Remedies = Record<Remedy, number>;

const DEFAULT_MAX_DRIFTS = 10_000;

/** Compares records, embedding rows and points completely, whatever their number, and while writes go on. */
export class Consistency {
  private readonly pointCheck: PointCheck;
  private readonly recordCheck: RecordCheck;

  constructor(private readonly parts: ConsistencyParts) {
    const { database, store, kinds, window, batchSizes = DEFAULT_BATCH_SIZES } = parts;
    this.pointCheck = new PointCheck(database, store, batchSizes.points);
    this.recordCheck = new RecordCheck(database, kinds, window, batchSizes);
  }

  /**
   * @throws COLLECTION_MISMATCH the live points are another model's, or have become so since the check began
   * @throws CONFLICT other collections have been promoted since the check began
   */
  async check(options: CheckOptions = {}): Promise<ConsistencyFindings> {
    const { findings } = await this.compare(options);
    return findings;
  }

  /**
   * Compares, and queues what differs to be put right while it goes on, through the outbox like any other change. So
   * there is no limit to how much, and memory does not grow with it.
   * @param options.isDryRun queues nothing
   */
  repair(options: CheckOptions & { isDryRun?: boolean } = {}): Promise<Repair> {
    const { database, store, catalog } = this.parts;
    const queue = new RepairQueue(database, store, (kind) => catalog.route.collection(kind));
    return this.compare(options, options.isDryRun ? undefined : queue);
  }

  /**
   * Checks again those kinds that were repaired, once nothing of theirs is on its way, so that what is known of them is
   * true again. Each repair is followed by one such check, whoever makes it.
   */
  async checkRepaired(counts: readonly LightCount[]): Promise<void> {
    const still = counts.filter(({ suspected }) => suspected !== null).map(({ kind }) => kind);
    const kinds = await this.parts.checks.takeRepaired(still);
    if (kinds.length > 0) await this.check({ kinds, maxDrifts: 0 });
  }

  private async compare(options: CheckOptions, mender?: Mender): Promise<Repair> {
    const chosen = this.parts.kinds.filter((kind) => kind.embedding && (options.kinds?.includes(kind.kind) ?? true));
    const report: ConsistencyReport = {
      kinds: [],
      drift: 0,
      captureProblems: (await findCaptureDamage(this.parts.database, this.parts.kinds)).map(({ message }) => message),
      checkedAt: new Date(),
    };
    const named: Drift[] = [];
    const plan: RepairPlan[] = [];
    const keep = options.maxDrifts ?? DEFAULT_MAX_DRIFTS;
    let isCut = false;
    let queued = 0;
    for (const kind of chosen) {
      const remedies: Remedies = { render: 0, write: 0, payload: 0, delete: 0 };
      const counted = await this.checkKind(kind, options, remedies, {
        name: (drifts) => {
          const room = keep - named.length;
          named.push(...drifts.slice(0, room));
          isCut ||= drifts.length > room;
        },
        points: async (...about) => (queued += (await mender?.points(...about)) ?? 0),
        records: async (...about) => (queued += (await mender?.records(...about)) ?? 0),
      });
      report.kinds.push(counted);
      report.drift += totalDrift(counted);
      const { render: records, write: writes, payload: payloads, delete: deletions } = remedies;
      if (records + writes + payloads + deletions > 0) {
        plan.push({ kind: kind.kind, records, writes, payloads, deletions });
      }
    }
    if (options.isOfPointsOnly !== true) await this.parts.checks.save(report, mender !== undefined);
    return { findings: { ...report, drifts: named, isCut }, plan, queued };
  }

  private async checkKind(
    kind: RecordKind,
    { isOfPointsOnly }: CheckOptions,
    remedies: Remedies,
    on: Mender & { name: (drifts: readonly Drift[]) => void },
  ): Promise<KindConsistency> {
    const live = (await this.parts.catalog.targets([kind.kind])).get(kind.kind)?.live;
    const counted = await this.counts(kind);
    if (!live) return counted;
    const note = async (drifts: readonly Drift[]): Promise<void> => {
      await this.confirmLive(kind, live);
      for (const { drift, count } of drifts) counted[drift] += count;
      on.name(drifts);
    };
    try {
      const { rows, points } = await this.pointCheck.run(kind, live, async (drifts, { highestRevision }) => {
        await note(drifts);
        for (const { remedy } of drifts) remedies[remedy] += 1;
        await on.points(kind, drifts, highestRevision);
      });
      if (isOfPointsOnly !== true) {
        await this.recordCheck.run(kind, async ({ recordIds, drifts }) => {
          await note(drifts);
          remedies.render += recordIds.length;
          await on.records(kind, recordIds);
        });
      }
      return { ...counted, rows, points };
    } catch (error) {
      // A collection that is not there any more may have been dropped after a promotion.
      await this.confirmLive(kind, live);
      throw error;
    }
  }

  /** Where other collections have come live meanwhile, nothing that was found would be true. */
  private async confirmLive({ kind }: RecordKind, live: Generation): Promise<void> {
    const now = (await this.parts.catalog.targets([kind])).get(kind)?.live;
    if (now?.id === live.id) return;
    throw new DomainError('CONFLICT', 'Another model was promoted while the stores were compared; check again.', {
      retryable: true,
    });
  }

  private async counts(kind: RecordKind): Promise<KindConsistency> {
    const [row] = await this.parts.database.query<{ pending: number; dead: number; oldest: number | null }>(
      `SELECT count(*) FILTER (WHERE dead_at IS NULL)::int AS pending,
              count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead,
              (extract(epoch FROM now() - min(captured_at) FILTER (WHERE dead_at IS NULL)) * 1000)::float8 AS oldest
       FROM outbox_events WHERE kind = $1`,
      [kind.kind],
    );
    const none = Object.fromEntries(driftKinds.map((drift) => [drift, 0])) as Record<DriftKind, number>;
    return {
      kind: kind.kind,
      rows: 0,
      points: 0,
      ...none,
      pending: row?.pending ?? 0,
      dead: row?.dead ?? 0,
      oldestPendingMs: row?.oldest ?? null,
    };
  }
}
