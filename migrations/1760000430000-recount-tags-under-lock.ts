import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['story_chunk_tags', 'content_item_tags', 'job_description_tags'];

/** Every writer of assignments locks the tags it counts: who has all of them locked sees all that has been counted. */
const LOCK = 'FROM tag_concepts ORDER BY id FOR NO KEY UPDATE';
const COUNTED = TABLES.map((table) => `SELECT tag_concept_id FROM ${table} WHERE status <> 'rejected'`).join(
  '\n            UNION ALL ',
);
const RECOUNT = `UPDATE tag_concepts tag SET usage_count = counted.amount
        FROM (
          SELECT t.id, count(a.tag_concept_id) AS amount FROM tag_concepts t LEFT JOIN (
            ${COUNTED}
          ) a ON a.tag_concept_id = t.id GROUP BY 1
        ) counted WHERE counted.id = tag.id AND counted.amount <> tag.usage_count;`;

const FORMER_RECOUNT = `UPDATE tag_concepts tag SET usage_count = counted.amount
        FROM (
          SELECT id, (SELECT count(*) FROM (
            SELECT 1 FROM story_chunk_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
            UNION ALL SELECT 1 FROM content_item_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
            UNION ALL SELECT 1 FROM job_description_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
          ) assigned) AS amount FROM tag_concepts t
        ) counted WHERE counted.id = tag.id AND counted.amount <> tag.usage_count;`;

/**
 * Where the assignments of a table are all removed, usage is counted anew. That waited for writers of other assignments,
 * and then wrote the count of before they ended. It locks first and counts then.
 */
export class RecountTagsUnderLock1760000430000 implements MigrationInterface {
  name = 'RecountTagsUnderLock1760000430000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(functionWith(`PERFORM id ${LOCK};\n        ${RECOUNT}`));
    await queryRunner.query(`SELECT id ${LOCK}`);
    await queryRunner.query(RECOUNT);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(functionWith(FORMER_RECOUNT));
  }
}

/** All that counts usage. @param onTruncate what it does when a table's assignments are all removed */
const functionWith = (
  onTruncate: string,
): string => `CREATE OR REPLACE FUNCTION kindred_count_tag_usage() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        ${onTruncate}
        RETURN NULL;
      END IF;
      -- Locked in order of id, so that two writers of the same tags wait for each other and never both.
      IF TG_OP = 'INSERT' THEN
        WITH change AS (
          SELECT tag_concept_id, count(*) AS amount FROM new_rows WHERE status <> 'rejected' GROUP BY 1
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount, last_used_at = now()
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      ELSIF TG_OP = 'DELETE' THEN
        WITH change AS (
          SELECT tag_concept_id, count(*) AS amount FROM old_rows WHERE status <> 'rejected' GROUP BY 1
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count - change.amount
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      ELSE
        WITH change AS (
          SELECT tag_concept_id, sum(amount) AS amount FROM (
            SELECT tag_concept_id, 1 AS amount FROM new_rows WHERE status <> 'rejected'
            UNION ALL
            SELECT tag_concept_id, -1 FROM old_rows WHERE status <> 'rejected'
          ) both_sides GROUP BY 1 HAVING sum(amount) <> 0
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount,
          last_used_at = CASE WHEN change.amount > 0 THEN now() ELSE tag.last_used_at END
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      END IF;
      RETURN NULL;
    END
    $$`;
