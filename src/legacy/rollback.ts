import type { SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { captureChanges, keepSuperseded } from './change-capture';
import { dropView, viewSelect, type ViewParts } from './compat-view';
import { Copy } from './copy';
import { restoreIdentity } from './key-sequence';
import { begun, rowsOf, viewParts, type LegacyParts } from './legacy-parts';
import { MoveStore } from './move-store';
import { aside, sqlName, type TableName } from './names';
import { quoted } from './sql-text';
import { lock, locking, type LockOptions } from './table-lock';

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
