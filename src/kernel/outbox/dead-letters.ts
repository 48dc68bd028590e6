import type { Database, SqlRunner } from '../db/database';
import type { RecordKind } from '../record/record-spec';
import type { OutboxTopic } from './outbox-event.entity';

/** Type of the global ids that name dead letters. */
export const DEAD_LETTER = 'DeadLetter';

/** An event that was given up, and why. */
export interface DeadLetterRow {
  /** Of the event; beyond 32 bits on a database that has seen much. */
  id: number;
  topic: OutboxTopic;
  kind: string;
  /** The record concerned; null when it was a point's event and the ledger has forgotten the point. */
  recordId: number | null;
  /** Null for events of records. */
  pointId: string | null;
  attempts: number;
  errorCode: string;
  error: string;
  capturedAt: Date;
  failedAt: Date;
  /** What a list goes on after. */
  position: DeadLetterPosition;
}

/** The microsecond since 1970 at which it was given up, and the event's id, which breaks ties. */
export type DeadLetterPosition = readonly [failedAtMicros: string, id: number];

export interface DeadLetterPage {
  rows: DeadLetterRow[];
  hasNextPage: boolean;
}

const REDRIVE_BATCH = 5_000;
const SELECT = `
  SELECT e.id::float8 AS id, e.topic, e.kind, e.attempts, coalesce(e.error_code, 'INTERNAL') AS "errorCode",
    coalesce(e.error, '') AS error, e.captured_at AS "capturedAt", e.dead_at AS "failedAt",
    CASE WHEN e.topic <> 'source' THEN e.key END AS "pointId",
    CASE WHEN e.topic = 'source' THEN e.key::int ELSE p.entity_id END AS "recordId",
    (extract(epoch FROM e.dead_at) * 1000000)::bigint::text AS micros
  FROM outbox_events e
  LEFT JOIN vector_points p ON p.point_id = CASE WHEN e.topic <> 'source' THEN e.key::uuid END`;

interface SelectedRow extends Omit<DeadLetterRow, 'position'> {
  micros: string;
}

const toRow = ({ micros, ...row }: SelectedRow): DeadLetterRow => ({ ...row, position: [micros, row.id] });

/** What the relay has given up, and how it is given another chance. */
export class DeadLetters {
  /** Of what this program relays; events of other kinds are nobody's here. */
  private readonly kinds: readonly string[];

  constructor(
    private readonly database: Database,
    private readonly recordKinds: readonly RecordKind[],
  ) {
    this.kinds = recordKinds.map(({ kind }) => kind);
  }

  /** The latest first. */
  async page(size: number, options: { kind?: string; after?: DeadLetterPosition } = {}): Promise<DeadLetterPage> {
    const [micros = null, id = null] = options.after ?? [];
    const rows = await this.database.query<SelectedRow>(
      `${SELECT}
       WHERE e.dead_at IS NOT NULL AND e.kind = ANY ($1)
         AND ($2::bigint IS NULL
           OR (e.dead_at, e.id) < (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3::bigint))
       ORDER BY e.dead_at DESC, e.id DESC LIMIT $4`,
      [this.kindsOf(options.kind), micros, id, size + 1],
    );
    return { rows: rows.slice(0, size).map(toRow), hasNextPage: rows.length > size };
  }

  async byId(id: number): Promise<DeadLetterRow | undefined> {
    const [row] = await this.database.query<SelectedRow>(
      `${SELECT} WHERE e.id = $1 AND e.dead_at IS NOT NULL AND e.kind = ANY ($2)`,
      [id, this.kinds],
    );
    return row && toRow(row);
  }

