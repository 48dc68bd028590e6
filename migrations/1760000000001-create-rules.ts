import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the database itself keeps true: audit fields, hashes, id formats, the tag hierarchy, usage counts. */
export class CreateRules1760000000001 implements MigrationInterface {
  name = 'CreateRules1760000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`-- Audit fields, whoever writes: the API names its caller in kindred.actor, other writers are their database role.
    CREATE FUNCTION kindred_touch() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      actor text := left(coalesce(nullif(current_setting('kindred.actor', true), ''), session_user), 200);
    BEGIN
      IF TG_OP = 'INSERT' THEN
        NEW.created_by := coalesce(NEW.created_by, actor);
        NEW.updated_by := coalesce(NEW.updated_by, NEW.created_by);
        RETURN NEW;
      END IF;
      NEW.created_at := OLD.created_at;
      NEW.created_by := OLD.created_by;
      IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := now();
        NEW.updated_by := actor;
      END IF;
      RETURN NEW;
    END
    $$`);
    await queryRunner.query(`-- An id is what outbox events and global ids refer to.
    CREATE FUNCTION kindred_refuse_id_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'The id of a row in % cannot be changed', TG_TABLE_NAME USING ERRCODE = 'KD003';
    END
    $$`);
    await queryRunner.query(`-- The hash is of what is embedded, so it is never taken on trust.
    CREATE FUNCTION kindred_hash_text() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.content_hash := encode(sha256(convert_to(coalesce(NEW.context_line || E'\\n', '') || NEW.text, 'UTF8')), 'hex');
      RETURN NEW;
    END
    $$`);
    await queryRunner.query(`CREATE FUNCTION kindred_check_content_id() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      pattern text;
    BEGIN
      SELECT id_pattern INTO pattern FROM content_types WHERE name = NEW.content_type;
      -- An unknown type is the foreign key's to refuse.
      IF pattern IS NOT NULL AND NEW.content_id !~ ('^(' || pattern || ')$') THEN
        RAISE EXCEPTION 'contentId % is not valid for content type %', quote_literal(NEW.content_id), NEW.content_type
          USING ERRCODE = 'KD002', DETAIL = pattern;
      END IF;
      RETURN NEW;
    END
    $$`);
    await queryRunner.query(`CREATE FUNCTION kindred_refuse_tag_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.parent_id IS NULL THEN
        RETURN NEW;
      END IF;
      -- Two moves that are each harmless can close a ring together, so moves take turns.
      PERFORM pg_advisory_xact_lock(hashtext('kindred_tag_hierarchy'));
      IF NEW.parent_id = NEW.id OR EXISTS (
        WITH RECURSIVE ancestor AS (
          SELECT id, parent_id FROM tag_concepts WHERE id = NEW.parent_id
          UNION
          SELECT tag.id, tag.parent_id FROM tag_concepts tag JOIN ancestor ON tag.id = ancestor.parent_id
        )
        SELECT 1 FROM ancestor WHERE id = NEW.id
      ) THEN
        RAISE EXCEPTION 'Tag % cannot be below tag %, which is itself below it', NEW.id, NEW.parent_id USING ERRCODE = 'KD001';
      END IF;
      RETURN NEW;
    END
    $$`);
    await queryRunner.query(`-- Usage counts the assignments that nobody has rejected.
    CREATE FUNCTION kindred_count_tag_usage() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        UPDATE tag_concepts SET usage_count = 0 WHERE usage_count <> 0;
        RETURN NULL;
      END IF;
      IF TG_OP = 'INSERT' THEN
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount
        FROM (SELECT tag_concept_id, count(*) AS amount FROM new_rows WHERE status <> 'rejected' GROUP BY 1 ORDER BY 1) change
        WHERE tag.id = change.tag_concept_id;
      ELSIF TG_OP = 'DELETE' THEN
        UPDATE tag_concepts tag SET usage_count = tag.usage_count - change.amount
        FROM (SELECT tag_concept_id, count(*) AS amount FROM old_rows WHERE status <> 'rejected' GROUP BY 1 ORDER BY 1) change
        WHERE tag.id = change.tag_concept_id;
      ELSE
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount
        FROM (
          SELECT tag_concept_id, sum(amount) AS amount FROM (
            SELECT tag_concept_id, 1 AS amount FROM new_rows WHERE status <> 'rejected'
            UNION ALL
            SELECT tag_concept_id, -1 FROM old_rows WHERE status <> 'rejected'
          ) both_sides GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1
        ) change
        WHERE tag.id = change.tag_concept_id;
      END IF;
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON work_experiences FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON educations FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON skills FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON job_descriptions FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON generated_resumes FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON stories FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON content_items FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON content_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON job_description_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON profile_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON work_experience_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON project_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON education_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON skill_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON resume_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON story_chunk_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON tag_concept_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON story_chunk_tags FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON profiles FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON work_experiences FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON projects FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON educations FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON skills FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON job_descriptions FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON generated_resumes FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON stories FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON tag_concepts FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON content_items FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON content_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON job_description_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON profile_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON work_experience_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON project_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON education_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON skill_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON resume_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON story_chunk_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_id_change BEFORE UPDATE OF id ON tag_concept_embeddings FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION kindred_refuse_id_change()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON content_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON job_description_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON profile_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON work_experience_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON project_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON education_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON skill_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON resume_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON story_chunk_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_hash_text BEFORE INSERT OR UPDATE OF text, context_line, content_hash ON tag_concept_embeddings FOR EACH ROW EXECUTE FUNCTION kindred_hash_text()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_check_content_id BEFORE INSERT OR UPDATE OF content_type, content_id ON content_items FOR EACH ROW EXECUTE FUNCTION kindred_check_content_id()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_refuse_tag_cycle BEFORE INSERT OR UPDATE OF parent_id ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_refuse_tag_cycle()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_count_tag_usage_insert AFTER INSERT ON story_chunk_tags REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_count_tag_usage()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_count_tag_usage_update AFTER UPDATE ON story_chunk_tags REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_count_tag_usage()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_count_tag_usage_delete AFTER DELETE ON story_chunk_tags REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_count_tag_usage()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_count_tag_usage_truncate AFTER TRUNCATE ON story_chunk_tags FOR EACH STATEMENT EXECUTE FUNCTION kindred_count_tag_usage()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP FUNCTION kindred_count_tag_usage CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_refuse_tag_cycle CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_check_content_id CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_hash_text CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_refuse_id_change CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_touch CASCADE`);
  }
}
