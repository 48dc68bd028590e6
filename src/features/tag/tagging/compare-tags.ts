import type { Transaction } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import type { RecordKind } from '../../../kernel/record/record-spec';
import { DENSE, type Hit, type QueryTarget, type VectorQuery } from '../../../kernel/vector/vector-store';
import { taggables, type Taggable } from '../taggable';
import { AssignmentRows } from './assignment-rows';
import { SubjectReader, type SubjectPoint } from './subject-reader';
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

interface ComparedTag extends SubjectPoint {
  id: number;
  isArchived: boolean;
  kinds: string[];
  maxTags: number;
  scheme: string;
  threshold: number;
  impliesParents: boolean;
}

interface Options {
  isBulk: boolean;
  /** Called with the points that are done, in the transaction that writes the result. */
  acknowledge?(transaction: Transaction, pointIds: readonly string[]): Promise<void>;
  /** Called for each tag and kind of text. */
  onResult?(result: Comparison): void;
}

/** Hits a request. Real tags are near few texts; a threshold that lets everything through should not fill the memory. */
const PAGE_SIZE = 1000;
/** Qdrant's own limit of how deep a query may go is far above; a tag on more texts than these says nothing. */
const MOST_CANDIDATES = 200_000;

/** Compares tags with everything they may be on. Only texts above a threshold, and those that carry a tag, are touched. */
export class CompareTags {
  constructor(private readonly parts: TaggingParts) {}

  /**
   * @param pointIds of tags
   * @returns the points whose tags changed meanwhile: to be done again
   */
  async run(pointIds: readonly string[], { isBulk, acknowledge, onResult }: Options): Promise<Set<string>> {
    const { database } = this.parts;
    const tags = await this.tagsOf(pointIds);
    const found = new Map<Taggable, Hit[][]>();
    for (const taggable of taggables) {
      const concerned = tags.map((tag) => !tag.isArchived && tag.kinds.includes(taggable.kind.kind));
      found.set(taggable, await this.textsNear(tags, concerned, taggable));
    }
    return database.transaction({ actor: TAGGING_ACTOR, isBulk }, async (transaction) => {
      const changed = new Set<string>();
      if (tags.length > 0) {
        await transaction.query(SOLE_LOCK, [], 'tagging_lock_sole');
        for (const id of await new SubjectReader(transaction).changed(tags)) changed.add(id);
        for (const taggable of taggables) {
          const hasImplied = await this.hasImplied(transaction, taggable);
          for (const [i, tag] of tags.entries()) {
            if (changed.has(tag.pointId)) continue;
            const hits = found.get(taggable)?.[i] ?? [];
            const result = await this.write(transaction, tag, taggable, hits, hasImplied);
            onResult?.(result);
          }
        }
      }
      // Gone: its assignments went with it. Without a vector now: an event follows once it has one.
      await acknowledge?.(
        transaction,
        pointIds.filter((id) => !changed.has(id)),
      );
      return changed;
    });
  }

  private tagsOf(pointIds: readonly string[]): Promise<ComparedTag[]> {
    return this.parts.database.query<ComparedTag>(
      `SELECT tag.id, point.point_id AS "pointId", tag.archived_at IS NOT NULL AS "isArchived", scheme.kinds,
         scheme.max_tags AS "maxTags", scheme.implies_parents AS "impliesParents", scheme.name AS scheme,
         ${THRESHOLD} AS threshold, point.indexed_revision AS revision, point.indexed_hash AS hash
       FROM unnest($1::uuid[]) AS asked (id)
       JOIN tag_concept_embeddings embedding ON embedding.qdrant_point_id = asked.id AND embedding.chunk_index = 0
       JOIN (${RULES_FROM}) ON tag.id = embedding.tag_concept_id
       JOIN vector_points point ON point.point_id = asked.id AND point.indexed_hash IS NOT NULL`,
      [pointIds],
      'tagging_compared_tags',
    );
  }

  /** Texts above each tag's threshold: one request for all tags, and further pages for those that are near many. */
  private async textsNear(
    tags: readonly ComparedTag[],
    concerned: readonly boolean[],
    { kind }: Taggable,
  ): Promise<Hit[][]> {
    const { store, aliasOf } = this.parts;
    const found: Hit[][] = tags.map(() => []);
    let open = tags.flatMap((tag, i) => (concerned[i] ? [{ tag, hits: found[i] as Hit[] }] : []));
    while (open.length > 0) {
      const answers = await store.queryBatch(
        aliasOf(kind.kind),
        open.map(({ tag, hits }) => this.queryFor(tag, kind, hits.length)),
      );
      for (const [i, page] of answers.entries()) open[i]?.hits.push(...page);
      open = open.filter(({ hits }, i) => answers[i]?.length === PAGE_SIZE && hits.length < MOST_CANDIDATES);
    }
    return found;
  }

  private queryFor(tag: ComparedTag, kind: RecordKind, offset: number): VectorQuery {
    const target: QueryTarget = {
      using: DENSE,
      positive: [tag.pointId],
      strategy: 'best_score',
      lookupFrom: this.parts.aliasOf(TAG_KIND),
    };
    return {
      targets: [{ target, weight: 1, limit: PAGE_SIZE }],
      filter: { must: [{ key: 'embedding_type', match: { any: [...specOf(kind).defaultTypes] } }] },
      limit: PAGE_SIZE,
      offset,
      scoreThreshold: tag.threshold,
      payloadKeys: ['content_hash'],
    };
  }

  private async hasImplied(transaction: Transaction, { table }: Taggable): Promise<boolean> {
    const rows = await transaction.query(
      `SELECT 1 FROM ${table} WHERE is_implied LIMIT 1`,
      [],
      `tagging_has_implied_${table}`,
    );
    return rows.length > 0;
  }

  private async write(
    transaction: Transaction,
    tag: ComparedTag,
    taggable: Taggable,
    hits: readonly Hit[],
    hasImplied: boolean,
  ): Promise<Comparison> {
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
    if (tag.impliesParents || hasImplied) {
      const subjects = await this.below(transaction, tag, taggable, [...added, ...removed]);
      await new AssignmentRows(transaction, taggable).refreshImplied(subjects);
    }
    return { candidates, suggested: added.length, withdrawn: removed.length, displaced, queued };
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
    touched: readonly number[],
  ): Promise<number[]> {
    const rows = await transaction.query<{ id: number }>(
      `WITH RECURSIVE subtree AS (
         SELECT $1::int AS id
         UNION
         SELECT child.id FROM tag_concepts child JOIN subtree ON child.parent_id = subtree.id
       )
       SELECT a.${subjectColumn} AS id FROM subtree JOIN ${table} a ON a.tag_concept_id = subtree.id
       UNION SELECT id FROM unnest($2::int[]) AS touched (id)`,
      [tag.id, touched],
      `tagging_below_${table}`,
    );
    return rows.map((row) => row.id);
  }
}