  async count(kind?: string): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM outbox_events WHERE dead_at IS NOT NULL AND kind = ANY ($1)',
      [this.kindsOf(kind)],
    );
    return row?.count ?? 0;
  }

  /** Begins to count. @returns how many have been given up since, by the database's clock, and are still */
  async watch(): Promise<() => Promise<number>> {
    const [{ began } = { began: '' }] = await this.database.query<{ began: string }>('SELECT now()::text AS began');
    return async () => {
      const [row] = await this.database.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM outbox_events WHERE dead_at >= $2::timestamptz AND kind = ANY ($1)',
        [this.kinds, began],
      );
      return row?.count ?? 0;
    };
  }

  /** Puts one back into the queue with all of its attempts. @returns whether there was one */
  async redrive(id: number): Promise<boolean> {
    return this.database.transaction({}, async (transaction) => {
      const count = await redrive(transaction, [id]);
      await announce(transaction);
      return count > 0;
    });
  }

  /**
   * Puts all of them back, behind what someone may be waiting for. What is given up again meanwhile is not taken twice.
   * @returns how many
   */
  async redriveAll(kind?: string): Promise<number> {
    const kinds = this.kindsOf(kind);
    let count = 0;
    for (let after = 0, isDone = false; !isDone;) {
      await this.database.transaction({ isBulk: true }, async (transaction) => {
        const rows = await transaction.query<{ id: number }>(
          `SELECT id::float8 AS id FROM outbox_events WHERE dead_at IS NOT NULL AND kind = ANY ($1) AND id > $2
           ORDER BY id LIMIT $3`,
          [kinds, after, REDRIVE_BATCH],
        );
        const ids = rows.map((row) => row.id);
        count += await redrive(transaction, ids);
        await announce(transaction);
        after = ids.at(-1) ?? after;
        isDone = ids.length < REDRIVE_BATCH;
      });
    }
    return count;
  }

  /**
   * Forgets those about records that have been deleted since, and follow-ups of such points: nobody could do anything
   * about them. A point that could not be deleted is an orphan, so its event stays.
   * @returns how many
   */
  async forgetGone(): Promise<number> {
    let count = 0;
    for (const { kind, table } of this.recordKinds) {
      const [row] = await this.database.query<{ count: number }>(
        `WITH gone AS (
           SELECT e.id FROM outbox_events e
           WHERE e.dead_at IS NOT NULL AND e.lease_owner IS NULL AND e.kind = $1 AND CASE e.topic
             WHEN 'source' THEN NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.id = e.key::int)
             WHEN 'point' THEN false
             ELSE NOT EXISTS (SELECT 1 FROM vector_points p WHERE p.point_id = e.key::uuid AND p.state <> 'deleting')
           END FOR UPDATE SKIP LOCKED
         ), forgotten AS (
           DELETE FROM outbox_events WHERE id = ANY (ARRAY(SELECT id FROM gone)) RETURNING 1
         ) SELECT count(*)::int AS count FROM forgotten`,
        [kind],
      );
      count += row?.count ?? 0;
    }
    return count;
  }

  private kindsOf(kind: string | undefined): readonly string[] {
    return kind === undefined ? this.kinds : this.kinds.filter((one) => one === kind);
  }
}

/**
 * A dead event may travel with a living one of its key, leased by a worker; then only its death is revoked, and that
 * worker settles it. Points stop saying that they have failed, unless a writer holds them and will queue them itself.
 */
async function redrive(sql: SqlRunner, ids: readonly number[]): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `WITH chosen AS (
       SELECT id FROM outbox_events WHERE id = ANY ($1::bigint[]) AND dead_at IS NOT NULL ORDER BY id FOR UPDATE
     ), living AS (
       UPDATE outbox_events e SET dead_at = NULL, attempts = 0, error = NULL, error_code = NULL,
         priority = kindred_priority(), available_at = now()
       FROM chosen WHERE e.id = chosen.id
       RETURNING e.topic, e.key
     ), free AS (
       SELECT p.point_id FROM vector_points p
       JOIN living l ON l.topic = 'point' AND p.point_id = CASE WHEN l.topic = 'point' THEN l.key::uuid END
       WHERE p.state = 'failed' FOR UPDATE OF p SKIP LOCKED
     ), pending AS (
       UPDATE vector_points p SET state = 'pending', state_since = now(), error = NULL, error_code = NULL
       FROM free WHERE p.point_id = free.point_id
     )
     SELECT count(*)::int AS count FROM living`,
    [ids],
  );
  return row?.count ?? 0;
}

async function announce(sql: SqlRunner): Promise<void> {
  await sql.query(`SELECT pg_notify('kindred_outbox', '')`);
}
