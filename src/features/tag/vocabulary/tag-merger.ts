import type { Database, Transaction } from '../../../kernel/db/database';
import { DomainError } from '../../../kernel/errors/domain-error';
import { toGlobalId } from '../../../kernel/record/global-id';
import { taggables } from '../taggable';
import { AssignmentRows } from '../tagging/assignment-rows';
import { PATIENT_SOLE_LOCK } from '../tagging/tagging-parts';

/** What went over from one tag to another. */
export interface Merge {
  assignments: number;
  decisions: number;
  children: number;
  aliases: number;
}

interface MergedTag {
  id: number;
  scheme: string;
  names: string[];
}

const IS_DECIDED = (alias: string): string =>
  `(${alias}.status <> 'suggested' OR ${alias}.source = 'manual') AND NOT (${alias}.is_implied AND ${alias}.status <> 'rejected')`;

/** Makes two tags one. */
export class TagMerger {
  constructor(private readonly database: Database) {}

  /**
   * The source is deleted; its assignments, decisions, children, name and aliases go to the target. Where both are on one
   * text, what a person decided counts, the target's first.
   * @throws TAG_CYCLE the target is below the source
   * @throws NOT_FOUND
   */
  async merge(sourceId: number, targetId: number, actor: string): Promise<Merge> {
    if (sourceId === targetId) {
      throw new DomainError('BAD_INPUT', 'targetId: is the tag itself; give the tag that it is to become.', {
        details: { field: 'targetId' },
      });
    }
    return this.database.transaction({ actor }, async (transaction) => {
      await transaction.query(PATIENT_SOLE_LOCK);
      await transaction.query(`SELECT pg_advisory_xact_lock(hashtext('kindred_tag_hierarchy'))`);
      await transaction.query(`SELECT set_config('kindred.is_merging', 'on', true)`);
      const { source, target } = await this.lock(transaction, sourceId, targetId);
      const merge: Merge = { assignments: 0, decisions: 0, children: 0, aliases: source.names.length };
      await transaction.query(
        `UPDATE tag_verdicts o SET tag_concept_id = $2 WHERE o.tag_concept_id = $1 AND NOT EXISTS (
           SELECT 1 FROM tag_verdicts t
           WHERE t.story_id = o.story_id AND t.text_hash = o.text_hash AND t.tag_concept_id = $2
         )`,
        [sourceId, targetId],
      );
      for (const taggable of taggables) {
        const { table, subjectColumn } = taggable;
        const both = `o.${subjectColumn} = t.${subjectColumn} AND o.tag_concept_id = $1 AND t.tag_concept_id = $2`;
        const overruled = await transaction.query<{ id: number }>(
          `UPDATE ${table} t SET status = o.status, source = o.source, score = coalesce(t.score, o.score),
             is_implied = o.is_implied
           FROM ${table} o WHERE ${both} AND ${IS_DECIDED('o')} AND NOT (${IS_DECIDED('t')}) RETURNING t.${subjectColumn} AS id`,
          [sourceId, targetId],
        );
        const moved = await transaction.query<{ id: number }>(
          `UPDATE ${table} o SET tag_concept_id = $2 WHERE o.tag_concept_id = $1
             AND NOT EXISTS (SELECT 1 FROM ${table} t WHERE ${both}) RETURNING ${subjectColumn} AS id`,
          [sourceId, targetId],
        );
        merge.assignments += moved.length;
        // Places are free or taken: by what was rejected or accepted of the source, and where the schemes are different.
        const replaced = source.scheme === target.scheme ? overruled : [...overruled, ...moved];
        await transaction.query(`SELECT kindred_retag_${table}($1)`, [replaced.map((row) => row.id)]);
      }
      merge.decisions = await count(
        transaction,
        `UPDATE tag_decisions SET tag_concept_id = $2 WHERE tag_concept_id = $1 RETURNING 1`,
        [sourceId, targetId],
      );
      merge.children = await count(
        transaction,
        `UPDATE tag_concepts SET parent_id = $2 WHERE parent_id = $1 RETURNING 1`,
        [sourceId, targetId],
      );
      // Names are unique, so those of the source have to be free before the target takes them.
      await transaction.query('DELETE FROM tag_concepts WHERE id = $1', [sourceId]);
      await transaction.query(
        `UPDATE tag_concepts SET aliases = aliases || array(
           SELECT given FROM unnest($2::text[]) AS given WHERE NOT EXISTS (
             SELECT 1 FROM tag_names WHERE tag_concept_id = $1 AND folded = kindred_fold_tag_name(given)
           )
         ) WHERE id = $1`,
        [targetId, source.names],
      );
      for (const taggable of taggables) {
        const { table, subjectColumn } = taggable;
        const carriers = await transaction.query<{ id: number }>(
          `SELECT ${subjectColumn} AS id FROM ${table} WHERE tag_concept_id = $1`,
          [targetId],
        );
        await new AssignmentRows(transaction, taggable).refreshImplied(carriers.map((row) => row.id));
      }
      return merge;
    });
  }

  private async lock(
    transaction: Transaction,
    sourceId: number,
    targetId: number,
  ): Promise<{ source: MergedTag; target: MergedTag }> {
    const rows = await transaction.query<MergedTag>(
      `SELECT id, scheme, name || aliases AS names FROM tag_concepts WHERE id = ANY ($1::int[]) ORDER BY id FOR UPDATE`,
      [[sourceId, targetId]],
    );
    for (const [field, id] of [
      ['sourceId', sourceId],
      ['targetId', targetId],
    ] as const) {
      if (rows.some((row) => row.id === id)) continue;
      throw new DomainError('NOT_FOUND', `${field}: there is no tag ${toGlobalId('TagConcept', id)}.`, {
        details: { field },
      });
    }
    const below = await transaction.query(
      `WITH RECURSIVE up AS (
         SELECT id, parent_id FROM tag_concepts WHERE id = $2
         UNION ALL
         SELECT tag.id, tag.parent_id FROM tag_concepts tag JOIN up ON tag.id = up.parent_id
       )
       SELECT 1 FROM up WHERE id = $1`,
      [sourceId, targetId],
    );
    if (below.length > 0) {
      throw new DomainError(
        'TAG_CYCLE',
        'targetId: the target is below the tag that is to be merged into it; merge the other way round, or move it first.',
        { details: { field: 'targetId' } },
      );
    }
    const [source, target] = [sourceId, targetId].map((id) => rows.find((row) => row.id === id) as MergedTag);
    return { source, target } as { source: MergedTag; target: MergedTag };
  }
}

async function count(transaction: Transaction, sql: string, values: unknown[]): Promise<number> {
  return (await transaction.query(sql, values)).length;
}
