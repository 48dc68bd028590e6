import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  'profiles',
  'skills',
  'work_experiences',
  'projects',
  'educations',
  'job_descriptions',
  'generated_resumes',
  'stories',
  'tag_concepts',
  'content_items',
  'profile_embeddings',
  'work_experience_embeddings',
  'project_embeddings',
  'education_embeddings',
  'skill_embeddings',
  'job_description_embeddings',
  'resume_embeddings',
  'story_chunk_embeddings',
  'tag_concept_embeddings',
  'content_embeddings',
];
const EVENTS = ['insert', 'update', 'delete', 'truncate'];

/**
 * Capture fires in every session, and every event has a priority that is claimed: triggers are ENABLE ALWAYS, so that
 * `session_replication_role = replica` writes nothing unnoticed; `kindred.priority` is folded to what there is.
 */
export class CaptureAlways1760000100000 implements MigrationInterface {
  name = 'CaptureAlways1760000100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await this.alterTriggers(queryRunner, 'ENABLE ALWAYS');
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
    await this.alterTriggers(queryRunner, 'ENABLE');
  }

  private async alterTriggers(queryRunner: QueryRunner, how: 'ENABLE' | 'ENABLE ALWAYS'): Promise<void> {
    for (const table of TABLES) {
      for (const event of EVENTS) {
        await queryRunner.query(`ALTER TABLE ${table} ${how} TRIGGER kindred_capture_${table}_${event}`);
      }
    }
  }
}
