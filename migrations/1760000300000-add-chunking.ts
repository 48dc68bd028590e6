import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How stories are chunked, what is known of a chunk besides its text, and its text by its offsets in SQL. */
export class AddChunking1760000300000 implements MigrationInterface {
  name = 'AddChunking1760000300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "content_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(
      `ALTER TABLE "stories" ADD "chunking_strategy" character varying(30) NOT NULL DEFAULT 'paragraph'`,
    );
    await queryRunner.query(`ALTER TABLE "stories" ADD "chunk_tokens" integer`);
    await queryRunner.query(`ALTER TABLE "stories" ADD "chunk_overlap" integer NOT NULL DEFAULT '0'`);
    await queryRunner.query(`ALTER TABLE "stories" ADD "chunk_context" character varying(30) NOT NULL DEFAULT 'none'`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" ADD "token_count" integer`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" ADD "heading_path" text array`);
    await queryRunner.query(`CREATE INDEX "idx_stories_collection" ON "stories"  ("collection") `);
    await queryRunner.query(
      `ALTER TABLE "stories" ADD CONSTRAINT "chk_stories_chunk_overlap" CHECK (chunk_overlap = 0 OR (chunk_overlap > 0 AND chunking_strategy IN ('sentence', 'token') AND chunk_overlap * 2 <= coalesce(chunk_tokens, 8192)))`,
    );
    await queryRunner.query(
      `ALTER TABLE "stories" ADD CONSTRAINT "chk_stories_chunk_tokens" CHECK (chunk_tokens BETWEEN 32 AND 8192)`,
    );
    await queryRunner.query(
      `ALTER TABLE "stories" ADD CONSTRAINT "chk_stories_chunking_strategy" CHECK (chunking_strategy IN ('paragraph', 'sentence', 'token', 'markdown'))`,
    );
    await queryRunner.query(
      `ALTER TABLE "stories" ADD CONSTRAINT "chk_stories_chunk_context" CHECK (chunk_context IN ('none', 'title', 'headings', 'title_and_headings'))`,
    );
    await queryRunner.query(`-- Offsets count UTF-16 code units, in which a character beyond U+FFFF has two; PostgreSQL counts characters.
    CREATE FUNCTION kindred_slice(content text, start_offset integer, end_offset integer) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
      units text;
      first integer := start_offset;
      last integer := end_offset;
    BEGIN
      IF content ~ '[\\U00010000-\\U0010FFFF]' THEN
        -- With one character more after each of these, a position in \`units\` is an offset.
        units := regexp_replace(content, '([\\U00010000-\\U0010FFFF])', '\\1x', 'g');
        first := first - regexp_count(left(units, first), '[\\U00010000-\\U0010FFFF]');
        last := last - regexp_count(left(units, last), '[\\U00010000-\\U0010FFFF]');
      END IF;
      RETURN substr(content, first + 1, last - first);
    END
    $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP FUNCTION kindred_slice`);
    await queryRunner.query(`ALTER TABLE "stories" DROP CONSTRAINT "chk_stories_chunk_context"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP CONSTRAINT "chk_stories_chunking_strategy"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP CONSTRAINT "chk_stories_chunk_tokens"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP CONSTRAINT "chk_stories_chunk_overlap"`);
    await queryRunner.query(`DROP INDEX "public"."idx_stories_collection"`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "tag_concept_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP COLUMN "chunk_context"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP COLUMN "chunk_overlap"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP COLUMN "chunk_tokens"`);
    await queryRunner.query(`ALTER TABLE "stories" DROP COLUMN "chunking_strategy"`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "resume_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "skill_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "education_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "project_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "work_experience_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "profile_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "job_description_embeddings" DROP COLUMN "token_count"`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" DROP COLUMN "heading_path"`);
    await queryRunner.query(`ALTER TABLE "content_embeddings" DROP COLUMN "token_count"`);
  }
}
