import type { SqlRunner, Transaction } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { endChangeCapture, keepSuperseded } from './change-capture';
import { createExtraType, createView, createWriter, shownRows, viewDefaults, type ViewParts } from './compat-view';
import { Copy } from './copy';
import { dependentsOf } from './dependents';
import { isIdentity, sequenceFor, sequenceOf } from './key-sequence';
import { begun, rowsOf, viewParts, type LegacyParts } from './legacy-parts';
import { MoveStore } from './move-store';
import { aside, shown, sqlName } from './names';
import type { RowSql } from './row-sql';
import { literal, quoted } from './sql-text';
import { lock, locking, type LockOptions } from './table-lock';
import { compareRows } from './verify';
import { grantsOf, sequenceGrants } from './view-grants';

const MAX_DRAINS = 5;
const FEW_CHANGES = 100;

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
