import type { SqlRunner } from '../kernel/db/database';
import type { TableName } from './names';
import { quoted } from './sql-text';

/** What else in the database refers to the table. */
export interface Dependents {
  /** `constraint on schema.table` */
  foreignKeys: string[];
  views: string[];
  triggers: string[];
  /** Whether the table says who may see which of its rows. */
  hasPolicies: boolean;
}

export async function dependentsOf(sql: SqlRunner, table: TableName): Promise<Dependents> {
  const name = quoted(table.schema, table.name);
  const rows = await sql.query<{ sort: string; name: string }>(
    `SELECT 'foreignKeys' AS sort, conname || ' on ' || conrelid::regclass::text AS name
     FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::regclass
     UNION ALL
     SELECT DISTINCT 'views', r.ev_class::regclass::text
     FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::regclass
       AND r.ev_class <> $1::regclass
     UNION ALL
     SELECT 'triggers', tgname FROM pg_trigger
     WHERE tgrelid = $1::regclass AND NOT tgisinternal AND tgname NOT LIKE 'kindred\\_legacy\\_%'
     UNION ALL
     SELECT 'policies', relname FROM pg_class WHERE oid = $1::regclass AND relrowsecurity
     ORDER BY 1, 2`,
    [name],
  );
  const of = (sort: string): string[] => rows.filter((row) => row.sort === sort).map((row) => row.name);
  return {
    foreignKeys: of('foreignKeys'),
    views: of('views'),
    triggers: of('triggers'),
    hasPolicies: of('policies').length > 0,
  };
}
