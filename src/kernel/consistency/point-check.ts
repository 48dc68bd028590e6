import { isDeepStrictEqual } from 'node:util';

import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { Generation } from '../vector/generation-store';
import type { Payload, PayloadValue, VectorStore } from '../vector/vector-store';
import type { Drift, DriftKind, Remedy } from './consistency-report';
import { readAhead } from './read-ahead';
import {
  isOwnId,
  expectedNow,
  expectedPoints,
  foundPoints,
  pairs,
  type ExpectedPoint,
  type FoundPoint,
} from './point-stream';

/** What has been read of one kind so far. */
export interface PointTally {
  rows: number;
  points: number;
  /** That any point carries. */
  highestRevision: number;
}

const REMEDIES: Partial<Record<DriftKind, Remedy>> = { stalePayload: 'payload', orphaned: 'delete' };

/** What is wrong with a point, or `undefined` when nothing is, or when something is still on its way. */
function driftOf(expected: ExpectedPoint | undefined, found: FoundPoint | undefined): DriftKind | undefined {
  if (!expected) return found ? 'orphaned' : undefined;
  if (expected.state === null) return 'unregistered';
  if (expected.state !== 'indexed') return expected.isQueued ? undefined : 'unqueued';
  if (expected.generationId === null) return 'wrongModel';
  if (!found) return 'missing';
  if (found.payload.content_hash !== expected.contentHash || expected.indexedHash !== expected.contentHash)
    return 'staleText';
  // Changes of its record would pass it by, and those of the other would be put on it.
  if (expected.isElsewhere) return 'stalePayload';
  return isSamePayload(found.payload, expected.payload) ? undefined : 'stalePayload';
}

/** A set may come back in another order, and an empty list not at all. */
function isSamePayload(found: Payload, expected: Payload): boolean {
  return (
    Object.keys(found).every((key) => isSameValue(found[key], expected[key])) &&
    Object.keys(expected).every((key) => key in found || isSameValue(undefined, expected[key]))
  );
}

function isSameValue(found: PayloadValue | undefined, expected: PayloadValue | undefined): boolean {
  if (found === expected) return true;
  const [a = [], b = []] = [found, expected];
  if (Array.isArray(a) && Array.isArray(b)) return isDeepStrictEqual([...a].sort(), [...b].sort());
  return isDeepStrictEqual(a, b);
}

function driftAt(kind: RecordKind, pointId: string, drift: DriftKind): Drift {
  return { kind: kind.kind, drift, remedy: REMEDIES[drift] ?? 'write', pointId, recordId: null, count: 1 };
}

/**
 * Compares the embedding rows of a kind with its points: both are read once, in order of point id, so memory does not
 * grow with them. What looks wrong is looked at once more, because rows and points change while they are read.
 */
