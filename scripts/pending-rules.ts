import type { DataSource } from 'typeorm';
import { createHashTrigger, HASH_TRIGGER } from '../src/kernel/outbox/capture-sql';
import type { RecordKind } from '../src/kernel/record/record-spec';

/** A trigger that every table of a sort has, by which the database itself keeps its rules. */
interface RuleTrigger {
  table: string;
  name: string;
  create: string;
}

function ruleTrigger(table: string, name: string, when: string): RuleTrigger {
  return { table, name, create: `CREATE TRIGGER ${name} BEFORE ${when} EXECUTE FUNCTION ${name}()` };
}

/** Audit fields and ids that stay, on every table of a record or of its embeddings. */
function commonRules(table: string): RuleTrigger[] {
  return [
    ruleTrigger(table, 'kindred_touch', `INSERT OR UPDATE ON ${table} FOR EACH ROW`),
    ruleTrigger(table, 'kindred_refuse_id_change', `UPDATE OF id ON ${table} FOR EACH ROW WHEN (NEW.id <> OLD.id)`),
  ];
}

/** The hash of what is embedded, never taken on trust. */
function hashRule(table: string): RuleTrigger {
  return { table, name: HASH_TRIGGER, create: createHashTrigger(table) };
}

/** The rule triggers that the database lacks. A trigger of a table that is yet to be made goes with its table. */
export async function pendingRules(
  dataSource: DataSource,
  kinds: readonly RecordKind[],
): Promise<{ up: string[]; down: string[] }> {
  const wanted = kinds.flatMap(({ table, embedding }) => [
    ...commonRules(table),
    ...(embedding ? [...commonRules(embedding.table), hashRule(embedding.table)] : []),
  ]);
  const rows: { table: string; triggers: string[] }[] = await dataSource.query(
    `SELECT c.relname AS table, array(SELECT tgname::text FROM pg_trigger WHERE tgrelid = c.oid) AS triggers
       FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`,
  );
  const present = new Map(rows.map(({ table, triggers }) => [table, triggers]));
  const lacking = wanted.filter(({ table, name }) => present.get(table)?.includes(name) !== true);
  return {
    up: lacking.map(({ create }) => create),
    down: lacking
      .filter(({ table }) => present.has(table))
      .map(({ table, name }) => `DROP TRIGGER ${name} ON ${table}`),
  };
}

/** Chunks change places within one statement, so their uniqueness is checked at its end; TypeORM cannot say so. */
export function deferrable(query: string): string {
  return query.replace(
    /(CONSTRAINT "?uq_\w+_chunk"? UNIQUE \([^)]*\))(?! DEFERRABLE)/g,
    '$1 DEFERRABLE INITIALLY IMMEDIATE',
  );
}
