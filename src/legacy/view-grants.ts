import type { SqlRunner } from '../kernel/db/database';
import { sqlName, type TableName } from './names';

const GRANTEE = `CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END`;

/** Whoever may do something with the table, or some of its columns, may do it with the view. */
export async function grantsOf(sql: SqlRunner, table: TableName, view: TableName): Promise<string[]> {
  const rows = await sql.query<{ privilege: string; columns: string | null; grantee: string; option: string }>(
    `SELECT acl.privilege_type AS privilege, held.columns, ${GRANTEE} AS grantee,
       CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
     FROM pg_class c CROSS JOIN LATERAL (
       SELECT NULL AS columns, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
       UNION ALL
       SELECT quote_ident(a.attname), a.attacl FROM pg_attribute a
       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL
     ) held CROSS JOIN LATERAL aclexplode(held.acl) acl
     WHERE c.oid = $1::regclass AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
    [sqlName(table)],
  );
  return rows.map(
    ({ privilege, columns, grantee, option }) =>
      `GRANT ${privilege} ${columns === null ? '' : `(${columns}) `}ON ${sqlName(view)} TO ${grantee}${option}`,
  );
}

/** Nobody needs a right to an identity column's numbers; the sequence in its place needs it of whoever inserts. */
export async function sequenceGrants(sql: SqlRunner, table: TableName, sequence: TableName): Promise<string[]> {
  const rows = await sql.query<{ grantee: string }>(
    `SELECT DISTINCT ${GRANTEE} AS grantee
     FROM pg_class c CROSS JOIN LATERAL (
       SELECT coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
       UNION ALL
       SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
     ) held CROSS JOIN LATERAL aclexplode(held.acl) acl
     WHERE c.oid = $1::regclass AND acl.privilege_type = 'INSERT'`,
    [sqlName(table)],
  );
  return rows.map(({ grantee }) => `GRANT USAGE ON SEQUENCE ${sqlName(sequence)} TO ${grantee}`);
}
