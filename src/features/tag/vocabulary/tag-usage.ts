import type { SqlRunner } from '../../../kernel/db/database';
import { taggables } from '../taggable';

/** A tag and how often it was put on something in a window of time. */
export interface TagUse {
  tagId: number;
  count: number;
}

/** Tags that were used in a window of time, the most used first. */
export function popularTags(
  sql: SqlRunner,
  window: { since: Date; until: Date; scheme?: string; limit: number },
): Promise<TagUse[]> {
  const used = taggables.map(
    ({ table }) =>
      `SELECT tag_concept_id FROM ${table} WHERE created_at >= $1 AND created_at < $2 AND status <> 'rejected'`,
  );
  return sql.query<TagUse>(
    `SELECT used.tag_concept_id AS "tagId", count(*)::int AS count FROM (${used.join(' UNION ALL ')}) used
     JOIN tag_concepts tag ON tag.id = used.tag_concept_id
     WHERE tag.archived_at IS NULL AND ($3::text IS NULL OR tag.scheme = $3)
     GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4`,
    [window.since, window.until, window.scheme ?? null, window.limit],
  );
}

/** A tag in its place in the tree. */
export interface TreeTag {
  id: number;
  name: string;
  scheme: string;
  usageCount: number;
  /** 0 for a root. */
  depth: number;
}

/**
 * All tags that are not archived, of one scheme where that is given, each followed by what is below it. A tag whose parent
 * is not among them is a root.
 */
export function tagTree(sql: SqlRunner, scheme?: string): Promise<TreeTag[]> {
  return sql.query<TreeTag>(
    `WITH RECURSIVE tree AS (
       SELECT id, name, scheme, usage_count, 0 AS depth, ARRAY[scheme, lower(name), id::text] AS path
       FROM tag_concepts root WHERE archived_at IS NULL AND ($1::text IS NULL OR scheme = $1) AND NOT EXISTS (
         SELECT 1 FROM tag_concepts parent
         WHERE parent.id = root.parent_id AND parent.archived_at IS NULL AND ($1::text IS NULL OR parent.scheme = $1))
       UNION ALL
       SELECT child.id, child.name, child.scheme, child.usage_count, tree.depth + 1,
         tree.path || ARRAY[lower(child.name), child.id::text]
       FROM tag_concepts child JOIN tree ON child.parent_id = tree.id
       WHERE child.archived_at IS NULL AND ($1::text IS NULL OR child.scheme = $1)
     )
     SELECT id, name, scheme, usage_count AS "usageCount", depth FROM tree ORDER BY path`,
    [scheme ?? null],
  );
}
