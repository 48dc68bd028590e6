import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  { table: 'story_chunk_tags', kind: 'story', subject: 'story_chunk_id' },
  { table: 'content_item_tags', kind: 'content_item', subject: 'content_item_id' },
  { table: 'job_description_tags', kind: 'job_description', subject: 'job_description_id' },
];
const NEW_TABLES = TABLES.slice(1);

/** What the database keeps true of tags: names, counts, the log of decisions, and what has to be tagged again. */
export class AddTaggingRules1760000400001 implements MigrationInterface {
  name = 'AddTaggingRules1760000400001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await this.names(queryRunner);
    await this.counts(queryRunner);
    await this.decisions(queryRunner);
    await this.followUps(queryRunner);
    for (const table of ['tag_schemes', ...NEW_TABLES.map(({ table }) => table)]) {
      await queryRunner.query(
        `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
      );
    }
    // Being used is no change of the tag.
    await queryRunner.query(`DROP TRIGGER kindred_touch ON tag_concepts`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE OF uuid, external_id, name, aliases, description, scheme, threshold, category, parent_id, archived_at, created_at, created_by, updated_at, updated_by ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
  }

  private async names(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_fold_tag_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    RETURN lower(regexp_replace(btrim(normalize(name, NFKC)), '\\s+', ' ', 'g'))`);
    await queryRunner.query(`CREATE FUNCTION kindred_keep_tag_names() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM tag_names WHERE tag_concept_id = NEW.id;
      INSERT INTO tag_names (folded, tag_concept_id)
      SELECT DISTINCT kindred_fold_tag_name(given), NEW.id FROM unnest(NEW.name || NEW.aliases) AS given;
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(`INSERT INTO tag_names (folded, tag_concept_id)
    SELECT kindred_fold_tag_name(name), id FROM tag_concepts ORDER BY id ON CONFLICT DO NOTHING`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_keep_tag_names AFTER INSERT OR UPDATE OF name, aliases ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_keep_tag_names()`,
    );
  }

