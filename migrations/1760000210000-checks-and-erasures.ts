import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the last complete check found, for every process to show; and erasures that are to be gone on with. */
export class ChecksAndErasures1760000210000 implements MigrationInterface {
  name = 'ChecksAndErasures1760000210000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE "consistency_checks" ("kind" character varying(50) NOT NULL, "drift" jsonb NOT NULL, "checked_at" TIMESTAMP WITH TIME ZONE NOT NULL, "repaired_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "pk_consistency_checks" PRIMARY KEY ("kind"))`,
    );
    await queryRunner.query(
      `CREATE TABLE "unfinished_erasures" ("id" SERIAL NOT NULL, "kind" character varying(50) NOT NULL, "record_id" integer NOT NULL, "belongings" jsonb NOT NULL, "erased" jsonb NOT NULL, "removed" jsonb NOT NULL, "requested_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "uq_unfinished_erasures_record" UNIQUE ("kind", "record_id"), CONSTRAINT "pk_unfinished_erasures" PRIMARY KEY ("id"))`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "unfinished_erasures"`);
    await queryRunner.query(`DROP TABLE "consistency_checks"`);
  }
}
