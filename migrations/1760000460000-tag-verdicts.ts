import type { MigrationInterface, QueryRunner } from 'typeorm';

const IS_DECIDED = (row: string): string =>
  `(${row}.status <> 'suggested' AND NOT (${row}.is_implied AND ${row}.status <> 'rejected'))`;

const LOG_BY_ROW = `CREATE OR REPLACE FUNCTION kindred_log_tag_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      assigned record;
      subject integer;
      source integer;
      hash text;
      taken text;
    BEGIN
      IF TG_OP = 'DELETE' THEN
        -- What goes with its text or its tag has been decided by nobody.
        IF pg_trigger_depth() > 1 THEN
          RETURN NULL;
        END IF;
        assigned := OLD;
        taken := 'remove';
      ELSE
        assigned := NEW;
        IF assigned.is_implied AND assigned.status <> 'rejected' THEN
          RETURN NULL;
        END IF;
        taken := CASE assigned.status WHEN 'rejected' THEN 'reject' WHEN 'suggested' THEN 'reopen'
          ELSE CASE TG_OP WHEN 'INSERT' THEN 'add' ELSE 'accept' END END;
      END IF;
      subject := (to_jsonb(assigned) ->> TG_ARGV[1])::integer;
      source := subject;
      IF TG_ARGV[0] = 'story' THEN
        SELECT story_id, content_hash INTO source, hash FROM story_chunk_embeddings WHERE id = subject;
      END IF;
      INSERT INTO tag_decisions (kind, source_id, subject_id, content_hash, tag_concept_id, tag_name, action, score, model_id, decided_by)
      SELECT TG_ARGV[0], source, subject, hash, tag.id, tag.name, taken, assigned.score, assigned.model_id,
        left(coalesce(nullif(current_setting('kindred.actor', true), ''), session_user), 200)
      FROM tag_concepts tag WHERE tag.id = assigned.tag_concept_id;
      RETURN NULL;
    END
    $$`;

const LOG_BY_TEXT = `CREATE OR REPLACE FUNCTION kindred_log_tag_decision() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      assigned record;
      subject integer;
      source integer;
      hash text;
      taken text;
    BEGIN
      -- What comes back with its text was decided before.
      IF current_setting('kindred.is_recalling', true) = 'on' THEN
        RETURN NULL;
      END IF;
      IF TG_OP = 'DELETE' THEN
        assigned := OLD;
        taken := 'remove';
      ELSE
        assigned := NEW;
        IF assigned.is_implied AND assigned.status <> 'rejected' THEN
          RETURN NULL;
        END IF;
        taken := CASE assigned.status WHEN 'rejected' THEN 'reject' WHEN 'suggested' THEN 'reopen'
          ELSE CASE TG_OP WHEN 'INSERT' THEN 'add' ELSE 'accept' END END;
      END IF;
      subject := (to_jsonb(assigned) ->> TG_ARGV[1])::integer;
      source := subject;
      -- What goes with its text or its tag has been decided by nobody. A cascade fires this at no greater depth.
      IF TG_OP = 'DELETE' AND NOT (CASE TG_ARGV[0]
        WHEN 'story' THEN EXISTS (SELECT 1 FROM story_chunk_embeddings WHERE id = subject)
        WHEN 'content_item' THEN EXISTS (SELECT 1 FROM content_items WHERE id = subject)
        ELSE EXISTS (SELECT 1 FROM job_descriptions WHERE id = subject)
      END) THEN
        RETURN NULL;
      END IF;
      IF TG_ARGV[0] = 'story' THEN
        SELECT story_id, kindred_text_hash(text) INTO source, hash FROM story_chunk_embeddings WHERE id = subject;
      END IF;
      INSERT INTO tag_decisions (kind, source_id, subject_id, content_hash, tag_concept_id, tag_name, action, score, model_id, decided_by)
      SELECT TG_ARGV[0], source, subject, hash, tag.id, tag.name, taken, assigned.score, assigned.model_id,
        left(coalesce(nullif(current_setting('kindred.actor', true), ''), session_user), 200)
      FROM tag_concepts tag WHERE tag.id = assigned.tag_concept_id;
      RETURN NULL;
    END
    $$`;

