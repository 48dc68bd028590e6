import type { Database } from '../db/database';
import type { RecordKind } from '../record/record-spec';

export interface PurgeCount {
  kind: string;
  /** Records; what belongs to them goes with them and is not counted. */
  records: number;
}

const ACTOR = 'purge';
/** Small enough that a transaction, with all that cascades from it, holds its locks for a moment only. */
const BATCH_SIZE = 200;
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

  /** Deletes in batches, as bulk work. Processes that purge at the same time take turns. */
  async run(olderThanMs: number, signal?: AbortSignal): Promise<PurgeCount[]> {
    const counts: PurgeCount[] = [];
    for (const { kind, table } of this.kinds) {
      let records = 0;
      for (let last = BATCH_SIZE; last === BATCH_SIZE && signal?.aborted !== true;) {
        last = await this.deleteSome(table, olderThanMs);
        records += last;
      }
      counts.push({ kind, records });
    }
    return counts;
  }

  private deleteSome(table: string, olderThanMs: number): Promise<number> {
    return this.database.transaction({ actor: ACTOR, isBulk: true }, async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
      const rows = await transaction.query(
        `DELETE FROM ${table} WHERE id IN (
           SELECT id FROM ${table} WHERE ${OLD} ORDER BY archived_at LIMIT $2 FOR UPDATE SKIP LOCKED
         ) RETURNING 1`,
        [olderThanMs, BATCH_SIZE],
      );
      return rows.length;
    });
  }
}
