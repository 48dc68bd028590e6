import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When a lease ends had a place in an index, so that taking an event wrote its row anew and into every index. By itself,
 * and with room left in each page, taking an event writes its row alone.
 */
export class LeaseApart1760000100002 implements MigrationInterface {
  name = 'LeaseApart1760000100002';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "outbox_events" ADD "leased_until" TIMESTAMP WITH TIME ZONE`);
    await queryRunner.query(`UPDATE outbox_events SET leased_until = available_at, available_at = least(available_at, now())
    WHERE lease_owner IS NOT NULL`);
    await queryRunner.query(`ALTER TABLE outbox_events SET (fillfactor = 40)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE outbox_events RESET (fillfactor)`);
    await queryRunner.query(
      `UPDATE outbox_events SET available_at = leased_until WHERE lease_owner IS NOT NULL AND leased_until IS NOT NULL`,
    );
    await queryRunner.query(`ALTER TABLE "outbox_events" DROP COLUMN "leased_until"`);
  }
}
