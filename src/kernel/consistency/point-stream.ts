import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
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
  entityId: number | null;
  recordPayload: Payload | null;
  embeddingType: string;
  isArchived: boolean;
}

export interface FoundPoint {
  pointId: string;
  payload: Payload;
}

const PAGE_SIZE = 1000;

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
      row.embedding_type AS "embeddingType",
      row.archived_at IS NOT NULL AS "isArchived"
    FROM ${spec.table} row
    LEFT JOIN vector_points point ON point.point_id = row.qdrant_point_id AND point.kind = '${kind.kind}'`;
}

function toExpected(row: Row): ExpectedPoint {
  const { entityId, recordPayload, embeddingType, isArchived, ...rest } = row;
  const facts = {
    embedding_type: embeddingType,
    content_hash: row.contentHash,
    revision: Number(row.revision ?? 0),
  };
  return { ...rest, payload: pointPayload(entityId ?? 0, recordPayload ?? {}, facts, isArchived) };
}

/** Every row of a kind in order of point id, a page at a time. */
export async function* expectedPoints(sql: SqlRunner, kind: RecordKind): AsyncGenerator<ExpectedPoint> {
  let after: string | null = null;
  for (;;) {
    const rows: Row[] = await sql.query<Row>(
      `${selectRows(kind)}
       WHERE $1::uuid IS NULL OR row.qdrant_point_id > $1::uuid
       ORDER BY row.qdrant_point_id LIMIT $2`,
      [after, PAGE_SIZE],
    );
    for (const row of rows) yield toExpected(row);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_SIZE) return;
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
export async function* foundPoints(store: VectorStore, collection: string): AsyncGenerator<FoundPoint> {
  let after: string | undefined;
  for (;;) {
    const page = await store.scroll(collection, { limit: PAGE_SIZE, after, payload: true });
    for (const point of page.points) yield { pointId: point.id, payload: point.payload };
    if (page.next === undefined) return;
    after = page.next;
  }
}

export interface Pair {
  pointId: string;
  expected: ExpectedPoint | undefined;
  found: FoundPoint | undefined;
}

/** Walks two ordered streams side by side; holds one element of each. */
export async function* pairs(
  expected: AsyncGenerator<ExpectedPoint>,
  found: AsyncGenerator<FoundPoint>,
): AsyncGenerator<Pair> {
  const next = async <T>(stream: AsyncGenerator<T>): Promise<T | undefined> => {
    const { value, done } = await stream.next();
    return done ? undefined : value;
  };
  let left = await next(expected);
  let right = await next(found);
  while (left || right) {
    const leftId = left?.pointId ?? '~';
    const rightId = right?.pointId ?? '~';
    const pointId = leftId < rightId ? leftId : rightId;
    yield {
      pointId,
      expected: leftId === pointId ? left : undefined,
      found: rightId === pointId ? right : undefined,
    };
    if (leftId === pointId) left = await next(expected);
    if (rightId === pointId) right = await next(found);
  }
}
