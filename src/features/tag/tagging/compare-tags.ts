import type { Transaction } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import { DENSE, type Hit } from '../../../kernel/vector/vector-store';
import { taggables, type Taggable } from '../taggable';
import { AssignmentRows } from './assignment-rows';
import { RULES_FROM, THRESHOLD } from './tag-vocabulary';
import { SOLE_LOCK, TAG_KIND, TAGGING_ACTOR, type TaggingParts } from './tagging-parts';

/** What a comparison of one tag with all texts came to. */
export interface Comparison {
  /** Texts above the threshold. */
  candidates: number;
  suggested: number;
  withdrawn: number;
  /** Suggestions of other tags that had to make room. */
  displaced: number;
  /** Texts that have a place free now and are tagged again. */
  queued: number;
}

interface ComparedTag {
  id: number;
  isArchived: boolean;
  kinds: string[];
  maxTags: number;
  scheme: string;
  threshold: number;
  revision: string | null;
  hash: string | null;
}

interface Options {
  isBulk: boolean;
  /** Called in the transaction that writes the result. */
  acknowledge?(transaction: Transaction): Promise<void>;
  onResult?(result: Comparison): void;
}

/** Hits a request. Real tags are near few texts; a threshold that lets everything through should not fill the memory. */
const PAGE_SIZE = 1000;
/** Qdrant's own limit of how deep a query may go is far above; a tag on more texts than these says nothing. */
const MOST_CANDIDATES = 200_000;

/** Compares a tag with everything it may be on. Only texts above its threshold, and those that carry it, are touched. */
export class CompareTags {
  constructor(private readonly parts: TaggingParts) {}

  /** @returns false when the tag changed meanwhile: to be done again */
  async run(pointId: string, { isBulk, acknowledge, onResult }: Options): Promise<boolean> {
    const { database } = this.parts;
    const tag = await this.tagOf(pointId);
    const result: Comparison = { candidates: 0, suggested: 0, withdrawn: 0, displaced: 0, queued: 0 };
    // Gone: its assignments went with it. Without a vector now: an event follows once it has one.
    const isToCompare = tag?.hash != null;
    const found = new Map<Taggable, Hit[]>();
    if (tag && isToCompare && !tag.isArchived) {
      for (const taggable of taggables) {
        if (tag.kinds.includes(taggable.kind.kind)) found.set(taggable, await this.textsNear(pointId, tag, taggable));
      }
    }
    return database.transaction({ actor: TAGGING_ACTOR, isBulk }, async (transaction) => {
      if (tag && isToCompare) {
        await transaction.query(SOLE_LOCK, [], 'tagging_lock_sole');
        const [now] = await transaction.query<{ isSame: boolean }>(
          `SELECT indexed_revision = $2 AND indexed_hash = $3 AS "isSame" FROM vector_points WHERE point_id = $1`,
          [pointId, tag.revision, tag.hash],
          'tagging_tag_is_same',
        );
        if (now?.isSame !== true) return false;
        for (const taggable of taggables)
          await this.write(transaction, tag, taggable, found.get(taggable) ?? [], result);
      }
      await acknowledge?.(transaction);
      onResult?.(result);
      return true;
    });
  }

  private async tagOf(pointId: string): Promise<ComparedTag | undefined> {
    const [tag] = await this.parts.database.query<ComparedTag>(
      `SELECT tag.id, tag.archived_at IS NOT NULL AS "isArchived", scheme.kinds, scheme.max_tags AS "maxTags",
         scheme.name AS scheme, ${THRESHOLD} AS threshold, point.indexed_revision AS revision, point.indexed_hash AS hash
       FROM tag_concept_embeddings embedding
       JOIN (${RULES_FROM}) ON tag.id = embedding.tag_concept_id
       JOIN vector_points point ON point.point_id = embedding.qdrant_point_id
       WHERE embedding.qdrant_point_id = $1 AND embedding.chunk_index = 0`,
      [pointId],
      'tagging_compared_tag',
    );
    return tag;
  }

