import type { RecordKind } from '../record/record-spec';

/**
 * Capture follows from the specs: which tables need triggers, and what each must put into the outbox.
 * This module writes that SQL. Migrations hold frozen copies of it; start-up compares the database with it.
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

/**
 * A transaction that brings embedding rows to what their records say names those records here: JSON, by the record's id
 * the payload that new points get, or each ledger entry would be written twice, once empty. Whoever writes rows of a record
 * that is not named made them by hand, or restored a backup: their records are looked at again.
 */
export const PAYLOADS_SETTING = 'kindred.payloads';

/** Writers that bring vectors along say in `kindred.adopted_from` which collection holds them. */
const EMBEDDING_VARIABLES = [
  'DECLARE',
  '  taken bigint;',
  `  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');`,
  `  rendered jsonb := coalesce(nullif(current_setting('${PAYLOADS_SETTING}', true), ''), '{}');`,
].join('\n');

const captureName = (table: string): string => `kindred_capture_${table}`;

/** A change of a row in `table` that makes another record's text or payload stale. */
interface Dependent {
  kind: string;
  columns: readonly string[];
  /** Ids of the records to look at, for all of `rows` (a transition table or the table itself). */
  all: (rows: string) => string;
  /** The same for rows of which one of `columns` has changed; `rowsWith` says what is wanted of their `fresh` and `stale` versions. */
  ofChange: (rowsWith: (wanted: string) => string) => string;
  /** Rows that only their own update concerns: no child can exist before its parent, nor after it. */
  isUpdateOnly: boolean;
}

const BOOKKEEPING = ['archived_at'];

function watchedColumns(kind: RecordKind): string[] {
  return [...kind.attributes.filter((a) => a.writable !== 'never').map((a) => a.column), ...BOOKKEEPING];
}

function parentDependent(kind: RecordKind, column: string, columns: readonly string[]): Dependent {
  return {
    kind: kind.kind,
    columns,
    all: (rows) => `SELECT child.id AS key FROM ${rows} row JOIN ${kind.table} child ON child.${column} = row.id`,
    ofChange: (rowsWith) =>
      `SELECT child.id AS key FROM ${rowsWith('fresh.id')} row JOIN ${kind.table} child ON child.${column} = row.id`,
    isUpdateOnly: true,
  };
}

function childDependent(kind: RecordKind, column: string, columns: readonly string[]): Dependent {
  return {
    kind: kind.kind,
    columns: [column, ...columns],
    all: (rows) => `SELECT row.${column} AS key FROM ${rows} row`,
    // A child that moved concerns the parent it left as well.
    ofChange: (rowsWith) =>
      `SELECT unnest(ARRAY[row.now, row.before]) AS key FROM ${rowsWith(`fresh.${column} AS now, stale.${column} AS before`)} row`,
    isUpdateOnly: false,
  };
}

function ownDependent(kind: RecordKind): Dependent {
  return {
    kind: kind.kind,
    columns: watchedColumns(kind),
    all: (rows) => `SELECT row.id AS key FROM ${rows} row`,
    ofChange: (rowsWith) => `SELECT row.id AS key FROM ${rowsWith('fresh.id')} row`,
    isUpdateOnly: false,
  };
}

/** The kinds whose records go stale when a row of `table` changes. */
function dependentsOf(table: string, kinds: readonly RecordKind[]): Dependent[] {
  const dependents: Dependent[] = [];
  for (const kind of kinds) {
    if (!kind.embedding) continue;
    if (kind.table === table) dependents.push(ownDependent(kind));
    for (const related of Object.values(kind.related ?? {})) {
      if (related.table !== table) continue;
      const make = related.direction === 'children' ? childDependent : parentDependent;
      dependents.push(make(kind, related.column, related.columns));
    }
    const owner = kind.attributes.find((attribute) => attribute.property === kind.owner);
    const ownerKind = kinds.find((candidate) => candidate.kind === owner?.reference?.kind);
    if (owner && ownerKind?.table === table) dependents.push(parentDependent(kind, owner.column, BOOKKEEPING));
  }
  return dependents;
}

