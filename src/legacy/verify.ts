import type { ConsistencyFindings } from '../kernel/consistency/consistency-report';
import type { SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { differs, selectRows, unionOf } from './batch';
import { begun, rowsOf, type LegacyParts } from './legacy-parts';
import { MoveStore } from './move-store';
import { aside } from './names';
import type { RowSql } from './row-sql';
import { literal } from './sql-text';

/** One row about which the two sides disagree. */
export interface RowDifference {
  key: string;
  /** `lost`: neither moved nor quarantined. `invented`: moved or quarantined, and not in the table. `twice`: both. */
  difference: 'lost' | 'invented' | 'twice' | 'differs';
}

export interface TypeReport {
  entityType: string;
  legacy: number;
  migrated: number;
  quarantined: number;
  /** Of the rows that were migrated, as the table has them, and as the typed table has them. Equal, or something differs. */
  checksums: { legacy: string; migrated: string };
}

export interface VerifyReport {
  isVerified: boolean;
  legacy: number;
  migrated: number;
  quarantined: number;
  types: TypeReport[];
  /** By reason. */
  reasons: Record<string, number>;
  /** Rows that differ, up to a limit; `differing` counts all. */
  differences: RowDifference[];
  differing: number;
  /** Written to the table since the last copy. */
  changesWaiting: number;
  /** Points of migrated rows that Qdrant does not have yet, or not with the right payload. */
  pointsWaiting: number;
  /** Of the seven kinds, as `kindred consistency check` gives it; null when points were not compared. */
  points: ConsistencyFindings | null;
}

const MAX_DIFFERENCES = 1000;
/** Of PostgreSQL, for each sort or hash; what does not fit goes to its disk. */
const WORK_MEMORY = '16MB';

/** Everything that was moved, from all typed tables, under one set of names. */
export function movedRows(row: RowSql): string {
  return unionOf(
    row.kinds,
    (kind) =>
      `SELECT ${literal(kind.kind)}::text AS kind, ${kind.sourceColumn} AS source_id, qdrant_point_id, embedding_type,
         ${kind.chunkColumn} AS chunk_index, metadata_json, created_at, updated_at, updated_by, uuid, legacy_key, legacy_extra
       FROM ${kind.table} WHERE legacy_key IS NOT NULL`,
  );
}

/**
 * Compares the table with what was made of it, every row by its key and all of its values, in one statement that
 * PostgreSQL runs with flat memory; then every point with what its row says.
 */
export async function verify(parts: LegacyParts, options: { isComparingPoints?: boolean } = {}): Promise<VerifyReport> {
  const moves = new MoveStore(parts.database);
  const move = begun(await moves.read());
  const isCutOver = move.state === 'cut over';
  if (move.state === 'dropped')
    throw new DomainError('CONFLICT', 'The old table has been dropped; there is nothing to compare with.');
  const row = await rowsOf(parts, move, isCutOver ? aside(move.settings.table) : undefined);
  const report = await parts.database.transaction({ isSnapshot: true }, (transaction) => compareRows(transaction, row));
  if (options.isComparingPoints !== false) {
    report.points = await parts.consistency.check({
      kinds: row.kinds.map(({ kind }) => kind),
      // What an old program has or has not embedded of a record is its own affair.
      isOfPointsOnly: true,
    });
    report.pointsWaiting = await waitingPoints(parts, row);
  }
  const areRowsRight = report.differing === 0 && move.state !== 'copying' && (isCutOver || report.changesWaiting === 0);
  report.isVerified = areRowsRight && report.pointsWaiting === 0 && (report.points?.drift ?? 0) === 0;
  if (report.isVerified && report.points) await moves.noteVerified();
  return report;
}

/** Typed rows under common names, as `differs` reads them. */
const COMMON = { sourceColumn: 'source_id', chunkColumn: 'chunk_index' };

interface ComparedType {
  entityType: string;
  legacy: number;
  migrated: number;
  quarantined: number;
  legacySum: string;
  migratedSum: string;
  differing: number;
  differences: RowDifference[] | null;
}

/**
 * One row a key: what the table has, what was made of it, what was put aside. What is written while the two sides are
 * linked is known to differ, and counted by itself.
 */
function compareSql(row: RowSql): string {
  const createdAt = row.asKept('createdAt', 't.created_at');
  return `
    WITH b AS (${selectRows(row, `FROM ${row.table.sql} l`)}),
    t AS (${movedRows(row)}),
    changed AS (SELECT DISTINCT legacy_key FROM legacy_changes),
    paired AS (
      SELECT coalesce(b.legacy_key, t.legacy_key, q.legacy_key) AS key,
        coalesce(b.entity_type, t.kind, q.entity_type, '') AS entity_type,
        c.legacy_key IS NOT NULL AS is_changed, b.legacy_key IS NOT NULL AS is_legacy, t.legacy_key IS NOT NULL AS is_migrated,
        q.legacy_key IS NOT NULL AS is_quarantined,
        CASE
          WHEN c.legacy_key IS NOT NULL THEN NULL
          WHEN b.legacy_key IS NULL THEN 'invented'
          WHEN t.legacy_key IS NULL AND q.legacy_key IS NULL THEN 'lost'
          WHEN t.legacy_key IS NOT NULL AND q.legacy_key IS NOT NULL THEN 'twice'
          WHEN t.legacy_key IS NOT NULL AND (b.kind IS DISTINCT FROM t.kind OR ${differs(row, COMMON)}) THEN 'differs'
        END AS difference,
        hashtextextended(ROW(b.kind, b.source_id, b.point_id, b.embedding_type, b.metadata, b.extra,
          coalesce(b.created_at, ${createdAt}))::text, 0)::numeric AS legacy_hash,
        hashtextextended(ROW(t.kind, t.source_id, t.qdrant_point_id, t.embedding_type, t.metadata_json, t.legacy_extra,
          ${createdAt})::text, 0)::numeric AS migrated_hash
      FROM b FULL JOIN t ON t.legacy_key = b.legacy_key
      FULL JOIN legacy_quarantine q ON q.legacy_key = coalesce(b.legacy_key, t.legacy_key)
      LEFT JOIN changed c ON c.legacy_key = coalesce(b.legacy_key, t.legacy_key, q.legacy_key)
    )
    SELECT entity_type AS "entityType", count(*) FILTER (WHERE is_legacy)::float8 AS legacy,
      count(*) FILTER (WHERE is_migrated)::float8 AS migrated,
      count(*) FILTER (WHERE is_quarantined AND NOT is_migrated)::float8 AS quarantined,
      coalesce(sum(legacy_hash) FILTER (WHERE is_migrated AND NOT is_changed), 0)::text AS "legacySum",
      coalesce(sum(migrated_hash) FILTER (WHERE is_migrated AND NOT is_changed), 0)::text AS "migratedSum",
      count(difference)::float8 AS differing,
      (array_agg(jsonb_build_object('key', key, 'difference', difference))
        FILTER (WHERE difference IS NOT NULL))[1:${MAX_DIFFERENCES}] AS differences
    FROM paired GROUP BY 1 ORDER BY 1`;
}

/** @param sql a transaction, so that all of it is of one moment */
export async function compareRows(sql: SqlRunner, row: RowSql): Promise<VerifyReport> {
  await sql.query(`SET LOCAL work_mem = '${WORK_MEMORY}'`);
  const types = await sql.query<ComparedType>(compareSql(row));
  const reasons = await sql.query<{ reason: string; count: number }>(
    'SELECT reason, count(*)::float8 AS count FROM legacy_quarantine GROUP BY 1 ORDER BY 1',
  );
  const [waiting] = await sql.query<{ count: number }>('SELECT count(*)::float8 AS count FROM legacy_changes');
  const sum = (of: (one: ComparedType) => number): number => types.reduce((total, one) => total + of(one), 0);
  return {
    isVerified: false,
    legacy: sum((one) => one.legacy),
    migrated: sum((one) => one.migrated),
    quarantined: sum((one) => one.quarantined),
    types: types.map(({ entityType, legacy, migrated, quarantined, legacySum, migratedSum }) => ({
      entityType,
      legacy,
      migrated,
      quarantined,
      checksums: { legacy: legacySum, migrated: migratedSum },
    })),
    reasons: Object.fromEntries(reasons.map(({ reason, count }) => [reason, count])),
    differences: types.flatMap(({ differences }) => differences ?? []).slice(0, MAX_DIFFERENCES),
    differing: sum((one) => one.differing),
    changesWaiting: waiting?.count ?? 0,
    pointsWaiting: 0,
    points: null,
  };
}

/** Points of migrated rows that are not settled. */
async function waitingPoints(parts: LegacyParts, row: RowSql): Promise<number> {
  const [waiting] = await parts.database.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM (${movedRows(row)}) t
     LEFT JOIN vector_points p ON p.point_id = t.qdrant_point_id
     WHERE p.state IS DISTINCT FROM 'indexed'`,
  );
  return waiting?.count ?? 0;
}
