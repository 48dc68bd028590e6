import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  { table: 'story_chunk_tags', subject: 'story_chunk_id' },
  { table: 'content_item_tags', subject: 'content_item_id' },
  { table: 'job_description_tags', subject: 'job_description_id' },
];

/** Whether anything is implied is asked whenever tags are compared; mostly nothing is, and a whole table was read to know. */
export class IndexImpliedTags1760000410000 implements MigrationInterface {
  name = 'IndexImpliedTags1760000410000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const { table, subject } of TABLES) {
      await queryRunner.query(`CREATE INDEX idx_${table}_implied ON ${table} (${subject}) WHERE is_implied`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const { table } of TABLES) await queryRunner.query(`DROP INDEX idx_${table}_implied`);
  }
}
