import type { MigrationInterface, QueryRunner } from 'typeorm';

interface Tagged {
  /** Assignments, and the column that says what is tagged. */
  table: string;
  column: string;
  kind: string;
  /** Its texts: the column that says whose they are, and the type that is compared. */
  rows: string;
  key: string;
  type: string;
  /** Where a text can go and what was tagged stays. */
  records?: string;
}

const TAGGED: readonly Tagged[] = [
  {
    table: 'story_chunk_tags',
    column: 'story_chunk_id',
    kind: 'story',
    rows: 'story_chunk_embeddings',
    key: 'id',
    type: 'chunk',
  },
  {
    table: 'content_item_tags',
    column: 'content_item_id',
    kind: 'content_item',
    rows: 'content_embeddings',
    key: 'content_item_id',
    type: 'content',
    records: 'content_items',
  },
  {
    table: 'job_description_tags',
    column: 'job_description_id',
    kind: 'job_description',
    rows: 'job_description_embeddings',
    key: 'job_description_id',
    type: 'full_description',
    records: 'job_descriptions',
  },
];

/**
 * Tags follow new vectors. A text that only lost a part, or all of it, has none: what the lost part had suggested stayed.
 * What is left of it is tagged again; where nothing is left, the suggestions go with it.
 */
export class RetagLostTexts1760000440000 implements MigrationInterface {
  name = 'RetagLostTexts1760000440000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const tagged of TAGGED) {
      const { table, column, rows, key, type, records } = tagged;
      await queryRunner.query(retag(tagged));
      if (records === undefined) continue;
      await queryRunner.query(`CREATE FUNCTION kindred_lost_text_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM kindred_retag_${table}(ARRAY(SELECT DISTINCT ${key} FROM old_rows WHERE embedding_type = '${type}'));
      RETURN NULL;
    END
    $$`);
      await queryRunner.query(
        `CREATE TRIGGER kindred_lost_text AFTER DELETE ON ${rows} REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_lost_text_${table}()`,
      );
      await queryRunner.query(`SELECT kindred_retag_${table}(ARRAY(
        SELECT DISTINCT ${column} FROM ${table} a
        WHERE NOT EXISTS (SELECT 1 FROM ${rows} WHERE ${key} = a.${column} AND embedding_type = '${type}')))`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const { table, records } of TAGGED) {
      if (records !== undefined) await queryRunner.query(`DROP FUNCTION kindred_lost_text_${table} CASCADE`);
      await queryRunner.query(`DROP FUNCTION kindred_retag_${table}`);
    }
  }
}

/**
 * Has what is tagged compared again, by one of its texts. The lock is the one that whoever compares a tag with everything holds
 * alone: what it suggests for a text that goes meanwhile is there to be deleted once it has ended.
 */
function retag({ table, column, kind, rows, key, type, records }: Tagged): string {
  const withdraw = `SELECT array_agg(asked.id) INTO textless FROM unnest(ids) AS asked (id)
      WHERE EXISTS (SELECT 1 FROM ${records} record WHERE record.id = asked.id)
        AND NOT EXISTS (SELECT 1 FROM ${rows} WHERE ${key} = asked.id AND embedding_type = '${type}');
      IF textless IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('kindred_tagging'));
        DELETE FROM ${table} WHERE ${column} = ANY (textless) AND source = 'auto' AND status = 'suggested';
      END IF;`;
  return `CREATE FUNCTION kindred_retag_${table}(ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      textless integer[];
    BEGIN
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'tag', '${kind}', text.qdrant_point_id::text, kindred_priority()
      FROM unnest(ids) AS asked (id) CROSS JOIN LATERAL (
        SELECT qdrant_point_id FROM ${rows} WHERE ${key} = asked.id AND embedding_type = '${type}' ORDER BY id LIMIT 1
      ) text ON CONFLICT DO NOTHING;
      IF FOUND THEN
        PERFORM pg_notify('kindred_outbox', 'tag');
      END IF;
      ${records === undefined ? '' : withdraw}
    END
    $$`;
}
