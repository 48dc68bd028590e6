import type { SqlRunner, Transaction } from '../kernel/db/database';
import { isLockNotAvailable } from '../kernel/db/database-errors';
import { DomainError } from '../kernel/errors/domain-error';
import { captureChanges, endChangeCapture, endKeeping, keepSuperseded } from './change-capture';
import {
  createExtraType,
  createView,
  createWriter,
  dropView,
  shownRows,
  viewDefaults,
  viewSelect,
  type ViewParts,
} from './compat-view';
import { Copy } from './copy';
import { dependentsOf } from './dependents';
import { begun, ownSchema, rowsOf, type LegacyParts } from './legacy-parts';
import { MoveStore, type Move } from './move-store';
import { aside, shown, sqlName, type TableName } from './names';
import type { RowSql } from './row-sql';
import { literal, quoted } from './sql-text';
import { compareRows, verify } from './verify';

export interface LockOptions {
  /** How long to wait for transactions that use the table; everybody else waits as long behind it. */
  lockTimeoutMs?: number;
}

const LOCK_TIMEOUT_MS = 5_000;
const MAX_DRAINS = 5;
const FEW_CHANGES = 100;
const SEQUENCE_SUFFIX = '_kindred_seq';

async function viewParts(parts: LegacyParts, move: Move, row: RowSql): Promise<ViewParts> {
  return { row, view: move.settings.table, schema: await ownSchema(parts), vectorHome: move.settings.vectorHome };
}

/**
 * Puts the view in the table's place, in one transaction: before it the old program writes to the table, after it to the
 * typed tables, and nothing is written in between.
 * @throws CONFLICT when rows differ, something else refers to the table, or the table is in use for too long
 */
export async function cutOver(parts: LegacyParts, options: LockOptions = {}): Promise<void> {
  const move = begun(await new MoveStore(parts.database).read());
  if (move.state !== 'copied') {
    throw new DomainError(
      'CONFLICT',
      move.state === 'copying'
        ? 'The copy has not come to its end: run `kindred legacy copy` again.'
        : `${shown(move.settings.table)} has been cut over already.`,
    );
  }
  const row = await rowsOf(parts, move);
  const { foreignKeys, hasPolicies } = await dependentsOf(parts.database, row.table);
  if (hasPolicies) {
    throw new DomainError(
      'CONFLICT',
      `${shown(move.settings.table)} has row security, which a view over other tables cannot keep: who may see which rows has to be settled first, and row security disabled.`,
    );
  }
  if (foreignKeys.length > 0) {
    throw new DomainError(
      'CONFLICT',
      `A view cannot be what foreign keys refer to: drop ${foreignKeys.join(', ')} first.`,
    );
  }
  const copy = new Copy(parts);
  // As much as possible before anybody has to wait: what is written during one drain is left to the next, which is shorter.
  for (let left = MAX_DRAINS; left > 0 && (await copy.drain(row, move)) > FEW_CHANGES; left--);
  const report = await parts.database.transaction({ isSnapshot: true }, (snapshot) => compareRows(snapshot, row));
  if (report.differing > 0) {
    throw new DomainError(
      'CONFLICT',
      `${report.differing} rows differ: see \`kindred legacy verify\`, and run \`kindred legacy copy\` again.`,
    );
  }
  const view = await viewParts(parts, move, row);
  await locking(options, () =>
    copy.inTransaction(move, async (transaction) => {
      await lock(transaction, `LOCK TABLE ${row.table.sql} IN ACCESS EXCLUSIVE MODE`, options);
      while ((await copy.drainIn(transaction, row, move)) > 0);
      await checkCounts(transaction, row);
      await exchange(transaction, view);
      await new MoveStore(transaction).setState('cut over');
    }),
  );
}

/** The last look, while nobody can write: every row is accounted for. */
async function checkCounts(sql: SqlRunner, row: RowSql): Promise<void> {
  const moved = row.kinds
    .map((kind) => `(SELECT count(*) FROM ${kind.table} WHERE legacy_key IS NOT NULL)`)
    .join(' + ');
  const [counted] = await sql.query<{ legacy: number; made: number }>(
    `SELECT (SELECT count(*) FROM ${row.table.sql})::float8 AS legacy,
       (${moved} + (SELECT count(*) FROM legacy_quarantine))::float8 AS made`,
  );
  if (counted?.legacy !== counted?.made) {
    throw new DomainError(
      'CONFLICT',
      `${counted?.legacy} rows came to ${counted?.made}; nothing was changed. Run \`kindred legacy copy\` and \`kindred legacy verify\`.`,
    );
  }
}

