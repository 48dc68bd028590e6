import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Vectors that Kindred did not make can be taken over, and what a move from another table has to remember. */
export class AdoptVectors1760000500000 implements MigrationInterface {
  name = 'AdoptVectors1760000500000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`-- The one table that is moved: what it is, how far it has come, what may follow.
    CREATE TABLE legacy_move (
      id boolean NOT NULL DEFAULT true,
      state varchar(20) NOT NULL,
      settings jsonb NOT NULL,
      pass integer NOT NULL DEFAULT 0,
      copied_through text,
      verified_at timestamptz,
      cut_over_at timestamptz,
      started_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT chk_legacy_move_one CHECK (id),
      CONSTRAINT chk_legacy_move_state CHECK (state IN ('copying', 'copied', 'cut over', 'dropped')),
      CONSTRAINT pk_legacy_move PRIMARY KEY (id)
    )`);
    await queryRunner.query(`-- Rows of that table that were written since they were looked at; a key may come several times.
    CREATE TABLE legacy_changes (
      id bigserial NOT NULL,
      legacy_key text NOT NULL,
      CONSTRAINT pk_legacy_changes PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE TABLE legacy_quarantine (
      legacy_key text NOT NULL,
      reason varchar(50) NOT NULL,
      detail text,
      entity_type text,
      legacy_row jsonb NOT NULL,
      quarantined_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT pk_legacy_quarantine PRIMARY KEY (legacy_key)
    )`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" ADD "legacy_key" text`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" ADD "legacy_extra" jsonb`);
    await queryRunner.query(`ALTER TABLE "vector_points" ADD "adopted_from" character varying(400)`);
    await queryRunner.query(`ALTER TABLE "vector_points" ADD "adopted_hash" character(64)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "vector_points" DROP COLUMN "adopted_hash"`);
    await queryRunner.query(`ALTER TABLE "vector_points" DROP COLUMN "adopted_from"`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" DROP COLUMN "legacy_extra"`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" DROP COLUMN "legacy_key"`);
    await queryRunner.query(`DROP TABLE legacy_quarantine`);
    await queryRunner.query(`DROP TABLE legacy_changes`);
    await queryRunner.query(`DROP TABLE legacy_move`);
  }
}