  private async textsNear(pointId: string, tag: ComparedTag, { kind }: Taggable): Promise<Hit[]> {
    const { store, aliasOf } = this.parts;
    const hits: Hit[] = [];
    for (;;) {
      const [page = []] = await store.queryBatch(aliasOf(kind.kind), [
        {
          targets: [
            {
              target: {
                using: DENSE,
                positive: [pointId],
                strategy: 'best_score',
                lookupFrom: aliasOf(TAG_KIND),
              },
              weight: 1,
              limit: PAGE_SIZE,
            },
          ],
          filter: { must: [{ key: 'embedding_type', match: { any: [...specOf(kind).defaultTypes] } }] },
          limit: PAGE_SIZE,
          offset: hits.length,
          scoreThreshold: tag.threshold,
          payloadKeys: ['content_hash'],
        },
      ]);
      hits.push(...page);
      if (page.length < PAGE_SIZE || hits.length >= MOST_CANDIDATES) return hits;
    }
  }

  private async write(
    transaction: Transaction,
    tag: ComparedTag,
    taggable: Taggable,
    hits: readonly Hit[],
    result: Comparison,
  ): Promise<void> {
    const { table, subjectColumn, kind, unit } = taggable;
    const spec = specOf(kind);
    const subject = unit === 'chunk' ? 'e.id' : `e.${spec.sourceColumn}`;
    // Of a subject's suggestions in this scheme only the best are kept, and only what would be among them is written.
    const [changes] = await transaction.query<{ added: number[]; removed: number[]; candidates: number }>(
      `WITH hit AS (
         SELECT ${subject} AS subject_id, least(1, max(found.score)) AS score
         FROM unnest($1::uuid[], $2::float8[], $3::text[]) AS found (point_id, score, hash)
         JOIN vector_points p ON p.point_id = found.point_id AND p.indexed_hash = found.hash AND p.state <> 'deleting'
         JOIN ${spec.table} e ON e.qdrant_point_id = found.point_id GROUP BY 1
       ), fresh AS (
         SELECT hit.subject_id, hit.score FROM hit
         LEFT JOIN ${table} own ON own.${subjectColumn} = hit.subject_id AND own.tag_concept_id = $4
         CROSS JOIN LATERAL (
           SELECT count(*) AS taken, min(a.score) FILTER (WHERE a.source = 'auto' AND a.status = 'suggested') AS least
           FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = $5
           WHERE a.${subjectColumn} = hit.subject_id AND a.status <> 'rejected' AND NOT a.is_implied
             AND a.tag_concept_id <> $4
         ) place
         WHERE (own.tag_concept_id IS NULL OR (own.is_implied AND own.status = 'suggested'))
           AND (place.taken < $6 OR hit.score > place.least)
       ), removed AS (
         DELETE FROM ${table} a WHERE a.tag_concept_id = $4 AND a.source = 'auto' AND a.status = 'suggested'
           AND NOT a.is_implied AND NOT EXISTS (SELECT 1 FROM hit WHERE hit.subject_id = a.${subjectColumn})
         RETURNING a.${subjectColumn} AS id
       ), rescored AS (
         UPDATE ${table} a SET score = hit.score, model_id = $7 FROM hit
         WHERE a.tag_concept_id = $4 AND a.${subjectColumn} = hit.subject_id AND NOT a.is_implied
           AND (a.score IS NULL OR abs(a.score - hit.score) > 1e-5)
       ), added AS (
         INSERT INTO ${table} AS a (${subjectColumn}, tag_concept_id, score, model_id, source, status)
         SELECT subject_id, $4, score, $7, 'auto', 'suggested' FROM fresh
         ON CONFLICT (${subjectColumn}, tag_concept_id) DO UPDATE SET is_implied = false, score = EXCLUDED.score
         RETURNING a.${subjectColumn} AS id
       )
       SELECT (SELECT count(*)::int FROM hit) AS candidates, array(SELECT id FROM added) AS added,
         array(SELECT id FROM removed) AS removed`,
      [
        hits.map((hit) => hit.id),
        hits.map((hit) => hit.score),
        hits.map((hit) => String(hit.payload.content_hash)),
        tag.id,
        tag.scheme,
        tag.maxTags,
        this.parts.modelId(),
      ],
      `tagging_compare_${table}`,
    );
    const { added = [], removed = [], candidates = 0 } = changes ?? {};
    const displaced = await this.makeRoom(transaction, tag, taggable, added);
    const queued = await this.fill(transaction, tag, taggable, removed);
    await new AssignmentRows(transaction, taggable).refreshImplied(
      await this.below(transaction, tag, taggable, added, removed),
    );
    result.candidates += candidates;
    result.suggested += added.length;
    result.withdrawn += removed.length;
    result.displaced += displaced;
    result.queued += queued;
  }

