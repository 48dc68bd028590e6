import type { SqlRunner } from '../db/database';
import { isOwnId } from '../consistency/point-stream';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { Generation } from '../vector/generation-store';
import type { StoredPoint, VectorStore } from '../vector/vector-store';

const PAGE_SIZE = 1000;
const FACTS = ['revision', 'content_hash'];

interface Held {
  pointId: string;
  indexedRevision: string;
  indexedHash: string | null;
}

/**
 * Compares what is written down of the collection beside a live one with what the vector server holds in it. Both are read
 * once, in order of point id. What looks wrong is asked for once more, because points come while they are read.
 */
export class StandbyCheck {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
  ) {}

  /** Pages of points that are not there, are of another text, or belong to no row. */
  async *wrong(kind: RecordKind, { collection }: Generation, signal?: AbortSignal): AsyncGenerator<string[]> {
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await this.store.scroll(collection, { limit: PAGE_SIZE, after, payload: FACTS });
      const own = page.points.filter(({ id }) => isOwnId(id));
      // Numbers, which come first, are ids that Kindred never gives.
      const foreign = page.points.filter(({ id }) => !isOwnId(id));
      if (foreign.length > 0) await this.store.delete(collection, foreign);
      // Qdrant's `next` is the first id of the next page.
      if (page.next === undefined || isOwnId(page.next)) {
        const held = await this.heldBetween(kind.kind, after, page.next);
        const suspects = suspectsOf(held, own);
        const wrong = suspects.length > 0 ? await this.recheck(kind, collection, suspects) : [];
        if (wrong.length > 0) yield wrong;
      }
      after = page.next;
    } while (after !== undefined);
  }

  private heldBetween(kind: string, from: string | undefined, to: string | undefined): Promise<Held[]> {
    return this.sql.query<Held>(
      `SELECT point_id AS "pointId", indexed_revision AS "indexedRevision", indexed_hash AS "indexedHash"
       FROM standby_points
       WHERE kind = $1 AND ($2::uuid IS NULL OR point_id >= $2::uuid) AND ($3::uuid IS NULL OR point_id < $3::uuid)`,
      [kind, from !== undefined && isOwnId(from) ? from : null, to ?? null],
    );
  }

  /** The collection between two looks at the database would see every write; here a write is seen by its event. */
  private async recheck(kind: RecordKind, collection: string, suspects: readonly string[]): Promise<string[]> {
    const wrong: string[] = [];
    for (let from = 0; from < suspects.length; from += PAGE_SIZE) {
      const ids = suspects.slice(from, from + PAGE_SIZE);
      const held = await this.sql.query<Held & { hasRow: boolean }>(
        `SELECT asked.id AS "pointId", s.indexed_revision AS "indexedRevision", s.indexed_hash AS "indexedHash",
           EXISTS (SELECT 1 FROM ${specOf(kind).table} row WHERE row.qdrant_point_id = asked.id) AS "hasRow"
         FROM unnest($2::uuid[]) AS asked (id)
         LEFT JOIN standby_points s ON s.point_id = asked.id AND s.kind = $1
         WHERE NOT EXISTS (
           SELECT 1 FROM outbox_events e
           WHERE e.kind = $1 AND e.key = asked.id::text AND e.topic IN ('point', 'build') AND e.dead_at IS NULL
         )`,
        [kind.kind, ids],
      );
      const points = await this.store.retrieve(collection, ids, { payload: FACTS, vectors: [] });
      const found = new Map(points.map((point) => [point.id, point]));
      for (const one of held) {
        const point = found.get(one.pointId);
        const isKnown = one.indexedRevision !== null;
        if (isKnown ? !holds(point, one) : point !== undefined && !one.hasRow) wrong.push(one.pointId);
      }
    }
    return wrong;
  }
}

function suspectsOf(held: readonly Held[], points: readonly StoredPoint[]): string[] {
  const found = new Map(points.map((point) => [point.id, point]));
  const known = new Set(held.map(({ pointId }) => pointId));
  return [
    ...held.filter((one) => !holds(found.get(one.pointId), one)).map(({ pointId }) => pointId),
    ...points.filter(({ id }) => !known.has(id)).map(({ id }) => id),
  ];
}

function holds(point: StoredPoint | undefined, { indexedRevision, indexedHash }: Held): boolean {
  return (
    point !== undefined &&
    Number(point.payload.revision) >= Number(indexedRevision) &&
    (indexedHash === null || point.payload.content_hash === indexedHash)
  );
}
