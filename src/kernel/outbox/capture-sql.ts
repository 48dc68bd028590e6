import type { RecordKind } from '../record/record-spec';
import { dependentsOf } from './capture-dependents';
import { EMBEDDING_VARIABLES, embeddingBody } from './capture-embedding-body';
import { recordBody } from './capture-record-body';

/**
 * Capture follows from the specs: which tables need triggers, and what each must put into the outbox.
 * This module writes that SQL, with the two `capture-*-body` beside it. Migrations hold frozen copies of it; start-up
 * compares the database with it.
 */
export interface CaptureFunction {
  table: string;
  name: string;
  /** `CREATE OR REPLACE FUNCTION …`, canonical text. */
  createFunction: string;
  triggers: CaptureTrigger[];
}

export interface CaptureTrigger {
  name: string;
  /** When it fires, and the names of the transition tables that its function reads. */
  timing: 'AFTER' | 'BEFORE';
  event: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
  newTable: 'new_rows' | null;
  oldTable: 'old_rows' | null;
  /** The statements that make it. */
  create: string[];
}

/** The rule of every embedding table that keeps `content_hash` to the text. */
export const HASH_TRIGGER = 'kindred_hash_text';

export const createHashTrigger = (table: string): string =>
  `CREATE TRIGGER ${HASH_TRIGGER} BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON ${table} FOR EACH ROW EXECUTE FUNCTION ${HASH_TRIGGER}()`;

const captureName = (table: string): string => `kindred_capture_${table}`;

const TRIGGERS = [
  { timing: 'AFTER', event: 'INSERT', newTable: 'new_rows', oldTable: null },
  { timing: 'AFTER', event: 'UPDATE', newTable: 'new_rows', oldTable: 'old_rows' },
  { timing: 'AFTER', event: 'DELETE', newTable: null, oldTable: 'old_rows' },
  // Before: afterwards there is nothing left to say what went.
  { timing: 'BEFORE', event: 'TRUNCATE', newTable: null, oldTable: null },
] as const;

function captureTrigger(table: string, functionName: string, when: (typeof TRIGGERS)[number]): CaptureTrigger {
  const name = `${functionName}_${when.event.toLowerCase()}`;
  const transitions = [
    ...(when.newTable ? [`NEW TABLE AS ${when.newTable}`] : []),
    ...(when.oldTable ? [`OLD TABLE AS ${when.oldTable}`] : []),
  ];
  const referencing = transitions.length > 0 ? ` REFERENCING ${transitions.join(' ')}` : '';
  return {
    ...when,
    name,
    create: [
      `CREATE TRIGGER ${name} ${when.timing} ${when.event} ON ${table}${referencing} FOR EACH STATEMENT EXECUTE FUNCTION ${functionName}()`,
      // Otherwise a session with session_replication_role = replica would write unnoticed.
      `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`,
    ],
  };
}

/** With a snapshot older than itself, TRUNCATE empties rows that the trigger cannot see and so cannot report. */
function refuseBlindTruncate(table: string): string {
  return [
    `  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN`,
    `    RAISE EXCEPTION 'TRUNCATE of ${table} needs READ COMMITTED: at % it could empty rows that nobody would follow',`,
    `      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';`,
    `  END IF;`,
  ].join('\n');
}

/**
 * Names mean the tables beside the one that is written, whatever the writer's `search_path`, and its temporary tables last.
 * The SET clause of the function ends this with it.
 */
const OWN_SCHEMA = `  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);`;

function captureFunction(table: string, body: string, declare = ''): CaptureFunction {
  const name = captureName(table);
  return {
    table,
    name,
    createFunction: [
      `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$`,
      ...(declare === '' ? [] : [declare]),
      `BEGIN`,
      OWN_SCHEMA,
      refuseBlindTruncate(table),
      body,
      `  RETURN NULL;`,
      `END`,
      `$capture$`,
    ].join('\n'),
    triggers: TRIGGERS.map((when) => captureTrigger(table, name, when)),
  };
}

/** Every capture function that these kinds need, one a table, in a stable order. */
export function captureFunctions(kinds: readonly RecordKind[]): CaptureFunction[] {
  const tables = new Set<string>();
  for (const kind of kinds) {
    tables.add(kind.table);
    for (const related of Object.values(kind.related ?? {})) tables.add(related.table);
  }
  const records = [...tables]
    .map((table) => ({
      table,
      dependents: dependentsOf(table, kinds),
      own: new Set(kinds.filter((kind) => kind.table === table).map((kind) => kind.kind)),
    }))
    .filter(({ dependents }) => dependents.length > 0)
    .map(({ table, dependents, own }) => captureFunction(table, recordBody(table, dependents, own)));
  const embeddings = kinds.flatMap((kind) =>
    kind.embedding ? [captureFunction(kind.embedding.table, embeddingBody(kind), EMBEDDING_VARIABLES)] : [],
  );
  return [...records, ...embeddings];
}