  private async counts(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_count_tag_usage() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        UPDATE tag_concepts tag SET usage_count = counted.amount
        FROM (
          SELECT id, (SELECT count(*) FROM (
            SELECT 1 FROM story_chunk_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
            UNION ALL SELECT 1 FROM content_item_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
            UNION ALL SELECT 1 FROM job_description_tags a WHERE a.tag_concept_id = t.id AND a.status <> 'rejected'
          ) assigned) AS amount FROM tag_concepts t
        ) counted WHERE counted.id = tag.id AND counted.amount <> tag.usage_count;
        RETURN NULL;
      END IF;
      -- Locked in order of id, so that two writers of the same tags wait for each other and never both.
      IF TG_OP = 'INSERT' THEN
        WITH change AS (
          SELECT tag_concept_id, count(*) AS amount FROM new_rows WHERE status <> 'rejected' GROUP BY 1
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount, last_used_at = now()
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      ELSIF TG_OP = 'DELETE' THEN
        WITH change AS (
          SELECT tag_concept_id, count(*) AS amount FROM old_rows WHERE status <> 'rejected' GROUP BY 1
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count - change.amount
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      ELSE
        WITH change AS (
          SELECT tag_concept_id, sum(amount) AS amount FROM (
            SELECT tag_concept_id, 1 AS amount FROM new_rows WHERE status <> 'rejected'
            UNION ALL
            SELECT tag_concept_id, -1 FROM old_rows WHERE status <> 'rejected'
          ) both_sides GROUP BY 1 HAVING sum(amount) <> 0
        ), locked AS MATERIALIZED (
          SELECT id FROM tag_concepts WHERE id IN (SELECT tag_concept_id FROM change) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE tag_concepts tag SET usage_count = tag.usage_count + change.amount,
          last_used_at = CASE WHEN change.amount > 0 THEN now() ELSE tag.last_used_at END
        FROM locked JOIN change ON change.tag_concept_id = locked.id WHERE tag.id = locked.id;
      END IF;
      RETURN NULL;
    END
    $$`);
    for (const { table } of NEW_TABLES) {
      for (const [name, timing] of [
        ['insert', 'AFTER INSERT ON @ REFERENCING NEW TABLE AS new_rows'],
        ['update', 'AFTER UPDATE ON @ REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows'],
        ['delete', 'AFTER DELETE ON @ REFERENCING OLD TABLE AS old_rows'],
        ['truncate', 'AFTER TRUNCATE ON @'],
      ] as const) {
        await queryRunner.query(
          `CREATE TRIGGER kindred_count_tag_usage_${name} ${timing.replace('@', table)} FOR EACH STATEMENT EXECUTE FUNCTION kindred_count_tag_usage()`,
        );
      }
    }
  }

  /** Whoever writes an assignment, what a person decided is on record. */
  private async decisions(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_log_tag_decision() RETURNS trigger LANGUAGE plpgsql AS $$
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
    $$`);
    for (const { table, kind, subject } of TABLES) {
      const log = `FOR EACH ROW WHEN (@) EXECUTE FUNCTION kindred_log_tag_decision('${kind}', '${subject}')`;
      for (const [name, timing, condition] of [
        ['insert', `AFTER INSERT ON ${table}`, `NEW.status <> 'suggested'`],
        ['update', `AFTER UPDATE OF status ON ${table}`, `NEW.status <> OLD.status`],
        ['delete', `AFTER DELETE ON ${table}`, `OLD.status <> 'suggested' AND NOT OLD.is_implied`],
      ] as const) {
        await queryRunner.query(
          `CREATE TRIGGER kindred_log_tag_decision_${name} ${timing} ${log.replace('@', condition)}`,
        );
      }
    }
  }

  /** Events of the topic "tag": these tags are to be compared with everything they may be on, again. */
  private async followUps(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION kindred_tag_again() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      changed_scheme text;
      changed_category text;
    BEGIN
      IF TG_TABLE_NAME = 'tag_concepts' THEN
        INSERT INTO outbox_events (topic, kind, key, priority)
        SELECT 'tag', 'tag_concept', qdrant_point_id::text, kindred_priority() FROM tag_concept_embeddings
        WHERE tag_concept_id = NEW.id ON CONFLICT DO NOTHING;
      ELSE
        IF TG_TABLE_NAME = 'tag_schemes' THEN
          changed_scheme := NEW.name;
        ELSIF TG_OP = 'DELETE' THEN
          changed_scheme := OLD.scheme;
          changed_category := OLD.category;
        ELSE
          changed_scheme := NEW.scheme;
          changed_category := NEW.category;
        END IF;
        INSERT INTO outbox_events (topic, kind, key, priority)
        SELECT 'tag', 'tag_concept', embedding.qdrant_point_id::text, 1
        FROM tag_concepts tag JOIN tag_concept_embeddings embedding ON embedding.tag_concept_id = tag.id
        WHERE tag.scheme = changed_scheme AND (changed_category IS NULL OR tag.category = changed_category)
        ON CONFLICT DO NOTHING;
      END IF;
      PERFORM pg_notify('kindred_outbox', 'tag');
      RETURN NULL;
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_tag_again AFTER UPDATE OF threshold, category, scheme, parent_id, archived_at ON tag_concepts FOR EACH ROW WHEN ((NEW.threshold, NEW.category, NEW.scheme, NEW.parent_id, NEW.archived_at IS NULL) IS DISTINCT FROM (OLD.threshold, OLD.category, OLD.scheme, OLD.parent_id, OLD.archived_at IS NULL)) EXECUTE FUNCTION kindred_tag_again()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_tag_again AFTER UPDATE ON tag_schemes FOR EACH ROW WHEN ((NEW.kinds, NEW.threshold, NEW.max_tags, NEW.implies_parents) IS DISTINCT FROM (OLD.kinds, OLD.threshold, OLD.max_tags, OLD.implies_parents)) EXECUTE FUNCTION kindred_tag_again()`,
    );
    await queryRunner.query(
      `CREATE TRIGGER kindred_tag_again AFTER INSERT OR UPDATE OR DELETE ON tag_categories FOR EACH ROW EXECUTE FUNCTION kindred_tag_again()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['tag_again', 'log_tag_decision', 'keep_tag_names', 'fold_tag_name']) {
      await queryRunner.query(`DROP FUNCTION kindred_${name} CASCADE`);
    }
    await queryRunner.query(`DELETE FROM tag_names`);
    for (const table of ['tag_concepts', 'tag_schemes', ...NEW_TABLES.map(({ table }) => table)]) {
      await queryRunner.query(`DROP TRIGGER kindred_touch ON ${table}`);
    }
    await queryRunner.query(
      `CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_touch()`,
    );
    for (const { table } of NEW_TABLES) {
      for (const name of ['insert', 'update', 'delete', 'truncate']) {
        await queryRunner.query(`DROP TRIGGER kindred_count_tag_usage_${name} ON ${table}`);
      }
    }
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_count_tag_usage() RETURNS trigger LANGUAGE plpgsql AS $$
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
  }
}
