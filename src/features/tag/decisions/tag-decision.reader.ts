import type { SqlRunner } from '../../../kernel/db/database';
import { grouped } from '../grouped';
import type { TagDecision } from '../tag-decision.entity';

export type DecisionAction = TagDecision['action'];

/** A decision as it was logged. */
export type DecisionRow = Pick<
  TagDecision,
  | 'id'
  | 'kind'
  | 'sourceId'
  | 'subjectId'
  | 'tagConceptId'
  | 'tagName'
  | 'action'
  | 'score'
  | 'modelId'
  | 'decidedBy'
  | 'decidedAt'
>;

/** Whose decisions are meant: SQL over `asked.id` and the decision `d`. */
export interface DecisionScope {
  name: string;
  from: string;
  where: string;
}

const ASKED = 'unnest($1::int[]) AS asked (id)';

export const ofTag: DecisionScope = { name: 'tag', from: ASKED, where: 'd.tag_concept_id = asked.id' };

export const ofStory: DecisionScope = {
  name: 'story',
  from: ASKED,
  where: `d.kind = 'story' AND d.source_id = asked.id`,
};

/** Those about the chunk's text before it came to this chunk too. */
export const ofChunk: DecisionScope = {
  name: 'chunk',
  from: `${ASKED} JOIN (SELECT id AS chunk_id, story_id, kindred_text_hash(text) AS hash FROM story_chunk_embeddings) chunk
    ON chunk.chunk_id = asked.id`,
  where: `d.kind = 'story' AND d.source_id = chunk.story_id AND (d.subject_id = asked.id OR d.content_hash = chunk.hash)`,
};

/** @param kind of records that are tagged as a whole */
export function ofRecord(kind: 'content_item' | 'job_description'): DecisionScope {
  return { name: kind, from: ASKED, where: `d.kind = '${kind}' AND d.subject_id = asked.id` };
}

export interface DecisionPage {
  /** All unless given. */
  actions?: readonly DecisionAction[];
  /** Only decisions before this one. */
  beforeId?: string;
  limit: number;
}

/** Reads the log of decisions: one statement for any number of things. */
export class TagDecisionReader {
  constructor(private readonly sql: SqlRunner) {}

  /** The latest first. */
  async pages(
    scope: DecisionScope,
    ids: readonly number[],
    { actions, beforeId, limit }: DecisionPage,
  ): Promise<DecisionRow[][]> {
    const rows = await this.sql.query<DecisionRow & { askedId: number }>(
      `SELECT asked.id AS "askedId", page.* FROM ${scope.from} CROSS JOIN LATERAL (
         SELECT d.id, d.kind, d.source_id AS "sourceId", d.subject_id AS "subjectId", d.tag_concept_id AS "tagConceptId",
           d.tag_name AS "tagName", d.action, d.score, d.model_id AS "modelId", d.decided_by AS "decidedBy",
           d.decided_at AS "decidedAt"
         FROM tag_decisions d
         WHERE ${scope.where} AND ($2::text[] IS NULL OR d.action = ANY ($2)) AND ($3::bigint IS NULL OR d.id < $3)
         ORDER BY d.id DESC LIMIT $4
       ) page ORDER BY page.id DESC`,
      [ids, actions ?? null, beforeId ?? null, limit],
    );
    const byAsked = grouped(rows, (row) => row.askedId);
    return ids.map((id) => (byAsked.get(id) ?? []).map(({ askedId: _, ...row }) => row));
  }

  async counts(
    scope: DecisionScope,
    ids: readonly number[],
    { actions }: Pick<DecisionPage, 'actions'>,
  ): Promise<number[]> {
    const rows = await this.sql.query<{ id: number; count: number }>(
      `SELECT asked.id, count(*)::int AS count FROM ${scope.from} JOIN tag_decisions d ON ${scope.where}
       WHERE $2::text[] IS NULL OR d.action = ANY ($2) GROUP BY 1`,
      [ids, actions ?? null],
    );
    const counts = new Map(rows.map((row) => [row.id, row.count]));
    return ids.map((id) => counts.get(id) ?? 0);
  }
}
