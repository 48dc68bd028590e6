import { specOf } from '../../../kernel/embedding/embedding-reader';
import type { Taggable } from '../taggable';

/** Scores that differ by less are the same: vectors are kept in single precision. */
const TOLERANCE = '1e-5';

/**
 * Brings the suggestions of some tags, on one kind of text, to what was found near them: one statement, however many tags
 * and texts. All of it sees the table as it was before.
 *
 * Parameters: ids of the tags; of what was found: tag, point, cosine and hash of the text compared, an array each; id of
 * the model; kind of record; its embedding types.
 *
 * What is looked up is looked up row by row, with LATERAL and LIMIT or OFFSET: as a join the planner would choose by
 * statistics that lag behind a table that grows, and read all of it.
 *
 * A text is ranked again only where a tag is new on it. What people decided comes first, then the nearest, of equals what
 * was there; what has no place is not written, or goes. A text that was full and loses a tag, or whose tag is farther now, is tagged again:
 * another may follow.
 */
export function compareStatement({ table, subjectColumn, kind, unit }: Taggable): string {
  const spec = specOf(kind);
  const subject = unit === 'chunk' ? 'e.id' : `e.${spec.sourceColumn}`;
  const isOpen = `a.source = 'auto' AND a.status = 'suggested'`;
  const isSame = (row: string): string => `a.${subjectColumn} = ${row}.subject_id AND a.tag_concept_id = ${row}.tag_id`;
  return `WITH compared AS MATERIALIZED (
    SELECT tag.id AS tag_id, tag.scheme, scheme.max_tags FROM unnest($1::int[]) AS asked (id)
    JOIN tag_concepts tag ON tag.id = asked.id JOIN tag_schemes scheme ON scheme.name = tag.scheme
  ), hit AS MATERIALIZED (
    SELECT found.tag_id, ${subject} AS subject_id, least(1, max(found.score)) AS score
    FROM unnest($2::int[], $3::uuid[], $4::float8[], $5::text[]) AS found (tag_id, point_id, score, hash)
    CROSS JOIN LATERAL (
      SELECT 1 FROM vector_points p
      WHERE p.point_id = found.point_id AND p.indexed_hash = found.hash AND p.state <> 'deleting' LIMIT 1
    ) current
    CROSS JOIN LATERAL (SELECT * FROM ${spec.table} WHERE qdrant_point_id = found.point_id LIMIT 1) e
    GROUP BY 1, 2
  ), held AS MATERIALIZED (
    SELECT a.${subjectColumn} AS subject_id, a.tag_concept_id AS tag_id, compared.scheme, compared.max_tags,
      ${isOpen} AS is_open, a.score AS score_before, hit.score
    FROM compared CROSS JOIN LATERAL (
      SELECT * FROM ${table} WHERE tag_concept_id = compared.tag_id AND NOT is_implied OFFSET 0
    ) a
    LEFT JOIN hit ON ${isSame('hit')}
  ), fresh AS MATERIALIZED (
    SELECT hit.subject_id, hit.tag_id, hit.score, compared.scheme, compared.max_tags
    FROM hit JOIN compared USING (tag_id) LEFT JOIN LATERAL (
      SELECT * FROM ${table} WHERE ${subjectColumn} = hit.subject_id AND tag_concept_id = hit.tag_id LIMIT 1
    ) a ON true
    WHERE a.tag_concept_id IS NULL OR (a.is_implied AND a.status = 'suggested')
  ), ranked AS MATERIALIZED (
    SELECT entry.*, row_number() OVER (
      PARTITION BY subject_id, scheme
      ORDER BY is_open, score + CASE WHEN is_fresh THEN 0 ELSE ${TOLERANCE} END DESC NULLS LAST, tag_id
    ) > max_tags AS is_beyond
    FROM (
      SELECT subject_id, tag_id, score, scheme, max_tags, true AS is_open, true AS is_fresh FROM fresh
      UNION ALL
      SELECT place.subject_id, a.tag_concept_id, coalesce(hit.score, a.score), place.scheme, place.max_tags, ${isOpen}, false
      FROM (SELECT DISTINCT subject_id, scheme, max_tags FROM fresh) place
      CROSS JOIN LATERAL (
        SELECT * FROM ${table} WHERE ${subjectColumn} = place.subject_id AND status <> 'rejected' AND NOT is_implied OFFSET 0
      ) a
      JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = place.scheme
      LEFT JOIN hit ON ${isSame('hit')}
      WHERE NOT (${isOpen} AND hit.score IS NULL AND a.tag_concept_id = ANY ($1))
    ) entry
  ), removed AS (
    DELETE FROM ${table} a USING held WHERE ${isSame('held')} AND held.is_open AND held.score IS NULL
      AND ${isOpen} AND NOT a.is_implied
    RETURNING a.${subjectColumn} AS id
  ), displaced AS (
    DELETE FROM ${table} a USING ranked WHERE ${isSame('ranked')} AND ranked.is_beyond AND ranked.is_open
      AND NOT ranked.is_fresh AND ${isOpen} AND NOT a.is_implied
    RETURNING a.${subjectColumn} AS id
  ), rescored AS (
    UPDATE ${table} a SET score = held.score, model_id = $6 FROM held
    WHERE ${isSame('held')} AND abs(held.score - coalesce(held.score_before, 2)) > ${TOLERANCE} AND NOT a.is_implied
      AND NOT EXISTS (SELECT 1 FROM ranked WHERE ${isSame('ranked')} AND ranked.is_beyond AND ranked.is_open)
  ), added AS (
    INSERT INTO ${table} AS a (${subjectColumn}, tag_concept_id, score, model_id, source, status)
    SELECT subject_id, tag_id, score, $6, 'auto', 'suggested' FROM ranked WHERE is_fresh AND NOT is_beyond
    ON CONFLICT (${subjectColumn}, tag_concept_id) DO UPDATE SET is_implied = false, score = EXCLUDED.score, model_id = $6
      WHERE a.is_implied AND a.status = 'suggested'
    RETURNING a.${subjectColumn} AS id
  ), queued AS (
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'tag', $7, point_id::text, kindred_priority() FROM (
      SELECT DISTINCT ON (${subject}) e.qdrant_point_id AS point_id
      FROM (
        SELECT DISTINCT subject_id, scheme, max_tags FROM held
        WHERE is_open AND (score IS NULL OR score < score_before - ${TOLERANCE})
      ) freed
      JOIN ${spec.table} e ON ${subject} = freed.subject_id AND e.embedding_type = ANY ($8)
      WHERE (
        SELECT count(*) FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = freed.scheme
        WHERE a.${subjectColumn} = freed.subject_id AND a.status <> 'rejected' AND NOT a.is_implied
      ) >= freed.max_tags
      ORDER BY ${subject}, e.id
    ) full_before ON CONFLICT DO NOTHING RETURNING 1
  )
  SELECT (SELECT count(*)::int FROM hit) AS candidates, (SELECT count(*)::int FROM added) AS suggested,
    (SELECT count(*)::int FROM removed) AS withdrawn, (SELECT count(*)::int FROM displaced) AS displaced,
    (SELECT count(*)::int FROM queued) AS queued,
    array(SELECT id FROM added UNION SELECT id FROM removed UNION SELECT id FROM displaced) AS touched`;
}
