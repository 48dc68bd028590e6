import type { SqlRunner } from '../db/database';
import type { RecordKind } from '../record/record-spec';
import { captureFunctions, HASH_TRIGGER, type CaptureFunction, type CaptureTrigger } from './capture-sql';

/** Something that lets writes pass uncaptured. */
export interface CaptureDamage {
  problem: 'missing' | 'disabled' | 'altered' | 'replica';
  /** The table whose changes may be missed; null where it concerns all of them. */
  table: string | null;
  /** One sentence without its full stop. */
  message: string;
}

interface TriggerRow {
  table: string;
  name: string;
  functionName: string;
  type: number;
  enabled: string;
  oldTable: string | null;
  newTable: string | null;
  isConditional: boolean;
}

interface FunctionRow {
  name: string;
  body: string;
}

/** Bits of `pg_trigger.tgtype`; FOR EACH ROW would be 1. */
const TYPE_BITS = { AFTER: 0, BEFORE: 2, INSERT: 4, DELETE: 8, UPDATE: 16, TRUNCATE: 32 } as const;

/** Compares the capture triggers of the database with what the specs demand. A few milliseconds, whatever its size. */
export async function findCaptureDamage(sql: SqlRunner, kinds: readonly RecordKind[]): Promise<CaptureDamage[]> {
  const wanted = captureFunctions(kinds);
  const tables = wanted.map((capture) => capture.table);
  const triggers = await sql.query<TriggerRow>(
    `SELECT c.relname AS "table", t.tgname AS name, p.proname AS "functionName", t.tgtype::int AS type,
       t.tgenabled AS enabled, t.tgoldtable AS "oldTable", t.tgnewtable AS "newTable",
       t.tgqual IS NOT NULL OR t.tgattr::text <> '' AS "isConditional"
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
     WHERE NOT t.tgisinternal AND t.tgrelid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)`,
    [tables],
  );
  const functions = await sql.query<FunctionRow>(
    `SELECT p.proname AS name, p.prosrc AS body FROM pg_proc p
     WHERE p.oid = ANY (SELECT to_regprocedure(name || '()') FROM unnest($1::text[]) AS name)`,
    [wanted.map((capture) => capture.name)],
  );
  const roles = await sql.query<{ who: string }>(
    `SELECT coalesce('the role ' || r.rolname, 'the database ' || current_database()) AS who
     FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
     WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND s.setconfig @> ARRAY['session_replication_role=replica']
     UNION SELECT 'this connection' WHERE current_setting('session_replication_role') = 'replica'`,
  );
  return [
    ...wanted.flatMap((capture) => damageOf(capture, triggers, functions)),
    ...kinds.flatMap(({ embedding }) => (embedding ? hashDamage(embedding.table, triggers) : [])),
    ...roles.map(({ who }) => ({
      problem: 'replica' as const,
      table: null,
      message: `session_replication_role is 'replica' for ${who}, so foreign keys are neither checked nor cascade`,
    })),
  ];
}

function damageOf(
  capture: CaptureFunction,
  triggers: readonly TriggerRow[],
  functions: readonly FunctionRow[],
): CaptureDamage[] {
  const { table, name } = capture;
  const damage = (problem: CaptureDamage['problem'], what: string): CaptureDamage => ({
    problem,
    table,
    message: `table ${table}: ${what}`,
  });
  const found = functions.find((candidate) => candidate.name === name);
  if (!found) return [damage('missing', `the function ${name}() and its triggers are missing`)];
  const damages: CaptureDamage[] = [];
  if (found.body.trim() !== bodyOf(capture)) {
    damages.push(damage('altered', `the function ${name}() differs from what the specs demand`));
  }
  for (const wanted of capture.triggers) {
    const trigger = triggers.find((candidate) => candidate.table === table && candidate.name === wanted.name);
    if (!trigger) damages.push(damage('missing', `the trigger ${wanted.name} is missing`));
    else if (trigger.enabled === 'D') damages.push(damage('disabled', `the trigger ${wanted.name} is disabled`));
    else if (trigger.enabled !== 'A') {
      damages.push(damage('disabled', `the trigger ${wanted.name} does not fire in every session (ENABLE ALWAYS)`));
    } else if (!isAsWanted(trigger, capture, wanted)) {
      damages.push(damage('altered', `the trigger ${wanted.name} differs from what the specs demand`));
    }
  }
  return damages;
}

/** An edit of an embedded text is told by its hash, which the database itself keeps. */
function hashDamage(table: string, triggers: readonly TriggerRow[]): CaptureDamage[] {
  const found = triggers.find((trigger) => trigger.table === table && trigger.name === HASH_TRIGGER);
  if (found && found.enabled !== 'D') return [];
  const problem = found ? 'disabled' : 'missing';
  return [{ problem, table, message: `table ${table}: the trigger ${HASH_TRIGGER} is ${problem}` }];
}

function isAsWanted(found: TriggerRow, capture: CaptureFunction, wanted: CaptureTrigger): boolean {
  return (
    found.functionName === capture.name &&
    found.type === (TYPE_BITS[wanted.timing] | TYPE_BITS[wanted.event]) &&
    found.oldTable === wanted.oldTable &&
    found.newTable === wanted.newTable &&
    !found.isConditional
  );
}

function bodyOf({ createFunction }: CaptureFunction): string {
  const [, body = ''] = createFunction.split('$capture$');
  return body.trim();
}
