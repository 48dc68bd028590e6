import type { SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { endKeeping } from './change-capture';
import { createWriter } from './compat-view';
import { Copy } from './copy';
import { dependentsOf } from './dependents';
import { begun, rowsOf, viewParts, type LegacyParts } from './legacy-parts';
import { MoveStore } from './move-store';
import { aside, shown, sqlName, type TableName } from './names';
import { lock, locking, type LockOptions } from './table-lock';
import { verify } from './verify';

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
