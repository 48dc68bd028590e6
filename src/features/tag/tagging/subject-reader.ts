import type { SqlRunner } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import type { Taggable } from '../taggable';

/** A point and the state of its vector in the vector server. */
export interface SubjectPoint {
  pointId: string;
  revision: string;
  hash: string;
}

/** Something to be tagged, with the points that say what it means. */
export interface Subject {
  id: number;
  /** Of the record that it is, or that it is a chunk of. */
  recordId: number;
  points: SubjectPoint[];
  /** Of its points, those that were asked for. */
  askedFor: string[];
}

interface PointRow extends SubjectPoint {
  subjectId: number;
  recordId: number;
}

/** Reads which subjects points belong to. */
export class SubjectReader {
  constructor(private readonly sql: SqlRunner) {}

  /** The subjects of these points. Points without a vector now, or whose row is gone, have none. */
  async ofPoints(taggable: Taggable, pointIds: readonly string[]): Promise<Subject[]> {
    const spec = specOf(taggable.kind);
    const vector = `p.point_id AS "pointId", p.indexed_revision AS revision, p.indexed_hash AS hash`;
    const isThere = `p.indexed_hash IS NOT NULL AND p.state <> 'deleting'`;
    const rows = await this.sql.query<PointRow>(
      taggable.unit === 'chunk'
        ? `SELECT e.id AS "subjectId", e.${spec.sourceColumn} AS "recordId", ${vector}
           FROM unnest($1::uuid[]) AS asked (id)
           CROSS JOIN LATERAL (SELECT * FROM vector_points WHERE point_id = asked.id LIMIT 1) p
           CROSS JOIN LATERAL (SELECT * FROM ${spec.table} WHERE qdrant_point_id = asked.id LIMIT 1) e
           WHERE ${isThere} AND e.embedding_type = ANY ($2)`
        : `SELECT asked.entity_id AS "subjectId", asked.entity_id AS "recordId", ${vector}
           FROM (SELECT DISTINCT entity_id FROM vector_points WHERE point_id = ANY ($1::uuid[])) asked
           JOIN ${spec.table} e ON e.${spec.sourceColumn} = asked.entity_id AND e.embedding_type = ANY ($2)
           JOIN vector_points p ON p.point_id = e.qdrant_point_id WHERE ${isThere}`,
      [pointIds, spec.defaultTypes],
      `tagging_subjects_${taggable.kind.kind}`,
    );
    const asked = new Set(pointIds);
    const subjects = new Map<number, Subject>();
    for (const { subjectId, recordId, ...point } of rows) {
      const subject = subjects.get(subjectId) ?? { id: subjectId, recordId, points: [], askedFor: [] };
      subject.points.push(point);
      if (asked.has(point.pointId)) subject.askedFor.push(point.pointId);
      subjects.set(subjectId, subject);
    }
    return [...subjects.values()];
  }

  /** How many points these records have. */
  async countPoints({ kind }: Taggable, recordIds: readonly number[]): Promise<number> {
    const { table, sourceColumn } = specOf(kind);
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM unnest($1::int[]) AS record (id)
       CROSS JOIN LATERAL (SELECT 1 FROM ${table} WHERE ${sourceColumn} = record.id OFFSET 0) e`,
      [recordIds],
      `tagging_points_${kind.kind}`,
    );
    return row?.count ?? 0;
  }

  /** The points that are gone, or whose vector is another one now than it was when they were read. */
  async changed(points: readonly SubjectPoint[]): Promise<Set<string>> {
    if (await this.areUnchanged(points)) return new Set();
    const rows = await this.sql.query<{ id: string }>(
      `SELECT was.id FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS was (id, revision, hash)
       LEFT JOIN LATERAL (
         SELECT true AS is_same FROM vector_points p
         WHERE p.point_id = was.id AND p.indexed_revision = was.revision AND p.indexed_hash = was.hash
           AND p.state <> 'deleting' LIMIT 1
       ) now ON true
       WHERE now.is_same IS NULL`,
      [points.map((p) => p.pointId), points.map((p) => p.revision), points.map((p) => p.hash)],
      'tagging_changed',
    );
    return new Set(rows.map((row) => row.id));
  }

  /**
   * What nearly always holds, for a fraction of what telling the changed ones costs: revisions only grow, so as many points
   * with the same sum are the same. Not prepared: a plan made for a short table would read all of a long one.
   */
  private async areUnchanged(points: readonly SubjectPoint[]): Promise<boolean> {
    const revisionOf = new Map(points.map(({ pointId, revision }) => [pointId, BigInt(revision)]));
    const [now] = await this.sql.query<{ count: number; sum: string | null }>(
      `SELECT count(*)::int AS count, sum(indexed_revision)::text AS sum FROM vector_points
       WHERE point_id = ANY ($1::uuid[]) AND indexed_hash IS NOT NULL AND state <> 'deleting'`,
      [[...revisionOf.keys()]],
    );
    const sum = [...revisionOf.values()].reduce((total, revision) => total + revision, 0n);
    return now?.count === revisionOf.size && BigInt(now.sum ?? 0) === sum;
  }
}
