import type { SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { quoted } from './sql-text';

/** What columns of the polymorphic table are for, by the names that they usually have. */
export const columnRoles = {
  key: 'id',
  entityType: 'entity_type',
  entityId: 'entity_id',
  pointId: 'qdrant_point_id',
  embeddingType: 'embedding_type',
  chunkIndex: 'chunk_index',
  metadata: 'metadata_json',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  uuid: 'uuid',
} as const;

export type ColumnRole = keyof typeof columnRoles;

const REQUIRED: readonly ColumnRole[] = ['entityType', 'entityId', 'pointId'];

export type TypeFamily =
  'integer' | 'number' | 'text' | 'uuid' | 'json' | 'jsonb' | 'timestamp' | 'timestamptz' | 'date' | 'other';

const FAMILIES: Record<string, TypeFamily> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  numeric: 'number',
  float4: 'number',
  float8: 'number',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  name: 'text',
  citext: 'text',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'jsonb',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  date: 'date',
};

export interface LegacyColumn {
  name: string;
  /** As declared, e.g. `character varying(50)`. */
  type: string;
  family: TypeFamily;
  isNullable: boolean;
  /** SQL of its default. */
  default: string | null;
  isIdentity: boolean;
  /** SQL over the table's other columns; null where values are given. */
  generatedAs: string | null;
  /** Whether it alone is unique by a constraint or index. */
  isUnique: boolean;
}

export interface LegacyTable {
  schema: string;
  name: string;
  /** Quoted, with its schema. */
  sql: string;
  columns: LegacyColumn[];
  key: LegacyColumn;
  roles: Partial<Record<ColumnRole, LegacyColumn>>;
  /** Columns that have no role and whose values are given. */
  extras: LegacyColumn[];
}

interface ColumnRow {
  name: string;
  type: string;
  base: string;
  isNullable: boolean;
  default: string | null;
  identity: string;
  generatedAs: string | null;
  isUnique: boolean;
  isPrimary: boolean;
}

const COLUMNS = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    coalesce(base.typname, t.typname) AS base, NOT a.attnotnull AS "isNullable",
    CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
    a.attidentity::text AS identity, CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "generatedAs",
    EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid
        AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    ) AS "isUnique",
    EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    ) AS "isPrimary"
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type base ON base.oid = t.typbasetype
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

interface Found {
  oid: number;
  schema: string;
  name: string;
  kind: string;
}

/** `name` or `schema.name`; a name with a dot in it is put in double quotes. */
function nameParts(table: string): string[] {
  const parts = [...table.matchAll(/"((?:[^"]|"")+)"|([^."]+)/g)].map(
    ([, inQuotes, plain]) => inQuotes?.replaceAll('""', '"') ?? plain ?? '',
  );
  if (parts.length < 1 || parts.length > 2) {
    throw new DomainError('BAD_INPUT', `--table: '${table}' is not a table name; give it as name or schema.name.`);
  }
  return parts;
}

async function find(sql: SqlRunner, table: string): Promise<Found> {
  const parts = nameParts(table);
  const [name, schema] = [parts.at(-1) ?? '', parts.length === 2 ? parts[0] : undefined];
  const found = await sql.query<Found>(
    `SELECT c.oid::int8::int4 AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'
       AND n.nspname <> 'information_schema' AND ($2::text IS NULL OR n.nspname = $2)
     ORDER BY coalesce(array_position(current_schemas(false), n.nspname), 1000), n.nspname`,
    [name, schema ?? null],
  );
  const [first, second] = found;
  if (!first) {
    throw new DomainError(
      'NOT_FOUND',
      `--table: there is no table ${table} in this database. Name the one that holds the embeddings, as schema.name.`,
    );
  }
  if (second && schema === undefined && !(await isOnPath(sql, first.schema))) {
    const names = found.map((one) => `${one.schema}.${one.name}`).join(', ');
    throw new DomainError('BAD_INPUT', `--table: ${table} could be any of ${names}; name one of them.`);
  }
  return first;
}

async function isOnPath(sql: SqlRunner, schema: string): Promise<boolean> {
  const [row] = await sql.query<{ isOn: boolean }>(`SELECT $1 = ANY (current_schemas(false)) AS "isOn"`, [schema]);
  return row?.isOn ?? false;
}

/**
 * What the database says of the table; nothing is assumed but a key, a type, an entity id and a point id.
 * @param names columns by role, where they are not called as usual
 * @throws BAD_INPUT, NOT_FOUND with what to do
 */
export async function inspectTable(
  sql: SqlRunner,
  table: string,
  names: Partial<Record<ColumnRole, string>> = {},
): Promise<LegacyTable> {
  const found = await find(sql, table);
  if (found.kind !== 'r' && found.kind !== 'p') {
    throw new DomainError(
      'BAD_INPUT',
      `--table: ${found.schema}.${found.name} is not a table but a view; has it been cut over already?`,
    );
  }
  const rows = await sql.query<ColumnRow>(COLUMNS, [found.oid]);
  const columns = rows.map((row): LegacyColumn & { isPrimary: boolean } => ({
    name: row.name,
    type: row.type,
    family: FAMILIES[row.base] ?? 'other',
    isNullable: row.isNullable,
    default: row.default,
    isIdentity: row.identity !== '',
    generatedAs: row.generatedAs,
    isUnique: row.isUnique,
    isPrimary: row.isPrimary,
  }));
  const where = `${found.schema}.${found.name}`;
  const named = (name: string): LegacyColumn | undefined => columns.find((column) => column.name === name);
  const roles: Partial<Record<ColumnRole, LegacyColumn>> = {};
  for (const role of Object.keys(columnRoles) as ColumnRole[]) {
    const wanted = names[role];
    const column = named(wanted ?? columnRoles[role]);
    if (column) roles[role] = column;
    else if (wanted !== undefined) throw new DomainError('BAD_INPUT', `--column: ${where} has no column ${wanted}.`);
    else if (REQUIRED.includes(role)) {
      throw new DomainError(
        'BAD_INPUT',
        `${where} has no column ${columnRoles[role]}; say which one it is with --column ${columnRoles[role]}=NAME. It has ${columns.map(({ name }) => name).join(', ')}.`,
      );
    }
  }
  const key =
    names.key === undefined
      ? (columns.find((column) => column.isPrimary) ?? uniqueKey(roles.key))
      : uniqueKey(roles.key);
  if (!key) {
    throw new DomainError(
      'BAD_INPUT',
      `${where} has no key of one column that is unique and never null, so its rows cannot be told apart. Name one with --column id=NAME, or add it: ALTER TABLE ${quoted(found.schema, found.name)} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY.`,
    );
  }
  roles.key = key;
  // A uuid that may repeat cannot be the row's own.
  if (roles.uuid && !(roles.uuid.family === 'uuid' && roles.uuid.isUnique && roles.uuid !== key)) delete roles.uuid;
  const used = new Set(Object.values(roles).map((column) => column.name));
  return {
    schema: found.schema,
    name: found.name,
    sql: quoted(found.schema, found.name),
    columns,
    key,
    roles,
    extras: columns.filter((column) => !used.has(column.name) && column.generatedAs === null),
  };
}

function uniqueKey(column: LegacyColumn | undefined): LegacyColumn | undefined {
  return column?.isUnique && !column.isNullable ? column : undefined;
}
