import type { SqlRunner } from '../db/database';
import { driftKinds, totalDrift, type ConsistencyReport, type DriftKind } from './consistency-report';

/** What the last complete comparison of a kind found, whichever process made it. */
export interface StoredCheck {
  kind: string;
  drift: Record<DriftKind, number>;
  checkedAt: Date;
  /** When what was found was queued to be put right; null when nothing was, or a check has come after it. */
  repairedAt: Date | null;
}

/** Keeps what comparisons found, so that every process can tell of it. */
export class CheckStore {
  constructor(private readonly sql: SqlRunner) {}

  /** @param isRepair whether what was found has been queued to be put right */
  async save({ kinds, checkedAt }: ConsistencyReport, isRepair: boolean): Promise<void> {
    const drifts = kinds.map((counted) => Object.fromEntries(driftKinds.map((drift) => [drift, counted[drift]])));
    await this.sql.query(
      `INSERT INTO consistency_checks AS known (kind, drift, checked_at, repaired_at)
       SELECT c.kind, c.drift, $3, CASE WHEN c.is_repaired THEN clock_timestamp() END
       FROM unnest($1::text[], $2::jsonb[], $4::boolean[]) AS c (kind, drift, is_repaired)
       ON CONFLICT (kind) DO UPDATE SET drift = EXCLUDED.drift, checked_at = EXCLUDED.checked_at,
         repaired_at = EXCLUDED.repaired_at
       WHERE known.checked_at <= EXCLUDED.checked_at`,
      [
        kinds.map(({ kind }) => kind),
        drifts.map((drift) => JSON.stringify(drift)),
        checkedAt,
        kinds.map((counted) => isRepair && totalDrift(counted) > 0),
      ],
    );
  }

  read(): Promise<StoredCheck[]> {
    return this.sql.query<StoredCheck>(
      `SELECT kind, drift, checked_at AS "checkedAt", repaired_at AS "repairedAt" FROM consistency_checks ORDER BY kind`,
      [],
      'read_checks',
    );
  }

  /** Those of these kinds that were repaired and not checked since; each is given to one caller alone. */
  async takeRepaired(kinds: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ kind: string }>(
      'UPDATE consistency_checks SET repaired_at = NULL WHERE kind = ANY ($1) AND repaired_at IS NOT NULL RETURNING kind',
      [kinds],
    );
    return rows.map(({ kind }) => kind);
  }
}
