import type { SqlRunner } from '../../kernel/db/database';
import { specOf } from '../../kernel/embedding/embedding-reader';
import { EmbeddingModel } from '../../kernel/model/embedding-model.entity';
import { grouped } from './grouped';
import type { TagAssignment, TagStatus } from './tag-assignment.entity';
import type { Taggable } from './taggable';

export interface StoryTagRow {
  tagConceptId: number;
  chunkCount: number;
  score: number | null;
}

export interface TaggedChoice {
  statuses: readonly TagStatus[];
  /** Whether what carries a tag below counts too. */
  isDeep: boolean;
}

/** Each tag with itself and, where `$2`, everything below it. */
const SUBTREES = `
  WITH RECURSIVE subtree AS (
    SELECT tag.id AS root, tag.id FROM tag_concepts tag WHERE tag.id = ANY($1::int[])
    UNION ALL
    SELECT subtree.root, child.id FROM tag_concepts child JOIN subtree ON child.parent_id = subtree.id WHERE $2::boolean
  )`;

function valuesByKey<Row, Value>(
  keys: readonly number[],
  rows: readonly Row[],
  keyOf: (row: Row) => number,
  valueOf: (row: Row) => Value,
): Value[][] {
  const byKey = grouped(rows, keyOf);
  return keys.map((key) => (byKey.get(key) ?? []).map(valueOf));
}

/** Reads the tag hierarchy and assignments: one statement a call, at any depth. */
export class TagReader {
  constructor(private readonly sql: SqlRunner) {}

  /** Ids from the parent up to the root, for each tag. */
  async ancestors(ids: readonly number[]): Promise<number[][]> {
    const rows = await this.sql.query<{ start: number; id: number }>(
      `WITH RECURSIVE chain AS (
         SELECT tag.id AS start, tag.parent_id AS id, 1 AS depth FROM tag_concepts tag
         WHERE tag.id = ANY($1::int[]) AND tag.parent_id IS NOT NULL
         UNION ALL
         SELECT chain.start, tag.parent_id, chain.depth + 1 FROM tag_concepts tag JOIN chain ON tag.id = chain.id
         WHERE tag.parent_id IS NOT NULL
       )
       SELECT start, id FROM chain ORDER BY depth`,
      [ids],
    );
    return valuesByKey(
      ids,
      rows,
      (row) => row.start,
      (row) => row.id,
    );
  }

  /** Ids of everything below each tag, nearest first. */
  async descendants(ids: readonly number[]): Promise<number[][]> {
    const rows = await this.sql.query<{ start: number; id: number }>(
      `WITH RECURSIVE tree AS (
         SELECT parent_id AS start, id, 1 AS depth, name FROM tag_concepts WHERE parent_id = ANY($1::int[])
         UNION ALL
         SELECT tree.start, child.id, tree.depth + 1, child.name FROM tag_concepts child JOIN tree ON child.parent_id = tree.id
       )
       SELECT start, id FROM tree ORDER BY depth, name`,
      [ids],
    );
    return valuesByKey(
      ids,
      rows,
      (row) => row.start,
      (row) => row.id,
    );
  }

  /** Assignments of each subject, best first. */
  async assignments(
    { table, subjectColumn, assignment }: Taggable,
    subjectIds: readonly number[],
  ): Promise<TagAssignment[][]> {
    const rows = await this.sql.query<TagAssignment>(
      `SELECT ${subjectColumn} AS "subjectId", tag_concept_id AS "tagConceptId", score, model_id AS "modelId", source, status,
         is_implied AS "isImplied", created_at AS "createdAt", updated_at AS "updatedAt", updated_by AS "updatedBy"
       FROM ${table} WHERE ${subjectColumn} = ANY($1::int[])
       ORDER BY score DESC NULLS FIRST, tag_concept_id`,
      [subjectIds],
    );
    return valuesByKey(
      subjectIds,
      rows,
      (row) => row.subjectId,
      (row) => Object.assign(new assignment(), row),
    );
  }

