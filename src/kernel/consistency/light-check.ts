import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import type { RecordKind } from '../record/record-spec';
import type { Route } from '../vector/route';
import type { VectorStore } from '../vector/vector-store';

/** What counting alone says of one kind. */
export interface LightCount {
  kind: string;
  /** Rows of the embedding table. */
  rows: number;
  /** Points in Qdrant. */
  points: number;
  /** Points that could not be made, and so are not expected. */
  failed: number;
  /**
   * By how many points the stores differ while nothing is on its way; null when something is, or was while it was
   * counted. 0 proves nothing, as a lost point and an orphan balance: that is for the complete check.
   */
  suspected: number | null;
}

interface LedgerCount {
  rows: number;
  failed: number;
  unsettled: number;
  events: number;
  /** Changes with every revision that is given. */
  mark: string;
}

/** Counts both stores, without reading what is in them: a few statements and one request a kind. */
export class LightCheck {
  /** Of the last run. */
  counts: readonly LightCount[] = [];
  checkedAt: Date | undefined;

  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly kinds: readonly RecordKind[],
    private readonly route: () => Route,
  ) {}

  async run(signal?: AbortSignal): Promise<readonly LightCount[]> {
    const counts: LightCount[] = [];
    for (const kind of this.kinds) {
      if (signal?.aborted) return this.counts;
      counts.push(await this.count(kind));
    }
    this.counts = counts;
    this.checkedAt = new Date();
    return counts;
  }

  private async count(kind: RecordKind): Promise<LightCount> {
    const before = await this.ledger(kind);
    const points = await this.store.count(this.route().collection(kind.kind));
    const after = await this.ledger(kind);
    const { rows, failed } = after;
    const isStill = before.mark === after.mark && before.rows === rows && after.unsettled + after.events === 0;
    const suspected = isStill ? Math.abs(points - (rows - failed)) : null;
    return { kind: kind.kind, rows, points, failed, suspected };
  }

  private async ledger(kind: RecordKind): Promise<LedgerCount> {
    const [row] = await this.sql.query<LedgerCount>(
      `SELECT (SELECT count(*) FROM ${specOf(kind).table})::int AS rows,
         (SELECT count(*) FROM vector_points WHERE kind = $1 AND state = 'failed')::int AS failed,
         (SELECT count(*) FROM vector_points WHERE kind = $1 AND state IN ('pending', 'deleting'))::int AS unsettled,
         (SELECT count(*) FROM outbox_events WHERE kind = $1 AND dead_at IS NULL)::int AS events,
         (SELECT last_value FROM kindred_revision)::text AS mark`,
      [kind.kind],
      `light_check_${kind.kind}`,
    );
    if (!row) throw new Error('the light check was not answered');
    return row;
  }
}
