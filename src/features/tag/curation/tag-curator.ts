import type { SqlValue, Transaction } from '../../../kernel/db/database';
import { DomainError } from '../../../kernel/errors/domain-error';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import { toGlobalId } from '../../../kernel/record/global-id';
import type { Route } from '../../../kernel/vector/route';
import { DENSE } from '../../../kernel/vector/vector-store';
import type { Taggable } from '../taggable';
import { AssignmentRows } from '../tagging/assignment-rows';
import { TAG_KIND, type TaggingParts } from '../tagging/tagging-parts';

/** What a person can do to tags on a text. */
export type Decision = 'accept' | 'reject' | 'add' | 'remove';

/** What was decided about: a chunk or a record, and the tags on it. */
export interface Decided {
  taggable: Taggable;
  subjectId: number;
  tagIds: readonly number[];
}

/** With the scores that were asked for, by the model that they are of. */
interface ScoredTags extends Decided {
  scores: ReadonlyMap<number, number>;
  modelId: number;
}

const PAIRS = 'unnest($2::int[], $3::float8[]) AS pair (tag_id, score)';

/** First to fourth parameter: what was decided about, the tags, their scores, the model. */
const valuesOf = ({ subjectId, tagIds, scores, modelId }: Omit<ScoredTags, 'taggable'>): SqlValue[] => [
  subjectId,
  tagIds,
  tagIds.map((id) => scores.get(id) ?? null),
  modelId,
];

/** The score that is known now. That of an implied tag is the score of the tag which implies it, and says nothing of this one. */
const scoreAs = (score: string, modelId: string): string =>
  `score = coalesce(${score}, CASE WHEN NOT a.is_implied THEN a.score END),
         model_id = CASE WHEN ${score} IS NULL THEN a.model_id ELSE ${modelId} END`;

/** Carries out what people decide about tags on texts. Triggers keep the log. */
export class TagCurator {
  constructor(private readonly parts: TaggingParts) {}

  /**
   * All of it or nothing.
   * @throws NOT_FOUND no such text, or the tag is not on it (`accept`, `remove`)
   */
  async decide(decision: Decision, { taggable, subjectId, tagIds }: Decided, actor: string): Promise<void> {
    const route = this.parts.route();
    const unscored = await this.unscored(taggable, subjectId, tagIds);
    const scores = await this.scoresOf(route, taggable, subjectId, unscored);
    const decided: ScoredTags = { taggable, subjectId, tagIds, scores, modelId: route.model.modelId };
    await this.parts.database.transaction({ actor }, async (transaction) => {
      await this.requireSubject(transaction, taggable, subjectId);
      await this.lockTags(transaction, tagIds);
      if (decision === 'add' || decision === 'reject') {
        await this.put(transaction, decision, decided);
      } else {
        const touched = await (decision === 'accept'
          ? this.accept(transaction, decided)
          : this.remove(transaction, decided));
        const missing = tagIds.find((id) => !touched.has(id));
        if (missing !== undefined) throw notAssigned(decision, missing);
      }
      await new AssignmentRows(transaction, taggable).refreshImplied([subjectId]);
      // A place is free, or taken: the next best may follow, or the farthest has to go.
      await this.tagAgain(transaction, taggable, subjectId);
    });
  }

  private async put(
    transaction: Transaction,
    decision: 'add' | 'reject',
    { taggable, ...scored }: ScoredTags,
  ): Promise<void> {
    const { table, subjectColumn } = taggable;
    const status = decision === 'add' ? 'accepted' : 'rejected';
    await transaction.query(
      `INSERT INTO ${table} AS a (${subjectColumn}, tag_concept_id, score, model_id, source, status)
       SELECT $1, pair.tag_id, pair.score, CASE WHEN pair.score IS NOT NULL THEN $4::int END, 'manual', $5
       FROM ${PAIRS}
       ON CONFLICT (${subjectColumn}, tag_concept_id) DO UPDATE SET status = EXCLUDED.status, is_implied = false,
         source = CASE WHEN EXCLUDED.status = 'accepted' AND (a.is_implied OR a.status = 'rejected') THEN 'manual' ELSE a.source END,
         ${scoreAs('EXCLUDED.score', 'EXCLUDED.model_id')}`,
      [...valuesOf(scored), status],
    );
  }

  private async accept(transaction: Transaction, { taggable, ...scored }: ScoredTags): Promise<Set<number>> {
    const { table, subjectColumn } = taggable;
    const rows = await transaction.query<{ id: number }>(
      `UPDATE ${table} a SET status = 'accepted', is_implied = false, ${scoreAs('pair.score', '$4::int')}
       FROM ${PAIRS} WHERE a.${subjectColumn} = $1 AND a.tag_concept_id = pair.tag_id RETURNING a.tag_concept_id AS id`,
      valuesOf(scored),
    );
    return new Set(rows.map((row) => row.id));
  }

  /** What a person put there is taken away; what similarity put there is rejected, or it would come back. */
  private async remove(transaction: Transaction, { taggable, ...scored }: ScoredTags): Promise<Set<number>> {
    const { table, subjectColumn } = taggable;
    const rows = await transaction.query<{ id: number }>(
      `WITH taken AS (
         DELETE FROM ${table} WHERE ${subjectColumn} = $1 AND tag_concept_id = ANY ($2::int[]) AND source = 'manual'
         RETURNING tag_concept_id AS id
       ), rejected AS (
         UPDATE ${table} a SET status = 'rejected', is_implied = false, ${scoreAs('pair.score', '$4::int')}
         FROM ${PAIRS} WHERE a.${subjectColumn} = $1 AND a.tag_concept_id = pair.tag_id AND a.source = 'auto'
         RETURNING a.tag_concept_id AS id
       )
       SELECT id FROM taken UNION ALL SELECT id FROM rejected`,
      valuesOf(scored),
    );
    return new Set(rows.map((row) => row.id));
  }

