import { selectRows } from './batch';
import { definer } from './change-capture';
import type { LegacyKind } from './legacy-kinds';
import { columnRoles, type ColumnRole, type LegacyColumn } from './legacy-table';
import { sqlName, type TableName } from './names';
import {
  IS_JSON_STRING,
  ORIGINAL_EMBEDDING,
  ORIGINAL_TYPE,
  quarantineReasons,
  type QuarantineReason,
  type RowSql,
} from './row-sql';
import { literal, quoted } from './sql-text';

/** What the view and its triggers are made of. */
export interface ViewParts {
  row: RowSql;
  /** What the view is called: the table's own name. */
  view: TableName;
  /** Where Kindred's tables are. */
  schema: string;
  /** Where the vectors of new rows may be; null when records are embedded. */
  vectorHome: string | null;
}

const WRITE = 'kindred_legacy_write';
const EXTRA = 'kindred_legacy_extra';

/** Roles that the view has even where the table had no such column, with their types in the document. */
const ADDED: Partial<Record<ColumnRole, string>> = {
  embeddingType: 'varchar(50)',
  chunkIndex: 'integer',
  metadata: 'text',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
};

function addedRoles(row: RowSql): [ColumnRole, string][] {
  const taken = new Set(row.table.columns.map((column) => column.name));
  return (Object.entries(ADDED) as [ColumnRole, string][]).filter(
    ([role]) => row.table.roles[role] === undefined && !taken.has(columnRoles[role]),
  );
}

function columnOf(role: ColumnRole, row: RowSql): string {
  return quoted(row.table.roles[role]?.name ?? columnRoles[role]);
}

function roleOf(row: RowSql, column: LegacyColumn): ColumnRole | undefined {
  return (Object.keys(row.table.roles) as ColumnRole[]).find((role) => row.table.roles[role] === column);
}

/** A value of typed row `e` as the table's own column would have it. */
function shownValue({ row }: ViewParts, kind: LegacyKind, role: ColumnRole, type: string, family: string): string {
  const { matchBy, timeZone } = row.settings;
  const instant = (column: string): string =>
    family === 'timestamptz' ? `e.${column}::${type}` : `(e.${column} AT TIME ZONE ${literal(timeZone)})::${type}`;
  switch (role) {
    case 'key':
      return row.viewId(kind, 'e');
    case 'entityType':
      return `coalesce(e.legacy_extra ->> ${literal(ORIGINAL_TYPE)}, ${literal(kind.kind)})::${type}`;
    case 'entityId':
      return matchBy === 'id'
        ? `e.${kind.sourceColumn}::${type}`
        : `(SELECT p.${matchBy} FROM ${kind.parentTable} p WHERE p.id = e.${kind.sourceColumn})::${type}`;
    case 'pointId':
      return `e.qdrant_point_id::${type}`;
    case 'embeddingType':
      return `coalesce(e.legacy_extra ->> ${literal(ORIGINAL_EMBEDDING)}, e.embedding_type)::${type}`;
    case 'chunkIndex':
      return `e.${kind.chunkColumn}::${type}`;
    case 'metadata':
      if (family === 'jsonb') return 'e.metadata_json';
      return `(CASE WHEN jsonb_typeof(e.metadata_json) = 'string' AND NOT coalesce(e.legacy_extra ? ${literal(IS_JSON_STRING)}, false)
        THEN e.metadata_json #>> '{}' ELSE e.metadata_json::text END)::${type}`;
    case 'createdAt':
      return instant('created_at');
    case 'updatedAt':
      return instant('updated_at');
    case 'uuid':
      return 'e.uuid';
  }
}

/** The typed tables as the one table that they were, in its columns, their order and types. */
export function viewSelect(parts: ViewParts): string {
  return parts.row.kinds.map((kind) => shownRows(parts, kind, quoted(parts.schema, kind.table))).join('\nUNION ALL\n');
}

/** Typed rows of one kind as the table would have them. @param from what has them: the typed table, or some of its rows */
export function shownRows(parts: ViewParts, kind: LegacyKind, from: string): string {
  const { row, schema } = parts;
  const { columns } = row.table;
  const given = columns
    .filter((column) => column.generatedAs === null)
    .map((column) => {
      const role = roleOf(row, column);
      const value = role
        ? shownValue(parts, kind, role, column.type, column.family)
        : `(jsonb_populate_record(NULL::${quoted(schema, EXTRA)}, e.legacy_extra)).${quoted(column.name)}`;
      return `${value} AS ${quoted(column.name)}`;
    });
  const added = addedRoles(row).map(([role, type]): [string, string] => [
    quoted(columnRoles[role]),
    shownValue(parts, kind, role, type, type),
  ]);
  const select = `SELECT ${[...given, ...added.map(([name, value]) => `${value} AS ${name}`)].join(', ')} FROM ${from} e`;
  if (given.length === columns.length) return select;
  // What PostgreSQL made of the other columns is made of them here.
  const shown = columns.map(({ name, type, generatedAs }) =>
    generatedAs === null ? quoted(name) : `(${generatedAs})::${type} AS ${quoted(name)}`,
  );
  return `SELECT ${[...shown, ...added.map(([name]) => name)].join(', ')} FROM (${select}) g`;
}

