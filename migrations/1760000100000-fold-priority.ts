import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every event has a priority that is claimed: `kindred.priority` is folded to what there is. */
export class FoldPriority1760000100000 implements MigrationInterface {
  name = 'FoldPriority1760000100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
    CREATE OR REPLACE FUNCTION kindred_priority() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT (CASE WHEN current_setting('kindred.priority', true) ~ '^ *[+]?0*[1-9][0-9]* *$' THEN 1 ELSE 0 END)::smallint
    $$`);
    await queryRunner.query(
      `UPDATE outbox_events SET priority = CASE WHEN priority > 0 THEN 1 ELSE 0 END WHERE priority NOT IN (0, 1)`,
    );
    await queryRunner.query(
      `ALTER TABLE outbox_events ADD CONSTRAINT chk_outbox_events_priority CHECK (priority IN (0, 1))`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE outbox_events DROP CONSTRAINT chk_outbox_events_priority`);
    await queryRunner.query(`
    CREATE OR REPLACE FUNCTION kindred_priority() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT coalesce(nullif(current_setting('kindred.priority', true), ''), '0')::smallint
    $$`);
  }
}
