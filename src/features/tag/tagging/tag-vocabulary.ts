import type { SqlRunner } from '../../../kernel/db/database';

/** A scheme as tagging needs it. */
export interface SchemeRules {
  name: string;
  maxTags: number;
  impliesParents: boolean;
  /** No tag of it is suggested at or below this cosine. */
  floor: number;
}

/** A tag as it is now: what a candidate has to get past. */
export interface TagRules {
  id: number;
  scheme: string;
  /** Suggested above this cosine: its own, its category's or its scheme's. */
  threshold: number;
  /** Hash of the text that its vector is of. */
  hash: string | null;
  /** Whether its vector, or what it is found by, is newer than the time asked about. */
  isNewer: boolean;
}

/** A tag that texts can be compared with. */
export interface ComparableTag {
  id: number;
  scheme: string;
  pointId: string;
  /** Of the text that its vector is of. */
  hash: string;
  threshold: number;
}

/** SQL over `tag`, `category` and `scheme`, joined as `RULES_FROM` does. */
export const THRESHOLD = 'coalesce(tag.threshold, category.threshold, scheme.threshold)';
/** The tag, or its row alone: of either the point says so. Over `tag` and its `embedding`. */
export const IS_ARCHIVED = '(tag.archived_at IS NOT NULL OR embedding.archived_at IS NOT NULL)';
export const RULES_FROM = `tag_concepts tag JOIN tag_schemes scheme ON scheme.name = tag.scheme
  LEFT JOIN tag_categories category ON category.scheme = tag.scheme AND category.category = tag.category`;

/** Reads the rules that tags are assigned by. */
export class TagVocabulary {
  constructor(private readonly sql: SqlRunner) {}

  /** The schemes whose tags are put on records of this kind. */
  schemesOf(kind: string): Promise<SchemeRules[]> {
    return this.sql.query<SchemeRules>(
      `SELECT scheme.name, scheme.max_tags AS "maxTags", scheme.implies_parents AS "impliesParents",
         least(
           scheme.threshold,
           (SELECT min(category.threshold) FROM tag_categories category WHERE category.scheme = scheme.name),
           (SELECT min(tag.threshold) FROM tag_concepts tag WHERE tag.scheme = scheme.name AND tag.archived_at IS NULL)
         ) AS floor
       FROM tag_schemes scheme WHERE $1 = ANY (scheme.kinds) ORDER BY scheme.name`,
      [kind],
      'tagging_schemes',
    );
  }

  /** The present time, by the clock of the server. */
  async now(): Promise<string> {
    const [row] = await this.sql.query<{ now: string }>('SELECT clock_timestamp()::text AS now', [], 'tagging_now');
    return row?.now ?? '-infinity';
  }

  /** By id, without archived ones. @param since by the clock of the server */
  async rulesOf(tagIds: readonly number[], since: string): Promise<Map<number, TagRules>> {
    const rows = await this.sql.query<TagRules>(
      `SELECT tag.id, tag.scheme, ${THRESHOLD} AS threshold, point.indexed_hash AS hash,
         coalesce(point.indexed_at > $2::timestamptz, false) AS "isNewer"
       FROM unnest($1::int[]) AS asked (id)
       JOIN (${RULES_FROM}) ON tag.id = asked.id
       LEFT JOIN tag_concept_embeddings embedding ON embedding.tag_concept_id = tag.id AND embedding.chunk_index = 0
       LEFT JOIN vector_points point ON point.point_id = embedding.qdrant_point_id
       WHERE NOT ${IS_ARCHIVED}`,
      [tagIds, since],
      'tagging_rules',
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Every tag of these schemes that has a vector, without archived ones; `undefined` when there are more than `most`. */
  async comparable(schemes: readonly SchemeRules[], most: number): Promise<ComparableTag[] | undefined> {
    const tags = await this.sql.query<ComparableTag>(
      `SELECT tag.id, tag.scheme, point.point_id AS "pointId", point.indexed_hash AS hash, ${THRESHOLD} AS threshold
       FROM (${RULES_FROM}) JOIN tag_concept_embeddings embedding
         ON embedding.tag_concept_id = tag.id AND embedding.chunk_index = 0
       JOIN vector_points point ON point.point_id = embedding.qdrant_point_id AND point.indexed_hash IS NOT NULL
       WHERE tag.scheme = ANY ($1) AND NOT ${IS_ARCHIVED} LIMIT $2 + 1`,
      [schemes.map((scheme) => scheme.name), most],
      'tagging_comparable',
    );
    return tags.length > most ? undefined : tags;
  }
}
