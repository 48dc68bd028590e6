import { isDeepStrictEqual } from 'node:util';

import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { findCaptureDamage } from '../outbox/capture-check';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import type { Payload, VectorStore } from '../vector/vector-store';
import {
  driftKinds,
  planOf,
  type ConsistencyFindings,
  type ConsistencyReport,
  type Drift,
  type DriftKind,
  type KindConsistency,
  type Repair,
} from './consistency-report';
import { expectedNow, expectedPoints, foundPoints, pairs, type ExpectedPoint, type FoundPoint } from './point-stream';

export interface ConsistencyParts {
  database: SqlRunner;
  store: VectorStore;
  catalog: CollectionCatalog;
  kinds: readonly RecordKind[];
}

export interface CheckOptions {
  /** All unless given. */
  kinds?: readonly string[];
  /** How many of the points that disagree to name. */
  maxDrifts?: number;
}

/** Gets what disagrees, a batch at a time, while the comparison goes on. */
type DriftSink = (kind: RecordKind, drifts: readonly Drift[], highestRevision: number) => Promise<void>;

/** Suspects are looked at again in batches of this size. */
const RECHECK_SIZE = 500;
const DEFAULT_MAX_DRIFTS = 10_000;

/** What is wrong with a point, or `undefined` when nothing is, or when something is still on its way. */
function driftOf(
  expected: ExpectedPoint | undefined,
  found: FoundPoint | undefined,
  liveGeneration: number | undefined,
): DriftKind | undefined {
  if (!expected) return found ? 'orphaned' : undefined;
  if (expected.state === null) return 'unregistered';
  if (expected.state !== 'indexed') return undefined;
  if (expected.generationId !== liveGeneration) return 'wrongModel';
  if (!found) return 'missing';
  if (found.payload.content_hash !== expected.contentHash || expected.indexedHash !== expected.contentHash)
    return 'staleText';
  return isSamePayload(found.payload, expected.payload) ? undefined : 'stalePayload';
}

/** A set may come back in another order, and an empty list not at all. */
function isSamePayload(found: Payload, expected: Payload): boolean {
  return isDeepStrictEqual(comparable(found), comparable(expected));
}

function comparable(payload: Payload): Payload {
  return Object.fromEntries(
    Object.entries(payload)
      .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
      .map(([key, value]) => [key, Array.isArray(value) ? [...value].sort() : value]),
  );
}

/**
 * Compares PostgreSQL and Qdrant completely: both are read once, in order of point id, so memory does not grow with
 * them. What looks wrong is looked at once more, because rows and points change while they are read.
 */
export class Consistency {
  /** Of this process, over all kinds. */
  lastReport: ConsistencyReport | undefined;

  constructor(private readonly parts: ConsistencyParts) {}

  async check(options: CheckOptions = {}): Promise<ConsistencyFindings> {
    const { findings, report } = await this.compare(options);
    if (!options.kinds) this.lastReport = report;
    return findings;
  }

  /**
   * Compares, and queues what differs to be put right while it goes on, through the outbox like any other change. So
   * there is no limit to how much, and memory does not grow with it.
   * @param options.isDryRun queues nothing
   */
  async repair(options: CheckOptions & { isDryRun?: boolean } = {}): Promise<Repair> {
    let queued = 0;
    const requeue: DriftSink = async (kind, drifts, highestRevision) => {
      queued += await this.requeue(kind, drifts, highestRevision);
    };
    const { findings, report } = await this.compare(options, options.isDryRun ? undefined : requeue);
    return { findings, plan: planOf(report), queued };
  }

  private async compare(
    options: CheckOptions,
    onDrifts?: DriftSink,
  ): Promise<{ findings: ConsistencyFindings; report: ConsistencyReport }> {
    const chosen = this.parts.kinds.filter((kind) => kind.embedding && (options.kinds?.includes(kind.kind) ?? true));
    const report: ConsistencyReport = {
      kinds: [],
      drift: 0,
      captureProblems: (await findCaptureDamage(this.parts.database, this.parts.kinds)).map(({ message }) => message),
      checkedAt: new Date(),
    };
    const drifts: Drift[] = [];
    const keep = options.maxDrifts ?? DEFAULT_MAX_DRIFTS;
    for (const kind of chosen) {
      const counted = await this.checkKind(kind, async (found, highestRevision) => {
        drifts.push(...found.slice(0, keep - drifts.length));
        await onDrifts?.(kind, found, highestRevision);
      });
      report.kinds.push(counted);
      report.drift += driftKinds.reduce((sum, drift) => sum + counted[drift], 0);
    }
    return { findings: { ...report, drifts, isCut: report.drift > drifts.length }, report };
  }