export class PointCheck {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly batchSize: number,
  ) {}

  async run(
    kind: RecordKind,
    live: Generation,
    onDrifts: (drifts: readonly Drift[], tally: PointTally) => Promise<void>,
  ): Promise<PointTally> {
    const tally: PointTally = { rows: 0, points: 0, highestRevision: 0 };
    let suspects: string[] = [];
    // Nothing here writes such points, so that one look is enough.
    const foreign: Drift[] = [];
    const recheck = async (): Promise<void> => {
      const drifts = await this.recheck(kind, live, suspects);
      suspects = [];
      if (drifts.length > 0) await onDrifts(drifts, tally);
    };
    const rows = readAhead(expectedPoints(this.sql, kind, this.batchSize));
    const points = readAhead(foundPoints(this.store, live.collection, this.batchSize));
    try {
      for await (const made of pairs(rows, points)) {
        for (const { pointId, expected, found } of made) {
          if (expected) tally.rows += 1;
          if (found) {
            tally.points += 1;
            tally.highestRevision = Math.max(tally.highestRevision, Number(found.payload.revision) || 0);
          }
          if (!isOwnId(pointId)) foreign.push(driftAt(kind, pointId, 'orphaned'));
          else if (driftOf(expected, found)) suspects.push(pointId);
          if (foreign.length >= this.batchSize) await onDrifts(foreign.splice(0), tally);
          if (suspects.length >= this.batchSize) await recheck();
        }
      }
    } finally {
      await Promise.all([rows.return(undefined), points.return(undefined)]);
    }
    await recheck();
    if (foreign.length > 0) await onDrifts(foreign, tally);
    for await (const pointIds of this.strayEntries(kind)) {
      const drifts = await this.withoutPoint(kind, live, pointIds);
      if (drifts.length > 0) await onDrifts(drifts, tally);
    }
    return tally;
  }

  /**
   * Looks at suspects again: Qdrant between two looks at the rows and the outbox, so that a write that begins, goes on or
   * ends meanwhile is seen by one of them.
   */
  private async recheck(kind: RecordKind, live: Generation, pointIds: readonly string[]): Promise<Drift[]> {
    if (pointIds.length === 0) return [];
    const before = await expectedNow(this.sql, kind, pointIds);
    const wereQueued = await this.queued(kind, pointIds);
    const points = await this.store.retrieve(live.collection, pointIds, { payload: true, vectors: [] });
    const found = new Map(points.map((point) => [point.id, { pointId: point.id, payload: point.payload }]));
    const after = await expectedNow(this.sql, kind, pointIds);
    const areQueued = await this.queued(kind, pointIds);
    return pointIds.flatMap((pointId) => {
      const expected = after.get(pointId);
      if (expected?.revision !== before.get(pointId)?.revision) return [];
      if (wereQueued.has(pointId) || areQueued.has(pointId)) return [];
      const drift = driftOf(expected, found.get(pointId));
      return drift ? [driftAt(kind, pointId, drift)] : [];
    });
  }

  /**
   * Those of these points that have an event, be it a dead one, and so are reported as pending or dead: one of this kind,
   * or of the kind that the ledger has them in, for a point id may have moved.
   */
  private async queued(kind: RecordKind, pointIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.sql.query<{ key: string }>(
      `SELECT event.key FROM unnest($2::uuid[]) AS point (id)
       LEFT JOIN LATERAL (SELECT v.kind FROM vector_points v WHERE v.point_id = point.id LIMIT 1) ledger ON true
       CROSS JOIN LATERAL (
         SELECT e.key FROM outbox_events e
         WHERE e.kind = ANY (ARRAY[$1, ledger.kind]) AND e.key = point.id::text AND e.topic = 'point' LIMIT 1
       ) event`,
      [kind.kind, pointIds],
    );
    return new Set(rows.map((row) => row.key));
  }

  /**
   * Entries of the ledger without a row and without an event, a batch at a time. Both are looked up one by one: as joins
   * they could be walked from their beginning for every batch.
   */
  private async *strayEntries(kind: RecordKind): AsyncGenerator<string[]> {
    let after: string | null = null;
    for (;;) {
      const rows: { id: string }[] = await this.sql.query<{ id: string }>(
        `SELECT p.point_id AS id FROM vector_points p
         WHERE p.kind = $1 AND ($2::uuid IS NULL OR p.point_id > $2::uuid)
           AND (SELECT 1 FROM ${specOf(kind).table} row WHERE row.qdrant_point_id = p.point_id LIMIT 1) IS NULL
           AND (SELECT 1 FROM outbox_events e
                WHERE e.kind = $1 AND e.key = p.point_id::text AND e.topic = 'point' LIMIT 1) IS NULL
         ORDER BY p.point_id LIMIT $3`,
        [kind.kind, after, this.batchSize],
      );
      const last = rows.at(-1);
      if (!last) return;
      yield rows.map((row) => row.id);
      if (rows.length < this.batchSize) return;
      after = last.id;
    }
  }

  /** Those that have a point were reported with it. */
  private async withoutPoint(kind: RecordKind, live: Generation, pointIds: readonly string[]): Promise<Drift[]> {
    const points = await this.store.retrieve(live.collection, pointIds, { payload: false, vectors: [] });
    const found = new Set(points.map((point) => point.id));
    return pointIds.filter((id) => !found.has(id)).map((id) => driftAt(kind, id, 'orphaned'));
  }
}
