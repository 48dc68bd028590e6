import type { SqlRunner } from '../../../kernel/db/database';
import type { TagSource, TagStatus } from '../tag-assignment.entity';
import type { Taggable } from '../taggable';

/** An assignment there is. */
export interface AssignmentRow {
  subjectId: number;
  tagId: number;
  scheme: string;
  score: number | null;
  source: TagSource;
  status: TagStatus;
  isImplied: boolean;
  /** Whether its scheme brings broader tags with it. */
  impliesParents: boolean;
}

export interface ScoredPair {
  subjectId: number;
  tagId: number;
  score: number;
}

export type Pair = Omit<ScoredPair, 'score'>;

/**
 * The statements on one table of assignments that similarity makes. What a person decided they leave alone. Lists of ids
 * are looked up one by one: a plan that was made while the table was short would compare each of its rows with each id.
 */
export class AssignmentRows {
  constructor(
    private readonly sql: SqlRunner,
    private readonly taggable: Taggable,
  ) {}

  of(subjectIds: readonly number[]): Promise<AssignmentRow[]> {
    const { table, subjectColumn } = this.taggable;
    return this.sql.query<AssignmentRow>(
      `SELECT a.${subjectColumn} AS "subjectId", a.tag_concept_id AS "tagId", tag.scheme, a.score, a.source, a.status,
         a.is_implied AS "isImplied", scheme.implies_parents AS "impliesParents"
       FROM unnest($1::int[]) AS subject (id)
       CROSS JOIN LATERAL (SELECT * FROM ${table} WHERE ${subjectColumn} = subject.id OFFSET 0) a
       JOIN tag_concepts tag ON tag.id = a.tag_concept_id JOIN tag_schemes scheme ON scheme.name = tag.scheme`,
      [subjectIds],
      `tagging_assignments_${table}`,
    );
  }

  /** New suggestions. A pair that came to be meanwhile stays as it is. */
  async suggest(pairs: readonly ScoredPair[], modelId: number): Promise<number> {
    if (pairs.length === 0) return 0;
    const { table, subjectColumn } = this.taggable;
    const [row] = await this.sql.query<{ count: number }>(
      `WITH added AS (
         INSERT INTO ${table} (${subjectColumn}, tag_concept_id, score, model_id, source, status)
         SELECT subject_id, tag_id, score, $4, 'auto', 'suggested'
         FROM unnest($1::int[], $2::int[], $3::float8[]) AS pair (subject_id, tag_id, score)
         ON CONFLICT DO NOTHING RETURNING 1
       )
       SELECT count(*)::int AS count FROM added`,
      [...columns(pairs), pairs.map((pair) => pair.score), modelId],
      `tagging_suggest_${table}`,
    );
    return row?.count ?? 0;
  }

  /** Scores that have changed. An implied tag that is near by itself is implied no more. */
  async rescore(pairs: readonly ScoredPair[], modelId: number): Promise<void> {
    if (pairs.length === 0) return;
    const { table, subjectColumn } = this.taggable;
    await this.sql.query(
      `UPDATE ${table} a SET score = pair.score, model_id = $4, is_implied = false
       FROM unnest($1::int[], $2::int[], $3::float8[]) AS pair (subject_id, tag_id, score)
       WHERE a.${subjectColumn} = pair.subject_id AND a.tag_concept_id = pair.tag_id`,
      [...columns(pairs), pairs.map((pair) => pair.score), modelId],
      `tagging_rescore_${table}`,
    );
  }

  /** Suggestions that nobody has decided on and that hold no more. */
  async withdraw(pairs: readonly Pair[]): Promise<void> {
    if (pairs.length === 0) return;
    const { table, subjectColumn } = this.taggable;
    await this.sql.query(
      `DELETE FROM ${table} a USING unnest($1::int[], $2::int[]) AS pair (subject_id, tag_id)
       WHERE a.${subjectColumn} = pair.subject_id AND a.tag_concept_id = pair.tag_id
         AND a.source = 'auto' AND a.status = 'suggested'`,
      columns(pairs),
      `tagging_withdraw_${table}`,
    );
  }

  /**
   * Brings implied tags of these subjects to what their other tags and the schemes say now. A tag that was implied by an
   * accepted one and is no more may be suggested by itself, so its subject is tagged again.
   */
  async refreshImplied(subjectIds: readonly number[]): Promise<void> {
    if (subjectIds.length === 0) return;
    const { table, subjectColumn } = this.taggable;
    await this.sql.query(
      `WITH RECURSIVE up AS (
         SELECT a.${subjectColumn} AS subject_id, tag.parent_id AS tag_id, a.status, a.score, a.model_id
         FROM unnest($1::int[]) AS subject (id)
         JOIN ${table} a ON a.${subjectColumn} = subject.id AND NOT a.is_implied AND a.status <> 'rejected'
         JOIN tag_concepts tag ON tag.id = a.tag_concept_id AND tag.parent_id IS NOT NULL
         JOIN tag_schemes scheme ON scheme.name = tag.scheme AND scheme.implies_parents
         UNION
         SELECT up.subject_id, tag.parent_id, up.status, up.score, up.model_id
         FROM up JOIN tag_concepts tag ON tag.id = up.tag_id WHERE tag.parent_id IS NOT NULL
       ), wanted AS (
         SELECT up.subject_id, up.tag_id, max(up.score) AS score, max(up.model_id) AS model_id,
           CASE WHEN bool_or(up.status = 'accepted') THEN 'accepted' ELSE 'suggested' END AS status
         FROM up JOIN tag_concepts tag ON tag.id = up.tag_id AND tag.archived_at IS NULL GROUP BY 1, 2
       ), freed AS (
         SELECT DISTINCT subject.id FROM unnest($1::int[]) AS subject (id)
         JOIN ${table} a ON a.${subjectColumn} = subject.id AND a.is_implied AND a.status = 'accepted'
         WHERE NOT EXISTS (
           SELECT 1 FROM wanted w
           WHERE w.subject_id = a.${subjectColumn} AND w.tag_id = a.tag_concept_id AND w.status = 'accepted'
         )
       ), gone AS (
         DELETE FROM ${table} a USING unnest($1::int[]) AS subject (id)
         WHERE a.${subjectColumn} = subject.id AND a.is_implied AND a.status <> 'rejected'
           AND NOT EXISTS (
             SELECT 1 FROM wanted w WHERE w.subject_id = a.${subjectColumn} AND w.tag_id = a.tag_concept_id
           )
       ), changed AS (
         UPDATE ${table} a SET status = w.status, score = w.score, model_id = w.model_id FROM wanted w
         WHERE a.${subjectColumn} = w.subject_id AND a.tag_concept_id = w.tag_id AND a.is_implied
           AND a.status <> 'rejected' AND (a.status, a.score) IS DISTINCT FROM (w.status, w.score)
       ), added AS (
         INSERT INTO ${table} (${subjectColumn}, tag_concept_id, score, model_id, source, status, is_implied)
         SELECT subject_id, tag_id, score, model_id, 'auto', status, true FROM wanted ON CONFLICT DO NOTHING
       )
       SELECT kindred_retag_${table}(ARRAY(SELECT id FROM freed)) WHERE EXISTS (SELECT 1 FROM freed)`,
      [subjectIds],
      `tagging_implied_${table}`,
    );
  }
}

function columns(pairs: readonly Pair[]): [number[], number[]] {
  return [pairs.map((pair) => pair.subjectId), pairs.map((pair) => pair.tagId)];
}