  private async checkKind(
    kind: RecordKind,
    onDrifts: (drifts: readonly Drift[], highestRevision: number) => Promise<void>,
  ): Promise<KindConsistency> {
    const { database, store, catalog } = this.parts;
    const target = (await catalog.targets([kind.kind])).get(kind.kind);
    const live = target?.live;
    const counted = await this.counts(kind);
    if (!live) return counted;
    let suspects: string[] = [];
    let highestRevision = 0;
    const recheck = async (): Promise<void> => {
      const drifts = await this.recheck(kind, live.collection, live.id, suspects);
      suspects = [];
      for (const { drift } of drifts) counted[drift] += 1;
      if (drifts.length > 0) await onDrifts(drifts, highestRevision);
    };
    const stream = pairs(expectedPoints(database, kind), foundPoints(store, live.collection));
    for await (const pair of stream) {
      if (pair.expected) counted.rows += 1;
      if (pair.found) {
        counted.points += 1;
        highestRevision = Math.max(highestRevision, Number(pair.found.payload.revision) || 0);
      }
      if (driftOf(pair.expected, pair.found, live.id)) suspects.push(pair.pointId);
      if (suspects.length >= RECHECK_SIZE) await recheck();
    }
    await recheck();
    return counted;
  }

  /** Looks at suspects again: Qdrant first, then the rows, so that a write in between shows as pending, not as drift. */
  private async recheck(
    kind: RecordKind,
    collection: string,
    liveGeneration: number,
    pointIds: readonly string[],
  ): Promise<Drift[]> {
    if (pointIds.length === 0) return [];
    const { database, store } = this.parts;
    const before = await expectedNow(database, kind, pointIds);
    const points = await store.retrieve(collection, pointIds, { payload: true, vectors: [] });
    const found = new Map(points.map((point) => [point.id, { pointId: point.id, payload: point.payload }]));
    const after = await expectedNow(database, kind, pointIds);
    const leaving = await this.leaving(pointIds);
    return pointIds.flatMap((pointId) => {
      const expected = after.get(pointId);
      if (expected?.revision !== before.get(pointId)?.revision || leaving.has(pointId)) return [];
      const drift = driftOf(expected, found.get(pointId), liveGeneration);
      return drift ? [{ kind: kind.kind, pointId, drift }] : [];
    });
  }

  /** Points whose rows are gone and whose deletion is on its way. */
  private async leaving(pointIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.parts.database.query<{ id: string }>(
      `SELECT point_id AS id FROM vector_points WHERE point_id = ANY($1::uuid[]) AND state = 'deleting'
       UNION ALL
       SELECT key::uuid FROM outbox_events WHERE topic = 'point' AND key = ANY($1::text[]) AND dead_at IS NULL`,
      [pointIds],
    );
    return new Set(rows.map((row) => row.id));
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

  /** @param highestRevision that any point read so far carries */
  private async requeue(kind: RecordKind, drifts: readonly Drift[], highestRevision: number): Promise<number> {
    const spec = specOf(kind);
    const { database } = this.parts;
    // A restored backup may be behind its points; they would refuse every write with an older revision.
    await database.query(
      `SELECT setval('kindred_revision', $1::bigint) FROM kindred_revision WHERE last_value < $1::bigint`,
      [Math.max(1, highestRevision)],
    );
    const rows = await database.query(
      `WITH drifted AS (
         SELECT * FROM unnest($2::uuid[], $3::boolean[]) AS d (point_id, has_vector)
       ), registered AS (
         INSERT INTO vector_points AS point (point_id, kind, entity_id)
         SELECT row.qdrant_point_id, $1, row.${spec.sourceColumn} FROM ${spec.table} row
         JOIN drifted ON drifted.point_id = row.qdrant_point_id
         ON CONFLICT (point_id) DO UPDATE SET state = 'pending', revision = nextval('kindred_revision'),
           state_since = now(), error = NULL, error_code = NULL,
           indexed_hash = CASE WHEN (SELECT has_vector FROM drifted d WHERE d.point_id = point.point_id)
             THEN point.indexed_hash END,
           generation_id = CASE WHEN (SELECT has_vector FROM drifted d WHERE d.point_id = point.point_id)
             THEN point.generation_id END
         WHERE point.kind = $1
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, point_id::text, 1 FROM drifted ON CONFLICT DO NOTHING RETURNING 1`,
      [kind.kind, drifts.map(({ pointId }) => pointId), drifts.map(({ drift }) => drift === 'stalePayload')],
    );
    return rows.length;
  }
}