/** Decisions about tags on texts of stories belong to the text: they come back with it when it was taken out. */
export class TagVerdicts1760000460000 implements MigrationInterface {
  name = 'TagVerdicts1760000460000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE "tag_verdicts" ("story_id" integer NOT NULL, "text_hash" character(64) NOT NULL, "tag_concept_id" integer NOT NULL, "status" character varying(10) NOT NULL, "source" character varying(10) NOT NULL, "score" double precision, "model_id" integer, "decided_by" character varying(200) NOT NULL, "decided_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "chk_tag_verdicts_source" CHECK (source IN ('auto', 'manual')), CONSTRAINT "chk_tag_verdicts_status" CHECK (status IN ('accepted', 'rejected')), CONSTRAINT "pk_tag_verdicts" PRIMARY KEY ("story_id", "text_hash", "tag_concept_id"))`,
    );
    await queryRunner.query(`CREATE INDEX "idx_tag_verdicts_tag_concept_id" ON "tag_verdicts"  ("tag_concept_id") `);
    await queryRunner.query(`CREATE INDEX "idx_tag_decisions_source" ON "tag_decisions"  ("kind", "source_id", "id") `);
    await queryRunner.query(
      `ALTER TABLE "tag_verdicts" ADD CONSTRAINT "fk_tag_verdicts_story_id" FOREIGN KEY ("story_id") REFERENCES "stories"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_verdicts" ADD CONSTRAINT "fk_tag_verdicts_tag_concept_id" FOREIGN KEY ("tag_concept_id") REFERENCES "tag_concepts"("id") ON DELETE CASCADE ON UPDATE NO ACTION`,
    );
    await queryRunner.query(
      `ALTER TABLE "tag_verdicts" ADD CONSTRAINT "fk_tag_verdicts_model_id" FOREIGN KEY ("model_id") REFERENCES "embedding_models"("id") ON DELETE SET NULL ON UPDATE NO ACTION`,
    );
    await queryRunner.query(`CREATE FUNCTION kindred_text_hash(text text) RETURNS char(64) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(sha256(convert_to(text, 'UTF8')), 'hex')`);
    await queryRunner.query(LOG_BY_TEXT);
    // Logged for texts that were edited away.
    await queryRunner.query(`DELETE FROM tag_decisions WHERE action = 'remove' AND decided_by = 'kindred-relay'`);
    await queryRunner.query(`UPDATE tag_decisions d SET content_hash = kindred_text_hash(chunk.text)
    FROM story_chunk_embeddings chunk WHERE d.kind = 'story' AND chunk.id = d.subject_id AND chunk.content_hash = d.content_hash
      AND chunk.context_line IS NOT NULL`);
    await queryRunner.query(`INSERT INTO tag_verdicts (story_id, text_hash, tag_concept_id, status, source, score, model_id, decided_by, decided_at)
    SELECT chunk.story_id, kindred_text_hash(chunk.text), a.tag_concept_id, a.status, a.source, a.score, a.model_id,
      coalesce(a.updated_by, session_user), a.updated_at
    FROM story_chunk_tags a JOIN story_chunk_embeddings chunk ON chunk.id = a.story_chunk_id
    WHERE ${IS_DECIDED('a')} ORDER BY a.updated_at DESC ON CONFLICT DO NOTHING`);
    await this.keep(queryRunner);
    await this.recall(queryRunner);
  }

  /** A decision is that of the text from then on, until another one takes its place or a person takes it away. */
  private async keep(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_keep_tag_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      of_story integer;
      hash char(64);
    BEGIN
      IF current_setting('kindred.is_recalling', true) = 'on' THEN
        RETURN NULL;
      END IF;
      -- Nothing where the chunk is gone: what goes with its text comes back with it.
      SELECT story_id, kindred_text_hash(text) INTO of_story, hash FROM story_chunk_embeddings
      WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.story_chunk_id ELSE NEW.story_chunk_id END;
      IF TG_OP <> 'DELETE' AND ${IS_DECIDED('NEW')} THEN
        INSERT INTO tag_verdicts AS verdict
          (story_id, text_hash, tag_concept_id, status, source, score, model_id, decided_by, decided_at)
        VALUES (of_story, hash, NEW.tag_concept_id, NEW.status, NEW.source, NEW.score, NEW.model_id, kindred_actor(), clock_timestamp())
        ON CONFLICT (story_id, text_hash, tag_concept_id) DO UPDATE SET status = EXCLUDED.status, source = EXCLUDED.source,
          score = EXCLUDED.score, model_id = EXCLUDED.model_id, decided_by = EXCLUDED.decided_by, decided_at = EXCLUDED.decided_at
        WHERE (verdict.status, verdict.source) IS DISTINCT FROM (EXCLUDED.status, EXCLUDED.source);
      ELSE
        DELETE FROM tag_verdicts WHERE story_id = of_story AND text_hash = hash AND tag_concept_id = OLD.tag_concept_id;
      END IF;
      RETURN NULL;
    END
    $$`);
    for (const [name, timing, condition] of [
      ['insert', 'AFTER INSERT', IS_DECIDED('NEW')],
      [
        'update',
        'AFTER UPDATE OF status, source, tag_concept_id',
        `(${IS_DECIDED('OLD')} OR ${IS_DECIDED('NEW')}) AND (NEW.status, NEW.source, NEW.tag_concept_id) IS DISTINCT FROM (OLD.status, OLD.source, OLD.tag_concept_id)`,
      ],
      ['delete', 'AFTER DELETE', IS_DECIDED('OLD')],
    ] as const) {
      await queryRunner.query(
        `CREATE TRIGGER kindred_keep_tag_verdict_${name} ${timing} ON story_chunk_tags FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION kindred_keep_tag_verdict()`,
      );
    }
  }

  /** A chunk that gets a text takes what was decided about it. */
  private async recall(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_recall_tag_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM new_rows fresh JOIN tag_verdicts verdict ON verdict.story_id = fresh.story_id) THEN
        RETURN NULL;
      END IF;
      PERFORM set_config('kindred.is_recalling', 'on', true);
      INSERT INTO story_chunk_tags
        (story_chunk_id, tag_concept_id, score, model_id, source, status, created_at, updated_at, created_by, updated_by)
      SELECT fresh.id, verdict.tag_concept_id, verdict.score, verdict.model_id, verdict.source, verdict.status,
        verdict.decided_at, verdict.decided_at, verdict.decided_by, verdict.decided_by
      FROM new_rows fresh JOIN tag_verdicts verdict
        ON verdict.story_id = fresh.story_id AND verdict.text_hash = kindred_text_hash(fresh.text)
      ON CONFLICT DO NOTHING;
      PERFORM set_config('kindred.is_recalling', 'off', true);
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_recall_tag_verdicts AFTER INSERT ON story_chunk_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_recall_tag_verdicts()`,
    );
    await queryRunner.query(`CREATE FUNCTION kindred_carry_tag_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      hash char(64);
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM tag_verdicts WHERE story_id = NEW.story_id) THEN
        RETURN NULL;
      END IF;
      hash := kindred_text_hash(NEW.text);
      PERFORM set_config('kindred.is_recalling', 'on', true);
      -- What was decided about this very text counts before what was decided about a former wording.
      INSERT INTO story_chunk_tags AS a
        (story_chunk_id, tag_concept_id, score, model_id, source, status, created_at, updated_at, created_by, updated_by)
      SELECT NEW.id, tag_concept_id, score, model_id, source, status, decided_at, decided_at, decided_by, decided_by
      FROM tag_verdicts WHERE story_id = NEW.story_id AND text_hash = hash
      ON CONFLICT (story_chunk_id, tag_concept_id) DO UPDATE SET status = EXCLUDED.status, source = EXCLUDED.source,
        is_implied = false
      WHERE (a.status, a.source, a.is_implied) IS DISTINCT FROM (EXCLUDED.status, EXCLUDED.source, false);
      INSERT INTO tag_verdicts (story_id, text_hash, tag_concept_id, status, source, score, model_id, decided_by, decided_at)
      SELECT NEW.story_id, hash, a.tag_concept_id, a.status, a.source, a.score, a.model_id, coalesce(a.updated_by, kindred_actor()), a.updated_at
      FROM story_chunk_tags a WHERE a.story_chunk_id = NEW.id AND ${IS_DECIDED('a')}
      ON CONFLICT DO NOTHING;
      PERFORM set_config('kindred.is_recalling', 'off', true);
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_carry_tag_verdicts AFTER UPDATE OF text ON story_chunk_embeddings FOR EACH ROW WHEN (NEW.text <> OLD.text) EXECUTE FUNCTION kindred_carry_tag_verdicts()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['keep_tag_verdict', 'recall_tag_verdicts', 'carry_tag_verdicts']) {
      await queryRunner.query(`DROP FUNCTION kindred_${name} CASCADE`);
    }
    await queryRunner.query(LOG_BY_ROW);
    await queryRunner.query(`DROP FUNCTION kindred_text_hash`);
    await queryRunner.query(`DROP INDEX "public"."idx_tag_decisions_source"`);
    await queryRunner.query(`DROP TABLE "tag_verdicts"`);
  }
}
