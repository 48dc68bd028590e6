import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  'content_items',
  'educations',
  'generated_resumes',
  'job_descriptions',
  'profiles',
  'projects',
  'skills',
  'stories',
  'tag_concepts',
  'work_experiences',
];

/** Finding what was archived long ago, and the trace that a change belongs to, whoever captures it. */
export class RetentionAndTraces1760000200000 implements MigrationInterface {
  name = 'RetentionAndTraces1760000200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await queryRunner.query(
        `CREATE INDEX idx_${table}_archived_at ON ${table} (archived_at) WHERE archived_at IS NOT NULL`,
      );
    }
    await queryRunner.query(`-- Set by writers for their transaction; what is no trace context is left out.
    CREATE FUNCTION kindred_trace_parent() RETURNS character varying LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT CASE WHEN current_setting('kindred.traceparent', true) ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'
        THEN current_setting('kindred.traceparent', true) END
    $$`);
    await queryRunner.query(`ALTER TABLE outbox_events ALTER COLUMN trace_parent SET DEFAULT kindred_trace_parent()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE outbox_events ALTER COLUMN trace_parent DROP DEFAULT`);
    await queryRunner.query(`DROP FUNCTION kindred_trace_parent`);
    for (const table of TABLES) await queryRunner.query(`DROP INDEX idx_${table}_archived_at`);
  }
}
