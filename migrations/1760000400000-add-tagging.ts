import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Schemes, thresholds, aliases, assignments of content and jobs, and the log of decisions. */
export class AddTagging1760000400000 implements MigrationInterface {
  name = 'AddTagging1760000400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE "tag_schemes" ("name" character varying(50) NOT NULL, "description" text, "kinds" text array NOT NULL, "threshold" double precision NOT NULL, "max_tags" integer NOT NULL, "implies_parents" boolean NOT NULL DEFAULT false, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "created_by" character varying(200), "updated_by" character varying(200), CONSTRAINT "chk_tag_schemes_kinds" CHECK (kinds <@ ARRAY['story', 'content_item', 'job_description']), CONSTRAINT "chk_tag_schemes_max_tags" CHECK (max_tags >= 1 AND max_tags <= 100), CONSTRAINT "chk_tag_schemes_threshold" CHECK (threshold >= -1 AND threshold <= 1), CONSTRAINT "chk_tag_schemes_name" CHECK (btrim(name) <> ''), CONSTRAINT "pk_tag_schemes" PRIMARY KEY ("name"))`,
    );
    await queryRunner.query(
      `CREATE TABLE "tag_categories" ("scheme" character varying(50) NOT NULL, "category" character varying(200) NOT NULL, "threshold" double precision NOT NULL, CONSTRAINT "chk_tag_categories_threshold" CHECK (threshold >= -1 AND threshold <= 1), CONSTRAINT "pk_tag_categories" PRIMARY KEY ("scheme", "category"))`,
    );
    await queryRunner.query(
      `CREATE TABLE "content_item_tags" ("score" double precision, "source" character varying(10) NOT NULL, "status" character varying(10) NOT NULL, "is_implied" boolean NOT NULL DEFAULT false, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "created_by" character varying(200), "updated_by" character varying(200), "content_item_id" integer NOT NULL, "tag_concept_id" integer NOT NULL, "model_id" integer, CONSTRAINT "chk_content_item_tags_score" CHECK (score >= -1 AND score <= 1), CONSTRAINT "chk_content_item_tags_source" CHECK (source IN ('auto', 'manual')), CONSTRAINT "chk_content_item_tags_status" CHECK (status IN ('suggested', 'accepted', 'rejected')), CONSTRAINT "pk_content_item_tags" PRIMARY KEY ("content_item_id", "tag_concept_id"))`,
    );
    await queryRunner.query(
      `CREATE INDEX "idx_content_item_tags_tag_concept_id" ON "content_item_tags"  ("tag_concept_id", "status") `,
    );
    await queryRunner.query(
      `CREATE TABLE "job_description_tags" ("score" double precision, "source" character varying(10) NOT NULL, "status" character varying(10) NOT NULL, "is_implied" boolean NOT NULL DEFAULT false, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "created_by" character varying(200), "updated_by" character varying(200), "job_description_id" integer NOT NULL, "tag_concept_id" integer NOT NULL, "model_id" integer, CONSTRAINT "chk_job_description_tags_score" CHECK (score >= -1 AND score <= 1), CONSTRAINT "chk_job_description_tags_source" CHECK (source IN ('auto', 'manual')), CONSTRAINT "chk_job_description_tags_status" CHECK (status IN ('suggested', 'accepted', 'rejected')), CONSTRAINT "pk_job_description_tags" PRIMARY KEY ("job_description_id", "tag_concept_id"))`,
    );
    await queryRunner.query(
      `CREATE INDEX "idx_job_description_tags_tag_concept_id" ON "job_description_tags"  ("tag_concept_id", "status") `,
    );
    await queryRunner.query(
      `CREATE TABLE "tag_decisions" ("id" BIGSERIAL NOT NULL, "kind" character varying(50) NOT NULL, "source_id" integer, "subject_id" integer NOT NULL, "content_hash" character(64), "tag_concept_id" integer, "tag_name" character varying(200) NOT NULL, "action" character varying(10) NOT NULL, "score" double precision, "model_id" integer, "decided_by" character varying(200) NOT NULL, "decided_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(), CONSTRAINT "chk_tag_decisions_action" CHECK (action IN ('accept', 'reject', 'add', 'remove', 'reopen')), CONSTRAINT "pk_tag_decisions" PRIMARY KEY ("id"))`,
    );
    await queryRunner.query(`CREATE INDEX "idx_tag_decisions_subject" ON "tag_decisions"  ("kind", "subject_id") `);
    await queryRunner.query(
      `CREATE INDEX "idx_tag_decisions_tag_concept_id" ON "tag_decisions"  ("tag_concept_id", "id") `,
    );
    await queryRunner.query(
      `CREATE TABLE "tag_names" ("folded" text NOT NULL, "tag_concept_id" integer NOT NULL, CONSTRAINT "pk_tag_names" PRIMARY KEY ("folded"))`,
    );
    await queryRunner.query(`CREATE INDEX "idx_tag_names_tag_concept_id" ON "tag_names"  ("tag_concept_id") `);
    await queryRunner.query(`ALTER TABLE "tag_concepts" ADD "aliases" text array NOT NULL DEFAULT '{}'`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" ADD "scheme" character varying(50) NOT NULL DEFAULT 'general'`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" ADD "threshold" double precision`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" ADD "last_used_at" TIMESTAMP WITH TIME ZONE`);
    await queryRunner.query(`ALTER TABLE "story_chunk_tags" ADD "is_implied" boolean NOT NULL DEFAULT false`);
    await queryRunner.query(`ALTER TABLE "story_chunk_tags" ADD "model_id" integer`);
    await queryRunner.query(`CREATE INDEX "idx_tag_concepts_scheme" ON "tag_concepts"  ("scheme", "category") `);
    await queryRunner.query(
      `ALTER TABLE "tag_concepts" ADD CONSTRAINT "chk_tag_concepts_threshold" CHECK (threshold >= -1 AND threshold <= 1)`,
    );
    await queryRunner.query(`INSERT INTO tag_schemes (name, description, kinds, threshold, max_tags, created_by, updated_by) VALUES
      ('general', 'For passages of stories and for content', ARRAY['story', 'content_item'], 0.4, 5, 'kindred', 'kindred'),
      ('job', 'For jobs', ARRAY['job_description'], 0.4, 10, 'kindred', 'kindred')`);
    await queryRunner.query(
      `ALTER TABLE "tag_categories" ADD CONSTRAINT "fk_tag_categories_scheme" FOREIGN KEY ("scheme") REFERENCES "tag_schemes"("name") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_concepts" ADD CONSTRAINT "fk_tag_concepts_scheme" FOREIGN KEY ("scheme") REFERENCES "tag_schemes"("name") ON DELETE RESTRICT ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "story_chunk_tags" ADD CONSTRAINT "fk_story_chunk_tags_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "content_item_tags" ADD CONSTRAINT "fk_content_item_tags_content_item_id" FOREIGN KEY ("content_item_id") REFERENCES "content_items"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "content_item_tags" ADD CONSTRAINT "fk_content_item_tags_tag_concept_id" FOREIGN KEY ("tag_concept_id") REFERENCES "tag_concepts"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "content_item_tags" ADD CONSTRAINT "fk_content_item_tags_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "job_description_tags" ADD CONSTRAINT "fk_job_description_tags_job_description_id" FOREIGN KEY ("job_description_id") REFERENCES "job_descriptions"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "job_description_tags" ADD CONSTRAINT "fk_job_description_tags_tag_concept_id" FOREIGN KEY ("tag_concept_id") REFERENCES "tag_concepts"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "job_description_tags" ADD CONSTRAINT "fk_job_description_tags_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_decisions" ADD CONSTRAINT "fk_tag_decisions_tag_concept_id" FOREIGN KEY ("tag_concept_id") REFERENCES "tag_concepts"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_decisions" ADD CONSTRAINT "fk_tag_decisions_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_names" ADD CONSTRAINT "fk_tag_names_tag_concept_id" FOREIGN KEY ("tag_concept_id") REFERENCES "tag_concepts"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    for (const table of ['story_chunk_tags', 'content_item_tags', 'job_description_tags']) {
      await queryRunner.query(`CREATE INDEX idx_${table}_created_at ON ${table} USING brin (created_at)`);
    }
    await queryRunner.query(
      `ALTER TABLE outbox_events DROP CONSTRAINT chk_outbox_events_topic, ADD CONSTRAINT chk_outbox_events_topic CHECK (topic ~ '^[a-z_]+$')`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DELETE FROM outbox_events WHERE topic NOT IN ('source', 'point')`);
    await queryRunner.query(
      `ALTER TABLE outbox_events DROP CONSTRAINT chk_outbox_events_topic, ADD CONSTRAINT chk_outbox_events_topic CHECK (topic IN ('source', 'point'))`,
    );
    await queryRunner.query(`DROP INDEX idx_story_chunk_tags_created_at`);
    await queryRunner.query(`ALTER TABLE "tag_names" DROP CONSTRAINT "fk_tag_names_tag_concept_id"`);
    await queryRunner.query(`ALTER TABLE "tag_decisions" DROP CONSTRAINT "fk_tag_decisions_model_id"`);
    await queryRunner.query(`ALTER TABLE "tag_decisions" DROP CONSTRAINT "fk_tag_decisions_tag_concept_id"`);
    await queryRunner.query(`ALTER TABLE "job_description_tags" DROP CONSTRAINT "fk_job_description_tags_model_id"`);
    await queryRunner.query(
      `ALTER TABLE "job_description_tags" DROP CONSTRAINT "fk_job_description_tags_tag_concept_id"`,
    );
    await queryRunner.query(
      `ALTER TABLE "job_description_tags" DROP CONSTRAINT "fk_job_description_tags_job_description_id"`,
    );
    await queryRunner.query(`ALTER TABLE "content_item_tags" DROP CONSTRAINT "fk_content_item_tags_model_id"`);
    await queryRunner.query(`ALTER TABLE "content_item_tags" DROP CONSTRAINT "fk_content_item_tags_tag_concept_id"`);
    await queryRunner.query(`ALTER TABLE "content_item_tags" DROP CONSTRAINT "fk_content_item_tags_content_item_id"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_tags" DROP CONSTRAINT "fk_story_chunk_tags_model_id"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP CONSTRAINT "fk_tag_concepts_scheme"`);
    await queryRunner.query(`ALTER TABLE "tag_categories" DROP CONSTRAINT "fk_tag_categories_scheme"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP CONSTRAINT "chk_tag_concepts_threshold"`);
    await queryRunner.query(`DROP INDEX "public"."idx_tag_concepts_scheme"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_tags" DROP COLUMN "model_id"`);
    await queryRunner.query(`ALTER TABLE "story_chunk_tags" DROP COLUMN "is_implied"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP COLUMN "last_used_at"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP COLUMN "threshold"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP COLUMN "scheme"`);
    await queryRunner.query(`ALTER TABLE "tag_concepts" DROP COLUMN "aliases"`);
    await queryRunner.query(`DROP INDEX "public"."idx_tag_names_tag_concept_id"`);
    await queryRunner.query(`DROP TABLE "tag_names"`);
    await queryRunner.query(`DROP INDEX "public"."idx_tag_decisions_tag_concept_id"`);
    await queryRunner.query(`DROP INDEX "public"."idx_tag_decisions_subject"`);
    await queryRunner.query(`DROP TABLE "tag_decisions"`);
    await queryRunner.query(`DROP INDEX "public"."idx_job_description_tags_tag_concept_id"`);
    await queryRunner.query(`DROP TABLE "job_description_tags"`);
    await queryRunner.query(`DROP INDEX "public"."idx_content_item_tags_tag_concept_id"`);
    await queryRunner.query(`DROP TABLE "content_item_tags"`);
    await queryRunner.query(`DROP TABLE "tag_categories"`);
    await queryRunner.query(`DROP TABLE "tag_schemes"`);
  }
}
