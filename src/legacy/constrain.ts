import type { Database, SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import type { RecordKind } from '../kernel/record/record-spec';
import { constrainSteps, type ConstrainStep, type Parent } from './constrain-sql';
import { legacyKinds } from './legacy-kinds';
import { inspectTable, type ColumnRole } from './legacy-table';
import { shown, type TableName } from './names';

export interface ConstrainOptions {
  table: string;
  columns: Partial<Record<ColumnRole, string>>;
  /** Tables of records by kind, where they are not called as usual. */
  parents: Record<string, string>;
  isDryRun?: boolean;
}

export interface ConstrainResult {
  table: string;
  steps: ConstrainStep[];
  /** By reason; empty when nothing was done. */
  quarantined: Record<string, number>;
}

const QUARANTINED = /^Quarantine: (\w+)/;

/**
 * Puts on the polymorphic table all that can hold it together: for those who keep it. One transaction.
 * @throws NOT_FOUND when the records of a kind have no table
 */
export async function constrain(
  parts: { database: Database; kinds: readonly RecordKind[] },
  options: ConstrainOptions,
): Promise<ConstrainResult> {
  const { database } = parts;
  const table = await inspectTable(database, options.table, options.columns);
  const parents = await Promise.all(
    legacyKinds(parts.kinds).map(async (kind): Promise<Parent> => ({
      kind: kind.kind,
      label: kind.label,
      table: await parentTable(database, kind.kind, options.parents[kind.kind], table.schema, kind.parentTable),
    })),
  );
  const steps = constrainSteps({ table, parents });
  const quarantined: Record<string, number> = {};
  if (!options.isDryRun) {
    await database.transaction({}, async (transaction) => {
      for (const { title, sql } of steps) {
        const reason = QUARANTINED.exec(title)?.[1];
        if (reason === undefined) {
          await transaction.query(sql);
          continue;
        }
        const moved = await transaction.query(`${sql} RETURNING 1`);
        if (moved.length > 0) quarantined[reason] = moved.length;
      }
    });
  }
  return { table: shown(table), steps, quarantined };
}

/** Beside the polymorphic table, or wherever unqualified names lead. */
async function parentTable(
  sql: SqlRunner,
  kind: string,
  named: string | undefined,
  schema: string,
  usual: string,
): Promise<TableName> {
  const [found] = await sql.query<TableName>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
     JOIN pg_class c ON c.oid = to_regclass(wanted.name) JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') ORDER BY place LIMIT 1`,
    [named === undefined ? [`"${schema}".${usual}`, usual] : [named]],
  );
  if (found) return found;
  throw new DomainError(
    'NOT_FOUND',
    `There is no table ${named ?? usual} for records of ${kind}; name it with --parent ${kind}=schema.table.`,
  );
}
