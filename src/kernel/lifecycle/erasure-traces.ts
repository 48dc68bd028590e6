import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import { countBelongings, type Belonging } from './belongings';
import type { ErasedRecords } from './search-probes';

/** What a record leaves in PostgreSQL. */
export interface StoredTraces {
  /** The record, what belongs to it, and their embedding rows. */
  rows: number;
  /** Entries of the ledger of points. */
  ledgerEntries: number;
  /** Events in the outbox, dead letters included. */
  events: number;
  deadLetters: number;
}

/** The records among the rows, by kind, with the points that the rows or the ledger name. */
export async function recordsAmong(
  sql: SqlRunner,
  kinds: readonly RecordKind[],
  belongings: readonly Belonging[],
): Promise<ErasedRecords[]> {
  const byKind = new Map<RecordKind, ErasedRecords>();
  for (const { table, ids } of belongings) {
    const kind = kinds.find((one) => one.table === table);
    if (!kind?.embedding || ids.length === 0) continue;
    const rows = await sql.query<{ id: string }>(
      `SELECT qdrant_point_id AS id FROM ${specOf(kind).table} WHERE ${specOf(kind).sourceColumn} = ANY ($2::int[])
       UNION SELECT point_id FROM vector_points WHERE kind = $1 AND entity_id = ANY ($2::int[])`,
      [kind.kind, ids],
    );
    const records = byKind.get(kind) ?? { kind, ids: [], pointIds: [] };
    records.ids.push(...ids);
    records.pointIds.push(...rows.map((row) => row.id));
    byKind.set(kind, records);
  }
  return [...byKind.values()];
}

/** Kind and key of every record, as one array each. */
export function sourceKeys(erased: readonly ErasedRecords[]): [kinds: string[], keys: string[]] {
  return [erased.flatMap(({ kind, ids }) => ids.map(() => kind.kind)), erased.flatMap(({ ids }) => ids.map(String))];
}

/** The same of every point. */
export function pointKeys(erased: readonly ErasedRecords[]): [kinds: string[], keys: string[]] {
  return [
    erased.flatMap(({ kind, pointIds }) => pointIds.map(() => kind.kind)),
    erased.flatMap(({ pointIds }) => pointIds),
  ];
}

export async function countStored(
  sql: SqlRunner,
  belongings: readonly Belonging[],
  erased: readonly ErasedRecords[],
): Promise<StoredTraces> {
  return {
    rows: await countBelongings(sql, belongings),
    ledgerEntries: await countLedger(sql, erased),
    ...(await countEvents(sql, erased)),
  };
}

async function countLedger(sql: SqlRunner, erased: readonly ErasedRecords[]): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (
       SELECT point_id FROM vector_points WHERE point_id = ANY ($3::uuid[])
       UNION
       SELECT p.point_id FROM unnest($1::text[], $2::int[]) AS gone (kind, id)
       JOIN vector_points p ON p.kind = gone.kind AND p.entity_id = gone.id
     ) entries`,
    [...sourceKeys(erased), erased.flatMap((records) => records.pointIds)],
  );
  return row?.count ?? 0;
}

async function countEvents(
  sql: SqlRunner,
  erased: readonly ErasedRecords[],
): Promise<Pick<StoredTraces, 'events' | 'deadLetters'>> {
  const [row] = await sql.query<Pick<StoredTraces, 'events' | 'deadLetters'>>(
    `SELECT count(*)::int AS events, count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS "deadLetters" FROM (
       SELECT o.dead_at FROM unnest($1::text[], $2::text[]) AS gone (kind, key)
       JOIN outbox_events o ON o.kind = gone.kind AND o.key = gone.key AND o.topic = 'source'
       UNION ALL
       SELECT o.dead_at FROM unnest($3::text[], $4::text[]) AS gone (kind, key)
       JOIN outbox_events o ON o.kind = gone.kind AND o.key = gone.key AND o.topic <> 'source'
     ) events`,
    [...sourceKeys(erased), ...pointKeys(erased)],
  );
  return row ?? { events: 0, deadLetters: 0 };
}
