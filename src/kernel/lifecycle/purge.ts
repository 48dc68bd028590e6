import type { Database, SqlRunner } from '../db/database';
import { isLockNotAvailable } from '../db/database-errors';
import type { RecordKind } from '../record/record-spec';

export interface PurgeCount {
  kind: string;
  /** Records; what belongs to them goes with them and is not counted. */
  records: number;
}

const ACTOR = 'purge';
/** Small enough that a transaction, with all that cascades from it, holds its locks for a moment only. */
const BATCH_SIZE = 200;
/** How long a record that somebody holds is waited for, before it is left to the next purge. */
const PATIENCE = '5s';
const LOCK_NAME = 'kindred_purge';
const OLD = `archived_at < now() - $1 * interval '1 millisecond'`;

/** Deletes what was archived long ago. The vector side follows as after any deletion. */
export class Purge {
  constructor(
    private readonly database: Database,
    private readonly kinds: readonly RecordKind[],
  ) {}

  /** What `run` would delete now. */
  async plan(olderThanMs: number): Promise<PurgeCount[]> {
    const counts: PurgeCount[] = [];
    for (const { kind, table } of this.kinds) {
      const [row] = await this.database.query<{ records: number }>(
        `SELECT count(*)::int AS records FROM ${table} WHERE ${OLD}`,
        [olderThanMs],
      );
      counts.push({ kind, records: row?.records ?? 0 });
    }
    return counts;
  }

  /**
   * Deletes in batches, as bulk work. Processes that purge at the same time take turns. Records that others hold come last,
   * and are left where they are held for long.
   */
  async run(olderThanMs: number, signal?: AbortSignal): Promise<PurgeCount[]> {
    const counts: PurgeCount[] = [];
    for (const { kind, table } of this.kinds) {
      let records = 0;
      for (let last = 1; last > 0 && signal?.aborted !== true;) {
        last = await this.deleteSome(table, olderThanMs);
        // One at a time: who waits for one and holds others may be waited for in turn.
        if (last === 0) last = await this.deleteHeld(table, olderThanMs);
        records += last;
      }
      counts.push({ kind, records });
    }
    return counts;
  }

  private deleteSome(table: string, olderThanMs: number): Promise<number> {
    return this.delete((sql) =>
      sql.query(
        `DELETE FROM ${table} WHERE id IN (
           SELECT id FROM ${table} WHERE ${OLD} ORDER BY archived_at LIMIT $2 FOR UPDATE SKIP LOCKED
         ) RETURNING 1`,
        [olderThanMs, BATCH_SIZE],
      ),
    );
  }

  /** @returns 0 when nothing is left, or what is left has been held for too long */
  private async deleteHeld(table: string, olderThanMs: number): Promise<number> {
    try {
      return await this.delete(async (sql) => {
        await sql.query(`SELECT set_config('lock_timeout', $1, true)`, [PATIENCE]);
        return sql.query(
          `DELETE FROM ${table} WHERE id = (
             SELECT id FROM ${table} WHERE ${OLD} ORDER BY archived_at LIMIT 1 FOR UPDATE
           ) RETURNING 1`,
          [olderThanMs],
        );
      });
    } catch (error) {
      if (isLockNotAvailable(error)) return 0;
      throw error;
    }
  }

  private delete(work: (sql: SqlRunner) => Promise<object[]>): Promise<number> {
    return this.database.transaction({ actor: ACTOR, isBulk: true }, async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
      return (await work(transaction)).length;
    });
  }
}