  /** The models of these ids, in their order. */
  async models(ids: readonly number[]): Promise<(EmbeddingModel | null)[]> {
    const rows = await this.sql.query<EmbeddingModel>(
      `SELECT id, provider, name, version, dimensions, max_tokens AS "maxTokens", created_at AS "createdAt"
       FROM embedding_models WHERE id = ANY ($1::int[])`,
      [ids],
    );
    const byId = new Map(rows.map((row) => [row.id, Object.assign(new EmbeddingModel(), row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Tags of each story over its chunks that are not archived, most frequent first. */
  async ofStories(storyIds: readonly number[], statuses: readonly TagStatus[]): Promise<StoryTagRow[][]> {
    const rows = await this.sql.query<StoryTagRow & { storyId: number }>(
      `SELECT chunk.story_id AS "storyId", assigned.tag_concept_id AS "tagConceptId",
              count(*)::int AS "chunkCount", max(assigned.score) AS score
       FROM story_chunk_tags assigned JOIN story_chunk_embeddings chunk ON chunk.id = assigned.story_chunk_id
       WHERE chunk.story_id = ANY($1::int[]) AND assigned.status = ANY($2) AND chunk.archived_at IS NULL
       GROUP BY 1, 2 ORDER BY 3 DESC, 4 DESC NULLS LAST, 2`,
      [storyIds, statuses],
    );
    return valuesByKey(
      storyIds,
      rows,
      (row) => row.storyId,
      ({ storyId: _, ...row }) => row,
    );
  }

  /** Ids of what carries each tag and is not archived, ascending, after `afterId`. */
  async taggedIds(
    taggable: Taggable,
    tagIds: readonly number[],
    choice: TaggedChoice & { afterId: number; limit: number },
  ): Promise<number[][]> {
    const { table, subjectColumn } = taggable;
    const rows = await this.sql.query<{ root: number; id: number }>(
      `${SUBTREES}
       SELECT root.id AS root, page.id FROM unnest($1::int[]) AS root (id)
       CROSS JOIN LATERAL (
         SELECT DISTINCT assigned.${subjectColumn} AS id
         FROM subtree JOIN ${table} assigned ON assigned.tag_concept_id = subtree.id ${visibleJoin(taggable)}
         WHERE subtree.root = root.id AND assigned.status = ANY($3) AND assigned.${subjectColumn} > $4
         ORDER BY 1 LIMIT $5
       ) page`,
      [tagIds, choice.isDeep, choice.statuses, choice.afterId, choice.limit],
    );
    return valuesByKey(
      tagIds,
      rows,
      (row) => row.root,
      (row) => row.id,
    );
  }

  async taggedCounts(taggable: Taggable, tagIds: readonly number[], choice: TaggedChoice): Promise<number[]> {
    const { table, subjectColumn } = taggable;
    const rows = await this.sql.query<{ root: number; count: number }>(
      `${SUBTREES}
       SELECT subtree.root, count(DISTINCT assigned.${subjectColumn})::int AS count
       FROM subtree JOIN ${table} assigned ON assigned.tag_concept_id = subtree.id ${visibleJoin(taggable)}
       WHERE assigned.status = ANY($3) GROUP BY 1`,
      [tagIds, choice.isDeep, choice.statuses],
    );
    const counts = new Map(rows.map((row) => [row.root, row.count]));
    return tagIds.map((id) => counts.get(id) ?? 0);
  }
}

/** Joins what `assigned` is on, unless it or what it belongs to is archived. */
function visibleJoin({ kind, unit, subjectColumn }: Taggable): string {
  if (unit === 'record') {
    return `JOIN ${kind.table} record ON record.id = assigned.${subjectColumn} AND record.archived_at IS NULL`;
  }
  const { table, sourceColumn } = specOf(kind);
  return `JOIN ${table} chunk ON chunk.id = assigned.${subjectColumn} AND chunk.archived_at IS NULL
         JOIN ${kind.table} record ON record.id = chunk.${sourceColumn} AND record.archived_at IS NULL`;
}