  private async requireSubject(transaction: Transaction, taggable: Taggable, subjectId: number): Promise<void> {
    const table = taggable.unit === 'chunk' ? specOf(taggable.kind).table : taggable.kind.table;
    const rows = await transaction.query(`SELECT 1 FROM ${table} WHERE id = $1 FOR KEY SHARE`, [subjectId]);
    if (rows.length > 0) return;
    throw new DomainError('NOT_FOUND', `targetId: there is no such ${taggable.typeName}; it may have been deleted.`, {
      details: { field: 'targetId' },
    });
  }

  /** Whose usage changes, broader tags included, in an order that all writers keep, so that no two wait for each other. */
  private async lockTags(transaction: Transaction, tagIds: readonly number[]): Promise<void> {
    const rows = await transaction.query<{ id: number }>(
      `WITH RECURSIVE up AS (
         SELECT id, parent_id FROM tag_concepts WHERE id = ANY ($1::int[])
         UNION
         SELECT tag.id, tag.parent_id FROM tag_concepts tag JOIN up ON tag.id = up.parent_id
       )
       SELECT id FROM tag_concepts WHERE id IN (SELECT id FROM up) ORDER BY id FOR NO KEY UPDATE`,
      [tagIds],
    );
    const known = new Set(rows.map((row) => row.id));
    const missing = tagIds.find((id) => !known.has(id));
    if (missing === undefined) return;
    const id = toGlobalId('TagConcept', missing);
    throw new DomainError('NOT_FOUND', `tagIds: there is no tag ${id}; it may have been deleted.`, {
      details: { field: 'tagIds', id },
    });
  }

  private async tagAgain(transaction: Transaction, taggable: Taggable, subjectId: number): Promise<void> {
    const spec = specOf(taggable.kind);
    await transaction.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'tag', $2, qdrant_point_id::text, kindred_priority() FROM ${spec.table}
       WHERE ${taggable.unit === 'chunk' ? 'id' : spec.sourceColumn} = $1 AND embedding_type = ANY ($3)
       ORDER BY id LIMIT 1 ON CONFLICT DO NOTHING`,
      [subjectId, taggable.kind.kind, spec.defaultTypes],
    );
    await transaction.query(`SELECT pg_notify('kindred_outbox', 'tag')`);
  }

  /**
   * The tags whose score on this text nobody keeps up to date: all but those that are suggested. A text is edited, and what
   * was decided about it keeps the score of that time.
   */
  private async unscored(taggable: Taggable, subjectId: number, tagIds: readonly number[]): Promise<number[]> {
    const { table, subjectColumn } = taggable;
    const rows = await this.parts.database.query<{ id: number }>(
      `SELECT tag_concept_id AS id FROM ${table} WHERE ${subjectColumn} = $1 AND tag_concept_id = ANY ($2::int[])
         AND source = 'auto' AND status = 'suggested' AND NOT is_implied`,
      [subjectId, tagIds],
    );
    const scored = new Set(rows.map((row) => row.id));
    return tagIds.filter((id) => !scored.has(id));
  }

  /** How near the text and these tags are, as far as both have vectors. Thresholds are learnt from it. */
  private async scoresOf(
    route: Route,
    taggable: Taggable,
    subjectId: number,
    tagIds: readonly number[],
  ): Promise<Map<number, number>> {
    if (tagIds.length === 0) return new Map();
    const { database, store } = this.parts;
    const spec = specOf(taggable.kind);
    const points = await database.query<{ id: string }>(
      `SELECT e.qdrant_point_id AS id FROM ${spec.table} e JOIN vector_points p ON p.point_id = e.qdrant_point_id
       WHERE e.${taggable.unit === 'chunk' ? 'id' : spec.sourceColumn} = $1 AND e.embedding_type = ANY ($2)
         AND p.indexed_hash IS NOT NULL`,
      [subjectId, spec.defaultTypes],
    );
    if (points.length === 0) return new Map();
    const [hits = []] = await store.queryBatch(route.collection(TAG_KIND), [
      {
        targets: [
          {
            target: {
              using: DENSE,
              positive: points.map((point) => point.id),
              strategy: 'best_score',
              lookupFrom: route.collection(taggable.kind.kind),
            },
            weight: 1,
            limit: tagIds.length,
          },
        ],
        filter: { must: [{ key: 'entity_id', match: { any: [...tagIds] } }] },
        limit: tagIds.length,
        payloadKeys: ['entity_id'],
      },
    ]);
    return new Map(hits.map(({ payload, score }) => [Number(payload.entity_id), Math.min(1, Math.max(-1, score))]));
  }
}

function notAssigned(decision: Decision, tagId: number): DomainError {
  const id = toGlobalId('TagConcept', tagId);
  return new DomainError('NOT_FOUND', `tagIds: the tag ${id} is not on it, so there is nothing to ${decision}.`, {
    details: { field: 'tagIds', id },
  });
}
