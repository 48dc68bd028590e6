import type { Database, SqlRunner } from '../db/database';
import type { RecordKind } from '../record/record-spec';
import type { Belonging } from './belongings';
import { pointKeys, type StoredTraces } from './erasure-traces';
import type { ErasedRecords } from './search-probes';

/** How much a removal removed. */
export type Removed = StoredTraces & { points: number };

/** An erasure whose record is deleted, and which may not have been seen to its end. */
export interface BegunErasure {
  belongings: Belonging[];
  erased: ErasedRecords[];
  removed: Removed;
}

interface Row {
  belongings: Belonging[];
  erased: { kind: string; ids: number[]; pointIds: string[] }[];
  removed: Removed;
}

/**
 * Events that were given up while somebody may have been writing for them are tried again, by point ids. Those of the
 * topic `point` are taken along with the deletion of the point.
 */
export const REVIVE = `
  UPDATE outbox_events SET dead_at = NULL, error = NULL, error_code = NULL, attempts = 0, available_at = now()
  WHERE topic NOT IN ('source', 'point') AND key = ANY ($1::text[]) AND dead_at IS NOT NULL`;

/** Remembers, by ids alone, which erasures are to be gone on with: by whoever asks again, in whichever process. */
export class ErasureLedger {
  constructor(
    private readonly database: Database,
    private readonly kinds: readonly RecordKind[],
  ) {}

  /** In the transaction that deletes the record. */
  async begin(sql: SqlRunner, kind: RecordKind, id: number, begun: BegunErasure): Promise<void> {
    const erased = begun.erased.map((records) => ({ ...records, kind: records.kind.kind }));
    await sql.query(
      `INSERT INTO unfinished_erasures (kind, record_id, belongings, erased, removed) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (kind, record_id) DO UPDATE SET belongings = EXCLUDED.belongings, erased = EXCLUDED.erased,
         removed = EXCLUDED.removed, requested_at = now()`,
      [kind.kind, id, JSON.stringify(begun.belongings), JSON.stringify(erased), JSON.stringify(begun.removed)],
    );
  }

  async find(kind: RecordKind, id: number): Promise<BegunErasure | undefined> {
    const [row] = await this.database.query<Row>(
      'SELECT belongings, erased, removed FROM unfinished_erasures WHERE kind = $1 AND record_id = $2',
      [kind.kind, id],
    );
    if (!row) return undefined;
    const erased = row.erased.flatMap(({ kind: name, ...records }) => {
      const found = this.kinds.find((one) => one.kind === name);
      return found ? [{ kind: found, ...records }] : [];
    });
    return { ...row, erased };
  }

  /** The records whose erasure is to be gone on with, the longest waiting first. */
  unfinished(): Promise<{ kind: string; recordId: number }[]> {
    return this.database.query(
      'SELECT kind, record_id AS "recordId" FROM unfinished_erasures ORDER BY requested_at, id',
    );
  }

  /**
   * Queues the deletion of points whose events have been lost or given up; those that wait to be looked at again are left to wait.
   * @param areStored whether the vector server has any of them; otherwise only what the ledger has is queued
   */
  async requeue(erased: readonly ErasedRecords[], areStored: boolean): Promise<void> {
    await this.database.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', gone.kind, gone.key, 0 FROM unnest($1::text[], $2::text[]) AS gone (kind, key)
       WHERE NOT EXISTS (
         SELECT 1 FROM outbox_events o
         WHERE o.kind = gone.kind AND o.key = gone.key AND o.topic = 'point' AND o.dead_at IS NULL
       ) AND ($3 OR EXISTS (
         SELECT 1 FROM outbox_events o WHERE o.kind = gone.kind AND o.key = gone.key AND o.topic = 'point'
       ) OR EXISTS (SELECT 1 FROM vector_points p WHERE p.point_id = gone.key::uuid))
       ON CONFLICT DO NOTHING`,
      [...pointKeys(erased), areStored],
    );
    await this.database.query(REVIVE, [erased.flatMap(({ pointIds }) => pointIds)]);
  }

  async finish(kind: RecordKind, id: number): Promise<void> {
    await this.database.query('DELETE FROM unfinished_erasures WHERE kind = $1 AND record_id = $2', [kind.kind, id]);
  }
}
