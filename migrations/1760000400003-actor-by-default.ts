import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['story_chunk_tags', 'content_item_tags', 'job_description_tags'];

/** Assignments are written by the thousand: who writes them is a default instead of a trigger for each row. */
export class ActorByDefault1760000400003 implements MigrationInterface {
  name = 'ActorByDefault1760000400003';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_actor() RETURNS varchar LANGUAGE sql STABLE
    RETURN left(coalesce(nullif(current_setting('kindred.actor', true), ''), session_user), 200)`);
    for (const table of TABLES) {
      await queryRunner.query(
        `ALTER TABLE ${table} ALTER COLUMN created_by SET DEFAULT kindred_actor(), ALTER COLUMN updated_by SET DEFAULT kindred_actor()`,
      );
      await queryRunner.query(`DROP TRIGGER kindred_touch ON ${table}`);
      await queryRunner.query(
        `CREATE TRIGGER kindred_touch BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.query(`DROP TRIGGER kindred_touch ON ${table}`);
      await queryRunner.query(
        `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
      );
      await queryRunner.query(
        `ALTER TABLE ${table} ALTER COLUMN created_by DROP DEFAULT, ALTER COLUMN updated_by DROP DEFAULT`,
      );
    }
    await queryRunner.query(`DROP FUNCTION kindred_actor`);
  }
}