function enqueue(kind: string, select: string): string {
  return [
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT DISTINCT 'source', '${kind}', found.key::text, kindred_priority()`,
    `    FROM (`,
    `      ${select}`,
    `    ) found WHERE found.key IS NOT NULL`,
    `    ON CONFLICT DO NOTHING;`,
  ].join('\n');
}

function changed(columns: readonly string[]): string {
  const list = (alias: string): string => columns.map((column) => `${alias}.${column}`).join(', ');
  return columns.length === 1
    ? `${list('fresh')} IS DISTINCT FROM ${list('stale')}`
    : `(${list('fresh')}) IS DISTINCT FROM (${list('stale')})`;
}

/**
 * Both versions of updated rows. A session plans these statements for as many rows as it has seen first, mostly one, and
 * would compare each of very many with each; a full join it can only carry out by hashing or sorting. It stays one as long
 * as nothing asked of it is false for a version that is not there: hence IS DISTINCT FROM, and `OFFSET 0` before any more.
 * An update of the id gives rows with one version.
 */
const VERSIONS = `new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id`;

const versionsWhere = (condition: string, wanted: string): string =>
  [`(SELECT ${wanted} FROM ${VERSIONS}`, `        WHERE ${condition} OFFSET 0)`].join('\n');

function recordBody(table: string, dependents: readonly Dependent[], ownKinds: ReadonlySet<string>): string {
  const lasting = dependents.filter((dependent) => !dependent.isUpdateOnly);
  // A deleted record's own points go through the cascade to its embedding rows.
  const survivors = lasting.filter((dependent) => !ownKinds.has(dependent.kind));
  const branch = (condition: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`  IF ${condition} THEN`, ...list, `  END IF;`];
  return [
    ...branch(
      `TG_OP = 'INSERT'`,
      lasting.map((d) => enqueue(d.kind, d.all('new_rows'))),
    ),
    ...branch(
      `TG_OP = 'UPDATE'`,
      dependents.map((d) =>
        enqueue(
          d.kind,
          d.ofChange((wanted) => versionsWhere(changed(d.columns), wanted)),
        ),
      ),
    ),
    ...branch(
      `TG_OP = 'DELETE'`,
      survivors.map((d) => enqueue(d.kind, d.all('old_rows'))),
    ),
    ...branch(
      `TG_OP = 'TRUNCATE'`,
      survivors.map((d) => enqueue(d.kind, d.all(table))),
    ),
    `  PERFORM pg_notify('kindred_outbox', 'source');`,
  ].join('\n');
}

function embeddingBody(kind: RecordKind): string {
  const spec = kind.embedding;
  if (!spec) return '';
  const { table, sourceColumn } = spec;
  // Without its place: a point does not carry it, so a text that only moves concerns no point.
  const columns = ['content_hash', sourceColumn, 'embedding_type', 'archived_at'];
  // What the record's text decides about a row.
  const renderedColumns = [
    ...['content_hash', sourceColumn, 'embedding_type', spec.chunkColumn],
    ...['start_offset', 'end_offset', 'token_count', 'heading_path'],
  ];
  // A row whose vector comes from elsewhere, that has no text yet or that the relay did not make, is its record's to complete.
  const adopt = (rows: string): string =>
    [
      `    WITH payloads AS MATERIALIZED (`,
      `      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)`,
      `    ), adopted AS (`,
      `      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)`,
      `      SELECT row.qdrant_point_id, '${kind.kind}', row.${sourceColumn}, coalesce(payloads.payload, '{}'), vector_home`,
      `      FROM ${rows} row LEFT JOIN payloads ON payloads.entity_id = row.${sourceColumn}`,
      `      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',`,
      `        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,`,
      `        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL`,
      `      WHERE vector_points.state = 'deleting'`,
      `      RETURNING point_id`,
      `    ), queued AS (`,
      `      INSERT INTO outbox_events (topic, kind, key, priority)`,
      `      SELECT 'point', '${kind.kind}', row.qdrant_point_id::text, kindred_priority() FROM ${rows} row`,
      `      WHERE vector_home IS NULL AND row.text <> ''`,
      `      UNION`,
      `      SELECT 'source', '${kind.kind}', row.${sourceColumn}::text, kindred_priority() FROM ${rows} row`,
      `      LEFT JOIN payloads ON payloads.entity_id = row.${sourceColumn}`,
      `      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING`,
      `    )`,
      `    SELECT (SELECT count(*) FROM ${rows} row) - (SELECT count(*) FROM adopted) INTO taken;`,
      `    IF taken > 0 THEN`,
      `      RAISE EXCEPTION 'A qdrant_point_id of ${table} already belongs to another embedding row'`,
      `        USING ERRCODE = 'unique_violation', TABLE = '${table}', CONSTRAINT = 'pk_vector_points';`,
      `    END IF;`,
    ].join('\n');
  const release = (rows: string): string =>
    [
      `    WITH released AS (`,
      `      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()`,
      `      FROM ${rows} row`,
      `      WHERE point.point_id = row.qdrant_point_id AND point.kind = '${kind.kind}'`,
      `      RETURNING point.point_id`,
      `    )`,
      `    INSERT INTO outbox_events (topic, kind, key, priority)`,
      `    SELECT 'point', '${kind.kind}', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;`,
    ].join('\n');
  // Records that lost rows otherwise than by being deleted.
  const enqueueBereft = (rows: string): string =>
    [
      `    INSERT INTO outbox_events (topic, kind, key, priority)`,
      `    SELECT DISTINCT 'source', '${kind.kind}', row.${sourceColumn}::text, kindred_priority()`,
      `    FROM ${rows} row JOIN ${kind.table} record ON record.id = row.${sourceColumn}`,
      `    WHERE NOT rendered ? row.${sourceColumn}::text ON CONFLICT DO NOTHING;`,
    ].join('\n');
  const isMoved = `stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id`;
  const moved = (version: 'fresh' | 'stale'): string =>
    `(SELECT * FROM ${versionsWhere(isMoved, `${version}.*`)} moved WHERE moved.id IS NOT NULL)`;
  return [
    `  IF TG_OP = 'INSERT' THEN`,
    adopt('new_rows'),
    `  ELSIF TG_OP = 'UPDATE' THEN`,
    `    IF EXISTS (SELECT 1 FROM ${VERSIONS} WHERE ${isMoved}) THEN`,
    release(moved('stale')),
    adopt(moved('fresh')),
    `    END IF;`,
    `    WITH touched AS (`,
    `      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),`,
    `        entity_id = row.${sourceColumn}, error = NULL, error_code = NULL`,
    `      FROM ${versionsWhere(`NOT (${isMoved}) AND ${changed(columns)}`, `fresh.qdrant_point_id, fresh.${sourceColumn}`)} row`,
    `      WHERE point.point_id = row.qdrant_point_id`,
    `      RETURNING point.point_id`,
    `    )`,
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT 'point', '${kind.kind}', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;`,
    // A row that was given to another record carries the payload of the one it left.
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT DISTINCT 'source', '${kind.kind}', edited.key::text, kindred_priority()`,
    `    FROM ${VERSIONS} CROSS JOIN LATERAL unnest(ARRAY[fresh.${sourceColumn}, stale.${sourceColumn}]) AS edited (key)`,
    `    WHERE NOT rendered ? edited.key::text AND ${changed(renderedColumns)} ON CONFLICT DO NOTHING;`,
    `  ELSIF TG_OP = 'DELETE' THEN`,
    release('old_rows'),
    enqueueBereft('old_rows'),
    `  ELSE`,
    release(table),
    enqueueBereft(table),
    `  END IF;`,
    `  PERFORM pg_notify('kindred_outbox', 'point');`,
  ].join('\n');
}

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

/** The kinds whose records may have to be looked at again when rows of `table` change. */
export function kindsFollowing(table: string, kinds: readonly RecordKind[]): RecordKind[] {
  const names = new Set(dependentsOf(table, kinds).map((dependent) => dependent.kind));
  return kinds.filter((kind) => names.has(kind.kind));
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
