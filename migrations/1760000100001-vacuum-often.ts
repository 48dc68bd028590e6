import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The two tables that are rewritten all the time are vacuumed long before a fifth of them is dead. */
export class VacuumOften1760000100001 implements MigrationInterface {
  name = 'VacuumOften1760000100001';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['outbox_events', 'vector_points']) {
      await queryRunner.query(
        `ALTER TABLE ${table} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02)`,
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['outbox_events', 'vector_points']) {
      await queryRunner.query(
        `ALTER TABLE ${table} RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor)`,
      );
    }
  }
}
