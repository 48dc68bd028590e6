import type { SqlRunner } from '../kernel/db/database';
import type { ViewParts } from './compat-view';
import { sqlName, type TableName } from './names';
import type { RowSql } from './row-sql';
import { quoted } from './sql-text';

const SEQUENCE_SUFFIX = '_kindred_seq';

export const isIdentity = (row: RowSql): boolean => row.table.key.isIdentity;

/** Counts for the view what an identity column counted for the table. */
export function sequenceOf({ schema, name }: TableName): TableName {
  return { schema, name: `${name.slice(0, 63 - SEQUENCE_SUFFIX.length)}${SEQUENCE_SUFFIX}` };
}

/** An identity column keeps its numbers to itself, so the view gets a sequence that goes on after them. */
export async function sequenceFor(sql: SqlRunner, { row, view }: ViewParts): Promise<string[]> {
  if (!isIdentity(row)) return [];
  const key = quoted(row.table.key.name);
  const [last] = await sql.query<{ next: string }>(
    `SELECT (coalesce(max(${key}), 0) + 1)::text AS next FROM ${row.table.sql}`,
  );
  return [`CREATE SEQUENCE ${sqlName(sequenceOf(view))} START WITH ${BigInt(last?.next ?? 1)}`];
}

/** The identity column goes on after the rows that are there, and its stand-in is gone. */
export async function restoreIdentity(sql: SqlRunner, view: ViewParts, there: TableName): Promise<void> {
  if (!isIdentity(view.row)) return;
  const { name } = view.row.table.key;
  await sql.query(
    `SELECT setval(pg_get_serial_sequence($1, $2), greatest((SELECT max(${quoted(name)}) FROM ${sqlName(there)}), 1))`,
    [sqlName(there), name],
  );
  await sql.query(`DROP SEQUENCE ${sqlName(sequenceOf(view.view))}`);
}
