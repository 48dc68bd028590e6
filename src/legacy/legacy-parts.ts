import type { Consistency } from '../kernel/consistency/consistency';
import type { Database, SqlRunner } from '../kernel/db/database';
import { isLockNotAvailable } from '../kernel/db/database-errors';
import { DomainError } from '../kernel/errors/domain-error';
import type { ModelDescriptor } from '../kernel/model/embedder';
import type { RecordKind } from '../kernel/record/record-spec';
import type { VectorStore } from '../kernel/vector/vector-store';
import type { ViewParts } from './compat-view';
import { legacyKinds, type LegacyKind } from './legacy-kinds';
import { inspectTable } from './legacy-table';
import type { Move } from './move-store';
import { sqlName } from './names';
import { RowSql } from './row-sql';
import { checkServer } from './server-version';

/** What moving a table needs. */
export interface LegacyParts {
  database: Database;
  store: VectorStore;
  consistency: Consistency;
  /** The model whose vectors Kindred's collections hold. */
  model: ModelDescriptor;
  kinds: readonly RecordKind[];
}

const LOCK_NAME = 'kindred_legacy';

/** Longer than PostgreSQL takes to notice that a killed command is gone. */
const LOCK_WAIT = '10s';

/**
 * Runs `work` while no other process works on the move.
 * @throws CONFLICT when one does, and has not ended within ten seconds
 */
export function alone<T>(parts: LegacyParts, work: () => Promise<T>): Promise<T> {
  return parts.database.session(async (client) => {
    try {
      await client.query(`SET lock_timeout = '${LOCK_WAIT}'`);
      await client.query('SELECT pg_advisory_lock(hashtext($1))', [LOCK_NAME]);
      await client.query('RESET lock_timeout');
      return await work();
    } catch (error) {
      if (!isLockNotAvailable(error)) throw error;
      throw new DomainError(
        'CONFLICT',
        'Another kindred legacy command is at work on this database; wait for it to end.',
        { retryable: true },
      );
    } finally {
      await client.query('RESET lock_timeout').catch(() => undefined);
      await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
    }
  });
}

export const kindsOf = (parts: Pick<LegacyParts, 'kinds'>): LegacyKind[] => legacyKinds(parts.kinds);

/** Where Kindred's own tables are. */
export async function ownSchema(parts: Pick<LegacyParts, 'database'>): Promise<string> {
  const [row] = await parts.database.query<{ schema: string }>(`SELECT current_schema() AS schema`);
  return row?.schema ?? 'public';
}

/** @throws CONFLICT when nothing has been copied */
export function begun(move: Move | undefined): Move {
  if (move) return move;
  throw new DomainError('CONFLICT', 'Nothing has been copied yet: run `kindred legacy copy` first.');
}

/**
 * The table of a move, as it is in the database now.
 * @throws CONFIGURATION when the server is too old
 */
export async function rowsOf(
  parts: LegacyParts,
  move: Move,
  table = move.settings.table,
  sql: SqlRunner = parts.database,
): Promise<RowSql> {
  await checkServer(sql);
  const inspected = await inspectTable(sql, sqlName(table), move.settings.columns);
  return new RowSql(inspected, move.settings, kindsOf(parts));
}

/** What the view is made of that has, or had, the name of the move's table. */
export async function viewParts(parts: LegacyParts, move: Move, row: RowSql): Promise<ViewParts> {
  return { row, view: move.settings.table, schema: await ownSchema(parts), vectorHome: move.settings.vectorHome };
}