/** A type with the columns that have no place elsewhere, so that their values come back in their own types. */
export function createExtraType({ row, schema }: ViewParts): string[] {
  const columns = row.table.extras.map(({ name, type }) => `${quoted(name)} ${type}`);
  return columns.length === 0 ? [] : [`CREATE TYPE ${quoted(schema, EXTRA)} AS (${columns.join(', ')})`];
}

export function createView(parts: ViewParts): string {
  return `CREATE VIEW ${sqlName(parts.view)} AS ${viewSelect(parts)}`;
}

export function dropView({ view, schema }: Pick<ViewParts, 'view' | 'schema'>): string[] {
  return [
    `DROP VIEW ${sqlName(view)}`,
    `DROP FUNCTION ${quoted(schema, WRITE)}()`,
    `DROP TYPE IF EXISTS ${quoted(schema, EXTRA)}`,
  ];
}

/** Columns have the defaults that they had, so that `INSERT` may leave out what it left out before. */
export function viewDefaults(parts: ViewParts, keyDefault: string | undefined): string[] {
  return parts.row.table.columns.flatMap((column) => {
    const value = column === parts.row.table.key ? (keyDefault ?? column.default) : column.default;
    return value === null
      ? []
      : [`ALTER VIEW ${sqlName(parts.view)} ALTER COLUMN ${quoted(column.name)} SET DEFAULT ${value}`];
  });
}

const CODES: Partial<Record<QuarantineReason, string>> = {
  no_entity_type: 'not_null_violation',
  no_entity_id: 'not_null_violation',
  no_point_id: 'not_null_violation',
};

function refusals({ row }: ViewParts): string {
  const kinds = row.kinds.map(({ kind }) => kind).join(', ');
  const entityId = `NEW.${columnOf('entityId', row)}`;
  const label = `CASE item.kind ${row.kinds.map((kind) => `WHEN ${literal(kind.kind)} THEN ${literal(kind.label)}`).join(' ')} END`;
  const messages: Partial<Record<QuarantineReason, string>> = {
    unknown_entity_type: `'''%'' is no entity type; it must be one of ${kinds}', item.entity_type`,
    bad_entity_id: `'% with id % does not exist', ${label}, ${entityId}`,
    unknown_embedding_type: `'''%'' is no embedding type of a %', item.embedding_type, item.kind`,
  };
  const others = (Object.keys(quarantineReasons) as QuarantineReason[]).map((reason) => {
    const message = messages[reason] ?? literal(quarantineReasons[reason].replaceAll('%', '%%'));
    return `WHEN ${literal(reason)} THEN RAISE EXCEPTION ${message} USING ERRCODE = '${CODES[reason] ?? 'check_violation'}';`;
  });
  return `
    IF item.reason = 'no_parent' THEN
      RAISE EXCEPTION '% with id % does not exist', ${label}, ${entityId} USING ERRCODE = 'foreign_key_violation';
    ELSIF item.reason IS NOT NULL THEN
      CASE item.reason ${others.join('\n        ')} END CASE;
    END IF;`;
}

function insertInto(kind: LegacyKind, key: string): string {
  return `
      WHEN ${literal(kind.kind)} THEN
        -- Kindred's own rows of this record and type give way; the relay, which only tries this lock, comes back later.
        PERFORM pg_advisory_xact_lock(hashtext('source ${kind.kind}'), item.source_id);
        DELETE FROM ${kind.table} e WHERE e.${kind.sourceColumn} = item.source_id
          AND e.embedding_type = item.embedding_type AND e.legacy_key IS NULL;
        INSERT INTO ${kind.table} (${kind.sourceColumn}, qdrant_point_id, embedding_type, ${kind.chunkColumn}, metadata_json,
          created_at, updated_at, uuid, legacy_key, legacy_extra, content_hash)
        VALUES (item.source_id, item.point_id, item.embedding_type,
          coalesce(item.chunk, (SELECT coalesce(max(e.${kind.chunkColumn}) + 1, 0) FROM ${kind.table} e
            WHERE e.${kind.sourceColumn} = item.source_id AND e.embedding_type = item.embedding_type)),
          item.metadata, coalesce(item.created_at, item.updated_at, now()), coalesce(item.updated_at, item.created_at, now()),
          coalesce(item.uuid, gen_random_uuid()), ${key}, item.extra, '');`;
}

