import type { LegacyKind } from './legacy-kinds';
import type { RowSql } from './row-sql';
import { quoted } from './sql-text';

const NOTE = 'kindred_legacy_note';
const KEEP = 'kindred_legacy_keep';

/** Runs with the rights of whoever moves the table: the old program's role need know nothing of Kindred's tables. */
export const definer = (schema: string): string =>
  `LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${quoted(schema)}, pg_temp`;

/**
 * From here on every write to the polymorphic table leaves the keys of its rows in `legacy_changes`, in the writer's own
 * transaction. Nothing else happens there, so the move cannot make an old program's write fail.
 */
export function captureChanges(row: RowSql, schema: string): string[] {
  const { table } = row;
  const key = quoted(table.key.name);
  const note = (rows: string): string => `INSERT INTO legacy_changes (legacy_key) SELECT ${key}::text FROM ${rows};`;
  const trigger = (suffix: string, timing: string, referencing: string): string =>
    `CREATE TRIGGER ${NOTE}_${suffix} ${timing} ON ${table.sql} ${referencing} FOR EACH STATEMENT EXECUTE FUNCTION ${quoted(schema)}.${NOTE}()`;
  return [
    `CREATE OR REPLACE FUNCTION ${quoted(schema)}.${NOTE}() RETURNS trigger ${definer(schema)} AS $note$
     BEGIN
       IF TG_OP = 'INSERT' THEN ${note('new_rows')}
       ELSIF TG_OP = 'UPDATE' THEN ${note('new_rows')} ${note('old_rows')}
       ELSIF TG_OP = 'DELETE' THEN ${note('old_rows')}
       ELSE ${note(table.sql)}
       END IF;
       RETURN NULL;
     END
     $note$`,
    trigger('insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows'),
    trigger('update', 'AFTER UPDATE', 'REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows'),
    trigger('delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows'),
    trigger('truncate', 'BEFORE TRUNCATE', ''),
  ];
}

export function endChangeCapture(schema: string): string {
  return `DROP FUNCTION IF EXISTS ${quoted(schema)}.${NOTE}() CASCADE`;
}

/** Who writes when rows are moved. */
export const MOVER = 'kindred-legacy';

/**
 * Deletions of moved rows are looked into: with a deleted record go its rows, and the table's own are then without one.
 * A moved row that Kindred removes, because its record's text has fewer chunks by now, is kept in the quarantine: no row
 * is lost. `original` is the polymorphic table, wherever it is at the time.
 * @param shown rows of a kind as the table would have them, for what was written through the view since the cutover
 */
export function keepSuperseded(
  row: RowSql,
  original: string,
  schema: string,
  shown?: (kind: LegacyKind, from: string) => string,
): string[] {
  const { table } = row;
  const written = (kind: LegacyKind): string =>
    shown === undefined
      ? ''
      : `(
           SELECT to_jsonb(s) FROM (${shown(kind, 'old_rows')}) s
           WHERE s.${quoted(table.key.name)} = o.legacy_key::${table.key.type}
             AND EXISTS (SELECT FROM legacy_changes c WHERE c.legacy_key = o.legacy_key)
         ), `;
  const functions = row.kinds.flatMap((kind) => [
    `CREATE OR REPLACE FUNCTION ${quoted(schema)}.${KEEP}_${kind.kind}() RETURNS trigger ${definer(schema)} AS $keep$
     DECLARE
       actor text := coalesce(current_setting('kindred.actor', true), '');
     BEGIN
       IF actor = 'kindred-relay' THEN
         INSERT INTO legacy_quarantine (legacy_key, reason, entity_type, legacy_row)
         SELECT o.legacy_key, 'superseded', '${kind.kind}', coalesce(${written(kind)}to_jsonb(l), to_jsonb(o))
         FROM old_rows o JOIN ${kind.parentTable} p ON p.id = o.${kind.sourceColumn}
         LEFT JOIN ${original} l ON l.${quoted(table.key.name)} = o.legacy_key::${table.key.type}
         WHERE o.legacy_key IS NOT NULL
         ON CONFLICT (legacy_key) DO UPDATE SET reason = EXCLUDED.reason, legacy_row = EXCLUDED.legacy_row;
       ELSIF actor <> '${MOVER}' THEN
         INSERT INTO legacy_changes (legacy_key) SELECT o.legacy_key FROM old_rows o WHERE o.legacy_key IS NOT NULL;
       END IF;
       RETURN NULL;
     END
     $keep$`,
    `CREATE OR REPLACE TRIGGER ${KEEP} AFTER DELETE ON ${kind.table} REFERENCING OLD TABLE AS old_rows
     FOR EACH STATEMENT EXECUTE FUNCTION ${quoted(schema)}.${KEEP}_${kind.kind}()`,
  ]);
  return functions;
}

export function endKeeping(kinds: readonly LegacyKind[], schema: string): string[] {
  return kinds.map((kind) => `DROP FUNCTION IF EXISTS ${quoted(schema)}.${KEEP}_${kind.kind}() CASCADE`);
}
