import { isDeepStrictEqual } from 'node:util';

import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { findCaptureDamage } from '../outbox/capture-check';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import type { Payload, VectorStore } from '../vector/vector-store';
import {
  driftKinds,
  type ConsistencyFindings,
  type ConsistencyReport,
  type Drift,
  type DriftKind,
  type KindConsistency,
} from './consistency-report';
import {
  expectedNow,
  expectedPoints,
  foundPoints,
  pairs,
  type ExpectedPoint,
  type FoundPoint,
  type Pair,
} from './point-stream';

export interface ConsistencyParts {
  database: SqlRunner;
  store: VectorStore;
  catalog: CollectionCatalog;
  kinds: readonly RecordKind[];
}

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

  async check(options: { kinds?: readonly string[]; maxDrifts?: number } = {}): Promise<ConsistencyFindings> {
    const chosen = this.parts.kinds.filter((kind) => kind.embedding && (options.kinds?.includes(kind.kind) ?? true));
    const findings: ConsistencyFindings = {
      kinds: [],
      drift: 0,
      captureProblems: (await findCaptureDamage(this.parts.database, this.parts.kinds)).map(({ message }) => message),
      checkedAt: new Date(),
      drifts: [],
      isCut: false,
      highestRevision: 0,
    };
    for (const kind of chosen) {
      const counted = await this.checkKind(kind, findings, options.maxDrifts ?? DEFAULT_MAX_DRIFTS);
      findings.kinds.push(counted);
      findings.drift += driftKinds.reduce((sum, drift) => sum + counted[drift], 0);
    }
    if (!options.kinds) this.lastReport = findings;
    return findings;
  }

  private async checkKind(
    kind: RecordKind,
    findings: ConsistencyFindings,
    maxDrifts: number,
  ): Promise<KindConsistency> {
    const { database, store, catalog } = this.parts;
    const target = (await catalog.targets([kind.kind])).get(kind.kind);
    const live = target?.live;
    const counted = await this.counts(kind);
    if (!live) return counted;
    let suspects: string[] = [];
    const recheck = async (): Promise<void> => {
      const drifts = await this.recheck(kind, live.collection, live.id, suspects);
      suspects = [];
      for (const drift of drifts) {
        counted[drift.drift] += 1;
        if (findings.drifts.length < maxDrifts) findings.drifts.push(drift);
        else findings.isCut = true;
      }
    };
    const stream = pairs(expectedPoints(database, kind), foundPoints(store, live.collection));
    for await (const pair of stream) {
      this.count(pair, counted, findings);
      if (driftOf(pair.expected, pair.found, live.id)) suspects.push(pair.pointId);
      if (suspects.length >= RECHECK_SIZE) await recheck();
    }
    await recheck();
    return counted;
  }

  private count({ expected, found }: Pair, counted: KindConsistency, findings: ConsistencyFindings): void {
    if (expected) counted.rows += 1;
    if (!found) return;
    counted.points += 1;
    const revision = Number(found.payload.revision);
    if (revision > findings.highestRevision) findings.highestRevision = revision;
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

  /** Queues everything that `findings` names to be put right, through the outbox like any other change. */
  async repair(findings: ConsistencyFindings): Promise<number> {
    const { database } = this.parts;
    // A restored backup may be behind its points; they would refuse every write with an older revision.
    await database.query(
      `SELECT setval('kindred_revision', $1::bigint) FROM kindred_revision WHERE last_value < $1::bigint`,
      [Math.max(1, findings.highestRevision)],
    );
    let queued = 0;
    for (const kind of this.parts.kinds) {
      const ids = findings.drifts.filter((drift) => drift.kind === kind.kind).map((drift) => drift.pointId);
      if (ids.length > 0) queued += await this.requeue(kind, ids);
    }
    return queued;
  }

  private async requeue(kind: RecordKind, pointIds: readonly string[]): Promise<number> {
    const spec = specOf(kind);
    const rows = await this.parts.database.query(
      `WITH registered AS (
         INSERT INTO vector_points AS point (point_id, kind, entity_id)
         SELECT row.qdrant_point_id, $1, row.${spec.sourceColumn} FROM ${spec.table} row
         WHERE row.qdrant_point_id = ANY($2::uuid[])
         ON CONFLICT (point_id) DO UPDATE SET state = 'pending', revision = nextval('kindred_revision'),
           state_since = now(), indexed_hash = NULL, generation_id = NULL, error = NULL, error_code = NULL
         WHERE point.kind = $1
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, id, 1 FROM unnest($2::text[]) AS id ON CONFLICT DO NOTHING RETURNING 1`,
      [kind.kind, pointIds],
    );
    return rows.length;
  }
}
