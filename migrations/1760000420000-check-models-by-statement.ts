import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['story_chunk_tags', 'content_item_tags', 'job_description_tags'];

const forget = (condition: string): string =>
  TABLES.map((table) => `UPDATE ${table} SET model_id = NULL WHERE ${condition};`).join('\n        ');

/**
 * Suggestions come by the thousand and are all of one model. A foreign key looks it up for each of them, which was a fifth
 * of what writing them costs; triggers look once a statement, under the lock that a foreign key takes.
 */
export class CheckModelsByStatement1760000420000 implements MigrationInterface {
  name = 'CheckModelsByStatement1760000420000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_check_tag_model() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      missing integer;
    BEGIN
      WITH named AS (
        SELECT DISTINCT model_id FROM new_rows WHERE model_id IS NOT NULL
      ), known AS MATERIALIZED (
        SELECT id FROM embedding_models WHERE id IN (SELECT model_id FROM named) ORDER BY id FOR KEY SHARE
      )
      SELECT model_id INTO missing FROM named WHERE model_id NOT IN (SELECT id FROM known) LIMIT 1;
      IF missing IS NOT NULL THEN
        RAISE foreign_key_violation USING TABLE = TG_TABLE_NAME, COLUMN = 'model_id',
          MESSAGE = format('insert or update on table "%s" names a model that does not exist', TG_TABLE_NAME),
          DETAIL = format('Key (model_id)=(%s) is not present in table "embedding_models".', missing);
      END IF;
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(`CREATE FUNCTION kindred_forget_tag_model() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        ${forget('model_id IS NOT NULL')}
      ELSE
        ${forget('model_id IN (SELECT id FROM old_rows)')}
      END IF;
      RETURN NULL;
    END
    $$`);
    for (const table of TABLES) {
      await queryRunner.query(`ALTER TABLE "${table}" DROP CONSTRAINT "fk_${table}_model_id"`);
      for (const action of ['INSERT', 'UPDATE']) {
        await queryRunner.query(
          `CREATE TRIGGER kindred_check_tag_model_${action.toLowerCase()} AFTER ${action} ON ${table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_check_tag_model()`,
        );
      }
    }
    await queryRunner.query(
      `CREATE TRIGGER kindred_forget_tag_model AFTER DELETE ON embedding_models REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_forget_tag_model()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_forget_tag_models AFTER TRUNCATE ON embedding_models FOR EACH STATEMENT EXECUTE FUNCTION kindred_forget_tag_model()`,
    );
    await queryRunner.query(`CREATE FUNCTION kindred_keep_model_id() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE foreign_key_violation USING TABLE = 'embedding_models', COLUMN = 'id',
        MESSAGE = format('the id of model %s cannot change: assignments of tags name it', OLD.id);
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_keep_model_id BEFORE UPDATE OF id ON embedding_models FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_keep_model_id()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['check_tag_model', 'forget_tag_model', 'keep_model_id']) {
      await queryRunner.query(`DROP FUNCTION kindred_${name} CASCADE`);
    }
    for (const table of TABLES) {
      await queryRunner.query(
        `ALTER TABLE "${table}" ADD CONSTRAINT "fk_${table}_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
      );
    }
  }
}
