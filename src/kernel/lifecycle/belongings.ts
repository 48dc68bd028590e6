import type { SqlRunner } from '../db/database';

/** Rows of one table that go when a record goes: those whose `column` holds one of `keys`. */
export interface Belonging {
  table: string;
  column: string;
  keys: number[];
  /** Their own ids; empty for tables without. */
  ids: number[];
}

interface Cascade {
  table: string;
  column: string;
  parent: string;
  hasId: boolean;
}

/**
 * A record's row and every row that goes with it by cascade, to any depth: what the database itself says, so that no
 * table can be forgotten. Parents before children.
 */
export async function belongingsOf(sql: SqlRunner, table: string, id: number): Promise<Belonging[]> {
  const cascades = await sql.query<Cascade>(
    `SELECT c.conrelid::regclass::text AS table, a.attname AS column, c.confrelid::regclass::text AS parent,
       EXISTS (SELECT FROM pg_attribute i WHERE i.attrelid = c.conrelid AND i.attname = 'id' AND i.atttypid = 'int'::regtype)
         AS "hasId"
     FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
     WHERE c.contype = 'f' AND c.confdeltype = 'c' AND cardinality(c.conkey) = 1 AND f.attname = 'id'
     ORDER BY 1, 2`,
  );
  const found: Belonging[] = [{ table, column: 'id', keys: [id], ids: [id] }];
  const seen = new Set([`${table} ${id}`]);
  for (const parent of found) {
    for (const cascade of cascades) {
      if (cascade.parent !== parent.table || parent.ids.length === 0) continue;
      const rows = cascade.hasId
        ? await sql.query<{ id: number }>(
            `SELECT id FROM ${cascade.table} WHERE ${cascade.column} = ANY ($1::int[]) ORDER BY id`,
            [parent.ids],
          )
        : [];
      // A table may be reached by several ways, and by itself.
      const ids = rows.map((row) => row.id).filter((one) => !seen.has(`${cascade.table} ${one}`));
      for (const one of ids) seen.add(`${cascade.table} ${one}`);
      found.push({ table: cascade.table, column: cascade.column, keys: parent.ids, ids });
    }
  }
  return found;
}

/** How many of these rows there are. */
export async function countBelongings(sql: SqlRunner, belongings: readonly Belonging[]): Promise<number> {
  let count = 0;
  for (const { table, column, keys } of belongings) {
    const [row] = await sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${table} WHERE ${column} = ANY ($1::int[])`,
      [keys],
    );
    count += row?.count ?? 0;
  }
  return count;
}
