import type { Database, SqlValue, Transaction } from '../db/database';
import { isLockNotAvailable, isStatementCancelled } from '../db/database-errors';
import { DomainError } from '../errors/domain-error';
import { toGlobalId } from '../record/global-id';
import { isSetForLater } from '../outbox/outbox-conditions';
import type { RecordKind } from '../record/record-spec';
import { belongingsOf } from './belongings';
import { ERASURE_CHANNEL } from './erasure-channel';
import { REVIVE, type BegunErasure, type ErasureLedger } from './erasure-ledger';
import { countStored, pointKeys, recordsAmong, sourceKeys } from './erasure-traces';

/**
 * Each statement of a removal has a moment at least: for writers that are about to commit, though no time was given to wait
 * for points, and for its own work, which on a busy server must not pass for waiting.
 */
const SHORTEST_WAIT_MS = 1_000;

/** Deletes a record with all that belongs to it, what the outbox has of them, and what the ledger says of them. */
export class Removal {
  constructor(
    private readonly database: Database,
    private readonly kinds: readonly RecordKind[],
    private readonly ledger: ErasureLedger,
  ) {}

  /**
   * One transaction.
   * @param points how many there are in the vector server, to be remembered
   * @returns undefined when there is no such record
   * @throws CONFLICT others held any of it for longer than `waitMs`; nothing has been removed
   */
  async run(
    kind: RecordKind,
    id: number,
    options: { actor?: string; waitMs: number; points: number },
  ): Promise<BegunErasure | undefined> {
    const deadline = performance.now() + options.waitMs;
    try {
      return await this.database.transaction({ actor: options.actor }, (transaction) =>
        this.remove(transaction, kind, id, options.points, deadline),
      );
    } catch (error) {
      if (isLockNotAvailable(error) || isStatementCancelled(error)) throw heldByOthers(kind, id, error);
      throw error;
    }
  }

  private async remove(
    transaction: Transaction,
    kind: RecordKind,
    id: number,
    points: number,
    deadline: number,
  ): Promise<BegunErasure | undefined> {
    /** For statements that lock rows: each may take what is left of the time. */
    const inTime = async (sql: string, values: readonly SqlValue[]): Promise<object[]> => {
      const leftMs = Math.max(SHORTEST_WAIT_MS, Math.ceil(deadline - performance.now()));
      await transaction.query(`SELECT set_config('statement_timeout', $1, true)`, [String(leftMs)]);
      const rows = await transaction.query(sql, values);
      await transaction.query(`SELECT set_config('statement_timeout', '0', true)`);
      return rows;
    };
    const [row] = await inTime(`SELECT id FROM ${kind.table} WHERE id = $1 FOR UPDATE`, [id]);
    if (!row) return undefined;
    const belongings = await belongingsOf(transaction, kind.table, id);
    const erased = await recordsAmong(transaction, this.kinds, belongings);
    const pointIds = erased.flatMap((records) => records.pointIds);
    const removed = { ...(await countStored(transaction, belongings, erased)), points };
    await inTime(`DELETE FROM ${kind.table} WHERE id = $1`, [id]);
    // Also those that the ledger did not know.
    await transaction.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', gone.kind, gone.key, 0 FROM unnest($1::text[], $2::text[]) AS gone (kind, key) ON CONFLICT DO NOTHING`,
      pointKeys(erased),
    );
    // What is left to be followed are the deletions of the points, which say no more than their ids.
    await inTime(
      `DELETE FROM outbox_events o USING unnest($1::text[], $2::text[]) AS gone (kind, key)
       WHERE o.topic = 'source' AND o.kind = gone.kind AND o.key = gone.key`,
      sourceKeys(erased),
    );
    // The same of other collections and of features; where somebody may be writing, the event is followed to its end.
    await inTime(
      `DELETE FROM outbox_events o USING unnest($1::text[], $2::text[]) AS gone (kind, key)
       WHERE o.topic NOT IN ('source', 'point') AND o.kind = gone.kind AND o.key = gone.key AND o.lease_owner IS NULL
         AND NOT ${isSetForLater('o')}`,
      pointKeys(erased),
    );
    await inTime(
      `UPDATE outbox_events SET error = NULL WHERE topic <> 'source' AND key = ANY ($1::text[]) AND error IS NOT NULL`,
      [pointIds],
    );
    await inTime(REVIVE, [pointIds]);
    await inTime(
      `UPDATE vector_points SET payload = '{}', error = NULL, error_code = NULL WHERE point_id = ANY ($1::uuid[])`,
      [pointIds],
    );
    const begun = { belongings, erased, removed };
    await this.ledger.begin(transaction, kind, id, begun);
    await transaction.query('SELECT pg_notify($1, $2)', [ERASURE_CHANNEL, kind.kind]);
    return begun;
  }
}

function heldByOthers(kind: RecordKind, id: number, cause: unknown): DomainError {
  return new DomainError(
    'CONFLICT',
    `Nothing has been erased: other writers held the ${kind.names.label} ${toGlobalId(kind.names.type, id)}, or what ` +
      `belongs to it, all the time. Try again, or with a longer time-out.`,
    { retryable: true, cause, details: { field: 'id' } },
  );
}