async function exchange(transaction: Transaction, view: ViewParts): Promise<void> {
  const { row, schema } = view;
  const there = aside(view.view);
  const statements = [
    endChangeCapture(schema),
    `ALTER TABLE ${row.table.sql} RENAME TO ${quoted(there.name)}`,
    ...createExtraType(view),
    createView(view),
    ...(await sequenceFor(transaction, view)),
    ...viewDefaults(
      view,
      isIdentity(row) ? `nextval(${literal(sqlName(sequenceOf(view.view)))}::regclass)` : undefined,
    ),
    ...createWriter(view, true),
    ...keepSuperseded(row, sqlName(there), schema, (kind, from) => shownRows(view, kind, from)),
  ];
  for (const statement of statements) await transaction.query(statement);
  for (const grant of await grantsOf(transaction, there, view.view)) await transaction.query(grant);
  if (isIdentity(row)) {
    for (const grant of await sequenceGrants(transaction, there, sequenceOf(view.view))) await transaction.query(grant);
  }
}

const isIdentity = (row: RowSql): boolean => row.table.key.isIdentity;

function sequenceOf({ schema, name }: TableName): TableName {
  return { schema, name: `${name.slice(0, 63 - SEQUENCE_SUFFIX.length)}${SEQUENCE_SUFFIX}` };
}

/** An identity column keeps its numbers to itself, so the view gets a sequence that goes on after them. */
async function sequenceFor(sql: SqlRunner, { row, view }: ViewParts): Promise<string[]> {
  if (!isIdentity(row)) return [];
  const key = quoted(row.table.key.name);
  const [last] = await sql.query<{ next: string }>(
    `SELECT (coalesce(max(${key}), 0) + 1)::text AS next FROM ${row.table.sql}`,
  );
  return [`CREATE SEQUENCE ${sqlName(sequenceOf(view))} START WITH ${BigInt(last?.next ?? 1)}`];
}