  /** Suggestions beyond the most that a subject may have go, the farthest first. */
  private async makeRoom(
    transaction: Transaction,
    tag: ComparedTag,
    { table, subjectColumn }: Taggable,
    subjectIds: readonly number[],
  ): Promise<number> {
    if (subjectIds.length === 0) return 0;
    const rows = await transaction.query(
      `WITH ranked AS (
         SELECT a.${subjectColumn} AS subject_id, a.tag_concept_id AS tag_id, a.source = 'auto' AND a.status = 'suggested' AS is_open,
           row_number() OVER (
             PARTITION BY a.${subjectColumn} ORDER BY a.source = 'auto' AND a.status = 'suggested', a.score DESC NULLS LAST, a.tag_concept_id
           ) AS place
         FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = $2
         WHERE a.${subjectColumn} = ANY ($1::int[]) AND a.status <> 'rejected' AND NOT a.is_implied
       )
       DELETE FROM ${table} a USING ranked
       WHERE a.${subjectColumn} = ranked.subject_id AND a.tag_concept_id = ranked.tag_id AND ranked.is_open AND ranked.place > $3
       RETURNING 1`,
      [subjectIds, tag.scheme, tag.maxTags],
      `tagging_make_room_${table}`,
    );
    return rows.length;
  }

  /** Subjects that had all places taken before the tag left them are tagged again: another may follow. */
  private async fill(
    transaction: Transaction,
    tag: ComparedTag,
    { table, subjectColumn, kind, unit }: Taggable,
    subjectIds: readonly number[],
  ): Promise<number> {
    if (subjectIds.length === 0) return 0;
    const spec = specOf(kind);
    const subject = unit === 'chunk' ? 'e.id' : `e.${spec.sourceColumn}`;
    const rows = await transaction.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'tag', $4, point_id::text, kindred_priority() FROM (
         SELECT DISTINCT ON (${subject}) e.qdrant_point_id AS point_id
         FROM ${spec.table} e WHERE ${subject} = ANY ($1::int[]) AND e.embedding_type = ANY ($5)
           AND (
             SELECT count(*) FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = $2
             WHERE a.${subjectColumn} = ${subject} AND a.status <> 'rejected' AND NOT a.is_implied
           ) >= $3 - 1
         ORDER BY ${subject}, e.id
       ) full_before ON CONFLICT DO NOTHING RETURNING 1`,
      [subjectIds, tag.scheme, tag.maxTags, kind.kind, spec.defaultTypes],
      `tagging_fill_${table}`,
    );
    return rows.length;
  }

  /** Whose implied tags may have changed: what was touched, and, where the tag moved, what carries it or one below it. */
  private async below(
    transaction: Transaction,
    tag: ComparedTag,
    { table, subjectColumn }: Taggable,
    added: readonly number[],
    removed: readonly number[],
  ): Promise<number[]> {
    const rows = await transaction.query<{ id: number }>(
      `WITH RECURSIVE subtree AS (
         SELECT tag.id FROM tag_concepts tag JOIN tag_schemes scheme ON scheme.name = tag.scheme
         WHERE tag.id = $1 AND (scheme.implies_parents OR EXISTS (SELECT 1 FROM ${table} WHERE is_implied LIMIT 1))
         UNION
         SELECT child.id FROM tag_concepts child JOIN subtree ON child.parent_id = subtree.id
       )
       SELECT DISTINCT a.${subjectColumn} AS id FROM subtree JOIN ${table} a ON a.tag_concept_id = subtree.id
       UNION SELECT id FROM unnest($2::int[]) AS touched (id) WHERE EXISTS (SELECT 1 FROM subtree)`,
      [tag.id, [...added, ...removed]],
      `tagging_below_${table}`,
    );
    return rows.map((row) => row.id);
  }
}
