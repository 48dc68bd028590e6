import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { UUID } from '../record/record-input';
import type { RecordKind } from '../record/record-spec';
import { pointPayload } from '../vector/record-payload';
import type { Payload, VectorStore } from '../vector/vector-store';

/** What the database says of one embedding row and its ledger entry. */
export interface ExpectedPoint {
  pointId: string;
  /** Null where the ledger has no entry. */
  state: string | null;
  /** Whether an event will yet change a state other than `indexed`, or has been given up; says nothing about `indexed`. */
  isQueued: boolean;
  revision: string | null;
  generationId: number | null;
  indexedHash: string | null;
  contentHash: string;
  /** Whether the ledger has the point under another record than the row. */
  isElsewhere: boolean;
  payload: Payload;
}

interface Row {
  pointId: string;
  state: string | null;
  isQueued: boolean;
  revision: string | null;
  generationId: number | null;
  indexedHash: string | null;
  contentHash: string;
  isElsewhere: boolean;
  entityId: number | null;
  recordPayload: Payload | null;
  embeddingType: string;
  isArchived: boolean;
}

export interface FoundPoint {
  pointId: string;
  payload: Payload;
}

/** Follows every UUID. */
const AFTER_ALL = '~';

/** Whether a point's id is one that Kindred may have given: a UUID, and no number. */
export const isOwnId = (pointId: string): boolean => UUID.test(pointId);

/** Collections have numbers before UUIDs. */
const placeOf = (pointId: string): string => (isOwnId(pointId) ? pointId : '');

function selectRows(kind: RecordKind): string {
  const spec = specOf(kind);
  const hasEvent = (topic: string, key: string): string =>
    `EXISTS (SELECT 1 FROM outbox_events e WHERE e.kind = '${kind.kind}' AND e.key = ${key} AND e.topic = '${topic}')`;
  // The ledger and the outbox are read by one statement, and whoever changes a state queues what follows with it.
  return `SELECT row.qdrant_point_id AS "pointId", point.state,
      CASE WHEN point.state <> 'indexed'
        THEN ${hasEvent('point', 'row.qdrant_point_id::text')} OR ${hasEvent('source', `row.${spec.sourceColumn}::text`)}
        ELSE false END AS "isQueued",
      point.revision, point.generation_id AS "generationId",
      point.indexed_hash AS "indexedHash", row.content_hash AS "contentHash", point.entity_id AS "entityId", point.payload AS "recordPayload",
      point.entity_id IS DISTINCT FROM row.${spec.sourceColumn} AS "isElsewhere",
      row.embedding_type AS "embeddingType",
      row.archived_at IS NOT NULL AS "isArchived"
    FROM ${spec.table} row LEFT JOIN LATERAL (
      SELECT * FROM vector_points WHERE point_id = row.qdrant_point_id AND kind = '${kind.kind}' LIMIT 1
    ) point ON true`;
}

function toExpected(row: Row): ExpectedPoint {
  const { pointId, state, isQueued, revision, generationId, indexedHash, contentHash, isElsewhere } = row;
  const facts = { embedding_type: row.embeddingType, content_hash: contentHash, revision: Number(revision ?? 0) };
  const payload = pointPayload(row.entityId ?? 0, row.recordPayload ?? {}, facts, row.isArchived);
  return { pointId, state, isQueued, revision, generationId, indexedHash, contentHash, isElsewhere, payload };
}

/** Every row of a kind in order of point id, a page at a time. */
export async function* expectedPoints(
  sql: SqlRunner,
  kind: RecordKind,
  pageSize: number,
): AsyncGenerator<ExpectedPoint[]> {
  let after: string | null = null;
  for (;;) {
    const rows: Row[] = await sql.query<Row>(
      `${selectRows(kind)}
       WHERE $1::uuid IS NULL OR row.qdrant_point_id > $1::uuid
       ORDER BY row.qdrant_point_id LIMIT $2`,
      [after, pageSize],
    );
    yield rows.map(toExpected);
    const last = rows.at(-1);
    if (!last || rows.length < pageSize) return;
    after = last.pointId;
  }
}

/** The rows of these points as they are now. */
export async function expectedNow(
  sql: SqlRunner,
  kind: RecordKind,
  pointIds: readonly string[],
): Promise<Map<string, ExpectedPoint>> {
  const rows = await sql.query<Row>(`${selectRows(kind)} WHERE row.qdrant_point_id = ANY($1::uuid[])`, [pointIds]);
  return new Map(rows.map((row) => [row.pointId, toExpected(row)]));
}

/** Every point of a collection in order of id, a page at a time. */
export async function* foundPoints(
  store: VectorStore,
  collection: string,
  pageSize: number,
): AsyncGenerator<FoundPoint[]> {
  let after: string | undefined;
  for (;;) {
    const page = await store.scroll(collection, { limit: pageSize, after, payload: true });
    yield page.points.map(({ id, payload }) => ({ pointId: id, payload }));
    if (page.next === undefined) return;
    after = page.next;
  }
}

export interface Pair {
  pointId: string;
  expected: ExpectedPoint | undefined;
  found: FoundPoint | undefined;
}

/** Walks two ordered streams of pages side by side, and gives the pairs that the pages at hand make. */
export async function* pairs(
  expected: AsyncGenerator<ExpectedPoint[]>,
  found: AsyncGenerator<FoundPoint[]>,
): AsyncGenerator<Pair[]> {
  const left = new Cursor(expected);
  const right = new Cursor(found);
  for (;;) {
    await Promise.all([left.fill(), right.fill()]);
    if (left.isAtEnd && right.isAtEnd) return;
    const made: Pair[] = [];
    while (left.isFilled && right.isFilled && !(left.isAtEnd && right.isAtEnd)) {
      const [row, point] = [left.head, right.head];
      const leftPlace = row?.pointId ?? AFTER_ALL;
      const rightPlace = point ? placeOf(point.pointId) : AFTER_ALL;
      const expected = leftPlace <= rightPlace ? left.take() : undefined;
      const found = rightPlace <= leftPlace ? right.take() : undefined;
      made.push({ pointId: expected?.pointId ?? found?.pointId ?? '', expected, found });
    }
    yield made;
  }
}

/** The place in a stream of pages. */
class Cursor<T> {
  private page: readonly T[] = [];
  private at = 0;
  isAtEnd = false;

  constructor(private readonly pages: AsyncGenerator<T[]>) {}

  get head(): T | undefined {
    return this.page[this.at];
  }

  /** Whether what comes next, be it the end, is known without waiting. */
  get isFilled(): boolean {
    return this.isAtEnd || this.at < this.page.length;
  }

  take(): T | undefined {
    return this.page[this.at++];
  }

  async fill(): Promise<void> {
    while (!this.isFilled) {
      const { value, done } = await this.pages.next();
      this.page = done ? [] : value;
      this.at = 0;
      this.isAtEnd = done === true;
    }
  }
}