function updateOf(row: RowSql, kind: LegacyKind, oldKey: string, newKey: string): string {
  const id = row.viewId(kind, 'e');
  return `
      WHEN ${literal(kind.kind)} THEN
        PERFORM pg_advisory_xact_lock(hashtext('source ${kind.kind}'), item.source_id);
        DELETE FROM ${kind.table} e WHERE e.${kind.sourceColumn} = item.source_id
          AND e.embedding_type = item.embedding_type AND e.legacy_key IS NULL AND ${id} <> ${oldKey};
        -- The point goes with its row; what text the record that it leaves has says nothing of it any more.
        UPDATE vector_points p SET adopted_hash = NULL FROM ${kind.table} e
        WHERE ${id} = ${oldKey} AND p.point_id = e.qdrant_point_id AND p.adopted_hash IS NOT NULL
          AND (e.${kind.sourceColumn}, e.embedding_type) IS DISTINCT FROM (item.source_id, item.embedding_type);
        UPDATE ${kind.table} e SET ${kind.sourceColumn} = item.source_id, qdrant_point_id = item.point_id,
          embedding_type = item.embedding_type, ${kind.chunkColumn} = coalesce(item.chunk, e.${kind.chunkColumn}),
          metadata_json = item.metadata, legacy_extra = item.extra, uuid = coalesce(item.uuid, e.uuid),
          legacy_key = CASE WHEN ${newKey} = ${oldKey} THEN e.legacy_key ELSE ${newKey}::text END
        WHERE ${id} = ${oldKey};`;
}

/** What writes to the view do: the same to the typed tables, checked, captured and indexed like any other write. */
export function createWriter(parts: ViewParts, isNoting: boolean): string[] {
  const { row, view, schema, vectorHome } = parts;
  const key = quoted(row.table.key.name);
  const [newKey, oldKey] = [`NEW.${key}`, `OLD.${key}`];
  const each = (of: (kind: LegacyKind) => string): string => row.kinds.map(of).join('');
  const remove = each(
    (kind) => `
      WHEN ${literal(kind.kind)} THEN DELETE FROM ${kind.table} e WHERE ${row.viewId(kind, 'e')} = ${oldKey};`,
  );
  const note = (value: string): string =>
    isNoting ? `INSERT INTO legacy_changes (legacy_key) VALUES (${value}::text);` : '';
  return [
    `CREATE OR REPLACE FUNCTION ${quoted(schema, WRITE)}() RETURNS trigger ${definer(schema)} AS $write$
    DECLARE
      item record;
      was_kind text;
      was_home text := current_setting('kindred.adopted_from', true);
      touched bigint;
      kept text;
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        SELECT ${row.kind} INTO was_kind FROM (SELECT OLD.*) l;
      END IF;
      IF TG_OP = 'DELETE' THEN
        CASE was_kind ${remove} END CASE;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched = 0 THEN RETURN NULL; END IF;
        ${note(oldKey)}
        RETURN OLD;
      END IF;
      IF ${newKey} IS NULL THEN
        RAISE EXCEPTION 'null value in column % of %', ${literal(row.table.key.name)}, TG_TABLE_NAME USING ERRCODE = 'not_null_violation';
      END IF;
      IF TG_OP = 'INSERT' OR ${newKey} IS DISTINCT FROM ${oldKey} THEN
        SELECT q.reason INTO kept FROM legacy_quarantine q WHERE q.legacy_key = ${newKey}::text;
        IF FOUND THEN
          RAISE EXCEPTION 'duplicate key value: row % is in the quarantine: %', ${newKey}, kept USING ERRCODE = 'unique_violation';
        END IF;
      END IF;
      -- OFFSET 0: as constants, casts would be tried before what they depend on.
      SELECT * INTO item FROM (${selectRows(row, 'FROM (SELECT NEW.* OFFSET 0) l OFFSET 0')}) r;
      ${refusals(parts)}
      PERFORM set_config('kindred.adopted_from', ${literal(vectorHome ?? '')}, true);
      IF TG_OP = 'UPDATE' AND was_kind = item.kind THEN
        CASE item.kind ${each((kind) => updateOf(row, kind, oldKey, newKey))} END CASE;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched = 0 THEN RETURN NULL; END IF;
      ELSE
        IF TG_OP = 'UPDATE' THEN
          CASE was_kind ${remove} END CASE;
          GET DIAGNOSTICS touched = ROW_COUNT;
          IF touched = 0 THEN RETURN NULL; END IF;
        END IF;
        CASE item.kind ${each((kind) => insertInto(kind, `${newKey}::text`))} END CASE;
      END IF;
      PERFORM set_config('kindred.adopted_from', coalesce(was_home, ''), true);
      ${note(newKey)}
      IF TG_OP = 'UPDATE' AND ${newKey} IS DISTINCT FROM ${oldKey} THEN
        ${note(oldKey)}
        NULL;
      END IF;
      SELECT v.* INTO NEW FROM ${sqlName(view)} v WHERE v.${key} = ${newKey};
      RETURN NEW;
    END
    $write$`,
    `CREATE OR REPLACE TRIGGER ${WRITE} INSTEAD OF INSERT OR UPDATE OR DELETE ON ${sqlName(view)}
     FOR EACH ROW EXECUTE FUNCTION ${quoted(schema, WRITE)}()`,
  ];
}