/** Whoever may do something with the table, or some of its columns, may do it with the view. */
async function grantsOf(sql: SqlRunner, table: TableName, view: TableName): Promise<string[]> {
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

const GRANTEE = `CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END`;

/** Nobody needs a right to an identity column's numbers; the sequence in its place needs it of whoever inserts. */
async function sequenceGrants(sql: SqlRunner, table: TableName, sequence: TableName): Promise<string[]> {
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

/**
 * Puts the table back in the view's place, with everything that was written through the view since.
 * @throws CONFLICT when there was no cutover
 */
export async function rollBack(parts: LegacyParts, options: LockOptions = {}): Promise<void> {
  const move = begun(await new MoveStore(parts.database).read());
  if (move.state !== 'cut over') {
    throw new DomainError(
      'CONFLICT',
      move.state === 'dropped'
        ? 'The old table has been dropped; there is nothing to go back to.'
        : 'Nothing has been cut over. To take the copied rows out again, use --abandon.',
    );
  }
  const there = aside(move.settings.table);
  const row = await rowsOf(parts, move, there);
  const view = await viewParts(parts, move, row);
  await locking(options, () =>
    new Copy(parts).inTransaction(move, async (transaction) => {
      const [drop, ...rest] = dropView(view);
      // Waits for transactions that have written through it; those that come find the table.
      await lock(transaction, drop as string, options);
      await writeBack(transaction, view, there);
      for (const statement of rest) await transaction.query(statement);
      await restoreIdentity(transaction, view, there);
      await transaction.query(`ALTER TABLE ${sqlName(there)} RENAME TO ${quoted(move.settings.table.name)}`);
      const back = await rowsOf(parts, move, move.settings.table, transaction);
      await transaction.query('DELETE FROM legacy_changes');
      for (const statement of captureChanges(back, view.schema)) await transaction.query(statement);
      for (const statement of keepSuperseded(back, back.table.sql, view.schema)) await transaction.query(statement);
      await new MoveStore(transaction).setState('copied');
    }),
  );
}

/**
 * Rows that were written since are replaced by what they are now, or were when their record outgrew them; all others
 * stay as they are, to the byte.
 */
async function writeBack(sql: SqlRunner, view: ViewParts, there: TableName): Promise<void> {
  const { table } = view.row;
  const key = quoted(table.key.name);
  const columns = table.columns.filter((column) => column.generatedAs === null).map((column) => quoted(column.name));
  await sql.query(
    `DELETE FROM ${sqlName(there)} WHERE ${key} IN (
       SELECT c.legacy_key::${table.key.type} FROM legacy_changes c
       WHERE NOT EXISTS (SELECT FROM legacy_quarantine q WHERE q.legacy_key = c.legacy_key AND q.reason <> 'superseded')
     )`,
  );
  await sql.query(
    `INSERT INTO ${sqlName(there)} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE
     SELECT ${columns.join(', ')} FROM (${viewSelect(view)}) v
     WHERE v.${key} IN (SELECT legacy_key::${table.key.type} FROM legacy_changes)
     UNION ALL
     SELECT ${columns.map((column) => `r.${column}`).join(', ')}
     FROM legacy_quarantine q CROSS JOIN LATERAL jsonb_populate_record(NULL::${sqlName(there)}, q.legacy_row) r
     WHERE q.reason = 'superseded' AND q.legacy_key IN (SELECT legacy_key FROM legacy_changes)`,
  );
}

async function restoreIdentity(sql: SqlRunner, view: ViewParts, there: TableName): Promise<void> {
  if (!isIdentity(view.row)) return;
  const { name } = view.row.table.key;
  await sql.query(
    `SELECT setval(pg_get_serial_sequence($1, $2), greatest((SELECT max(${quoted(name)}) FROM ${sqlName(there)}), 1))`,
    [sqlName(there), name],
  );
  await sql.query(`DROP SEQUENCE ${sqlName(sequenceOf(view.view))}`);
}

/**
 * Takes the copied rows out of the typed tables again, and ends the move. The records get embeddings of their own.
 * @throws CONFLICT after the cutover
 */
export async function abandon(parts: LegacyParts): Promise<void> {
  const move = begun(await new MoveStore(parts.database).read());
  if (move.state === 'cut over' || move.state === 'dropped') {
    throw new DomainError('CONFLICT', 'The table has been cut over; undo that first, with `kindred legacy rollback`.');
  }
  const row = await rowsOf(parts, move);
  const schema = await ownSchema(parts);
  await new Copy(parts).inTransaction(move, async (transaction) => {
    for (const statement of [endChangeCapture(schema), ...endKeeping(row.kinds, schema)]) {
      await transaction.query(statement);
    }
    for (const kind of row.kinds) {
      await transaction.query(
        `WITH taken AS (DELETE FROM ${kind.table} WHERE legacy_key IS NOT NULL RETURNING ${kind.sourceColumn} AS id)
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT DISTINCT 'source', ${literal(kind.kind)}, id::text, 1::smallint FROM taken ON CONFLICT DO NOTHING`,
      );
      await transaction.query(`DROP INDEX IF EXISTS uq_${kind.table}_legacy_id`);
    }
    for (const table of ['legacy_changes', 'legacy_quarantine', 'legacy_move']) {
      await transaction.query(`DELETE FROM ${table}`);
    }
  });
}

/**
 * Deletes the table that was put aside. The view stays, for as long as anybody uses it; so does the quarantine.
 * @throws CONFLICT unless every row and point was found right, just now
 */
export async function dropTable(parts: LegacyParts, options: LockOptions = {}): Promise<void> {
  const move = begun(await new MoveStore(parts.database).read());
  if (move.state !== 'cut over') {
    throw new DomainError(
      'CONFLICT',
      move.state === 'dropped'
        ? 'The old table has been dropped already.'
        : `${shown(move.settings.table)} is in use: cut it over first, with \`kindred legacy cutover\`.`,
    );
  }
  const report = await verify(parts);
  if (!report.isVerified) {
    throw new DomainError('CONFLICT', 'The move is not verified, so nothing is dropped: see `kindred legacy verify`.');
  }
  const there = aside(move.settings.table);
  const row = await rowsOf(parts, move, there);
  const view = await viewParts(parts, move, row);
  const { views } = await dependentsOf(parts.database, row.table);
  if (views.length > 0) {
    throw new DomainError(
      'CONFLICT',
      `${shown(there)} is still read by ${views.join(', ')}; make them anew or drop them first.`,
    );
  }
  await locking(options, () =>
    new Copy(parts).inTransaction(move, async (transaction) => {
      await lock(transaction, `LOCK TABLE ${sqlName(there)} IN ACCESS EXCLUSIVE MODE`, options);
      for (const sequence of await ownedSequences(transaction, there)) {
        await transaction.query(`ALTER SEQUENCE ${sequence} OWNED BY NONE`);
      }
      await transaction.query(`DROP TABLE ${sqlName(there)}`);
      for (const statement of [...endKeeping(row.kinds, view.schema), ...createWriter(view, false)]) {
        await transaction.query(statement);
      }
      await transaction.query('DELETE FROM legacy_changes');
      await new MoveStore(transaction).setState('dropped');
    }),
  );
}

/** Sequences that would go with the table although the view counts on with them. */
async function ownedSequences(sql: SqlRunner, table: TableName): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    `SELECT d.objid::regclass::text AS name FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
     WHERE d.classid = 'pg_class'::regclass AND d.refobjid = $1::regclass AND d.deptype = 'a'`,
    [sqlName(table)],
  );
  return rows.map(({ name }) => name);
}

async function lock(transaction: Transaction, statement: string, options: LockOptions): Promise<void> {
  await transaction.query(`SELECT set_config('lock_timeout', $1, true)`, [
    `${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS}ms`,
  ]);
  await transaction.query(statement);
  await transaction.query(`SELECT set_config('lock_timeout', '0', true)`);
}

async function locking<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLockNotAvailable(error)) throw error;
    throw new DomainError(
      'CONFLICT',
      `Other transactions used the table for more than ${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS} ms; nothing was changed. Try again, or wait longer with --lock-timeout.`,
      { retryable: true },
    );
  }
}
