import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Capture: every write to a source or embedding table leaves an event in the outbox, in the same transaction. */
export class CreateCapture1760000910002 implements MigrationInterface {
  name = 'CreateCapture1760000910002';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_profiles() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of profiles needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.name, fresh.email, fresh.headline, fresh.summary, fresh.location, fresh.archived_at) IS DISTINCT FROM (stale.name, stale.email, stale.headline, stale.summary, stale.location, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', found.key::text, kindred_priority()
    FROM (
      SELECT child.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE fresh.archived_at IS DISTINCT FROM stale.archived_at OFFSET 0) row JOIN work_experiences child ON child.profile_id = row.id
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', found.key::text, kindred_priority()
    FROM (
      SELECT child.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE fresh.archived_at IS DISTINCT FROM stale.archived_at OFFSET 0) row JOIN projects child ON child.profile_id = row.id
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', found.key::text, kindred_priority()
    FROM (
      SELECT child.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE fresh.archived_at IS DISTINCT FROM stale.archived_at OFFSET 0) row JOIN educations child ON child.profile_id = row.id
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', found.key::text, kindred_priority()
    FROM (
      SELECT child.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE fresh.archived_at IS DISTINCT FROM stale.archived_at OFFSET 0) row JOIN skills child ON child.profile_id = row.id
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', found.key::text, kindred_priority()
    FROM (
      SELECT child.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE fresh.archived_at IS DISTINCT FROM stale.archived_at OFFSET 0) row JOIN generated_resumes child ON child.profile_id = row.id
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profiles_insert AFTER INSERT ON profiles REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profiles()`,
    );
    await queryRunner.query(`ALTER TABLE profiles ENABLE ALWAYS TRIGGER kindred_capture_profiles_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profiles_update AFTER UPDATE ON profiles REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profiles()`,
    );
    await queryRunner.query(`ALTER TABLE profiles ENABLE ALWAYS TRIGGER kindred_capture_profiles_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profiles_delete AFTER DELETE ON profiles REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profiles()`,
    );
    await queryRunner.query(`ALTER TABLE profiles ENABLE ALWAYS TRIGGER kindred_capture_profiles_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profiles_truncate BEFORE TRUNCATE ON profiles FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profiles()`,
    );
    await queryRunner.query(`ALTER TABLE profiles ENABLE ALWAYS TRIGGER kindred_capture_profiles_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_skills() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of skills needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT unnest(ARRAY[row.now, row.before]) AS key FROM (SELECT fresh.profile_id AS now, stale.profile_id AS before FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.name, fresh.category, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.name, stale.category, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.name, fresh.category, fresh.level, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.name, stale.category, stale.level, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM old_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM skills row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skills_insert AFTER INSERT ON skills REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skills()`,
    );
    await queryRunner.query(`ALTER TABLE skills ENABLE ALWAYS TRIGGER kindred_capture_skills_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skills_update AFTER UPDATE ON skills REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skills()`,
    );
    await queryRunner.query(`ALTER TABLE skills ENABLE ALWAYS TRIGGER kindred_capture_skills_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skills_delete AFTER DELETE ON skills REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skills()`,
    );
    await queryRunner.query(`ALTER TABLE skills ENABLE ALWAYS TRIGGER kindred_capture_skills_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skills_truncate BEFORE TRUNCATE ON skills FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skills()`,
    );
    await queryRunner.query(`ALTER TABLE skills ENABLE ALWAYS TRIGGER kindred_capture_skills_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_work_experiences() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of work_experiences needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT unnest(ARRAY[row.now, row.before]) AS key FROM (SELECT fresh.profile_id AS now, stale.profile_id AS before FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.title, fresh.company, fresh.description, fresh.highlights, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.title, stale.company, stale.description, stale.highlights, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.title, fresh.company, fresh.start_date, fresh.end_date, fresh.description, fresh.highlights, fresh.skills_used, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.title, stale.company, stale.start_date, stale.end_date, stale.description, stale.highlights, stale.skills_used, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM old_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM work_experiences row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experiences_insert AFTER INSERT ON work_experiences REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experiences()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experiences ENABLE ALWAYS TRIGGER kindred_capture_work_experiences_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experiences_update AFTER UPDATE ON work_experiences REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experiences()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experiences ENABLE ALWAYS TRIGGER kindred_capture_work_experiences_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experiences_delete AFTER DELETE ON work_experiences REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experiences()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experiences ENABLE ALWAYS TRIGGER kindred_capture_work_experiences_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experiences_truncate BEFORE TRUNCATE ON work_experiences FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experiences()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experiences ENABLE ALWAYS TRIGGER kindred_capture_work_experiences_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_projects() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of projects needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT unnest(ARRAY[row.now, row.before]) AS key FROM (SELECT fresh.profile_id AS now, stale.profile_id AS before FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.name, fresh.description, fresh.technologies, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.name, stale.description, stale.technologies, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.name, fresh.description, fresh.technologies, fresh.url, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.name, stale.description, stale.technologies, stale.url, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM old_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM projects row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_projects_insert AFTER INSERT ON projects REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_projects()`,
    );
    await queryRunner.query(`ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_projects_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_projects_update AFTER UPDATE ON projects REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_projects()`,
    );
    await queryRunner.query(`ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_projects_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_projects_delete AFTER DELETE ON projects REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_projects()`,
    );
    await queryRunner.query(`ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_projects_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_projects_truncate BEFORE TRUNCATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_projects()`,
    );
    await queryRunner.query(`ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_projects_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_educations() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of educations needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT unnest(ARRAY[row.now, row.before]) AS key FROM (SELECT fresh.profile_id AS now, stale.profile_id AS before FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.institution, fresh.study_type, fresh.area, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.institution, stale.study_type, stale.area, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.institution, fresh.study_type, fresh.area, fresh.start_date, fresh.end_date, fresh.position, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.institution, stale.study_type, stale.area, stale.start_date, stale.end_date, stale.position, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM old_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', found.key::text, kindred_priority()
    FROM (
      SELECT row.profile_id AS key FROM educations row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_educations_insert AFTER INSERT ON educations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_educations()`,
    );
    await queryRunner.query(`ALTER TABLE educations ENABLE ALWAYS TRIGGER kindred_capture_educations_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_educations_update AFTER UPDATE ON educations REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_educations()`,
    );
    await queryRunner.query(`ALTER TABLE educations ENABLE ALWAYS TRIGGER kindred_capture_educations_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_educations_delete AFTER DELETE ON educations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_educations()`,
    );
    await queryRunner.query(`ALTER TABLE educations ENABLE ALWAYS TRIGGER kindred_capture_educations_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_educations_truncate BEFORE TRUNCATE ON educations FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_educations()`,
    );
    await queryRunner.query(`ALTER TABLE educations ENABLE ALWAYS TRIGGER kindred_capture_educations_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_job_descriptions() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of job_descriptions needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.title, fresh.company, fresh.location, fresh.description, fresh.responsibilities, fresh.requirements, fresh.skills, fresh.education_required, fresh.experience_required, fresh.role, fresh.industry, fresh.employment_type, fresh.experience_level, fresh.salary_min, fresh.salary_max, fresh.currency, fresh.is_remote, fresh.archived_at) IS DISTINCT FROM (stale.title, stale.company, stale.location, stale.description, stale.responsibilities, stale.requirements, stale.skills, stale.education_required, stale.experience_required, stale.role, stale.industry, stale.employment_type, stale.experience_level, stale.salary_min, stale.salary_max, stale.currency, stale.is_remote, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_descriptions_insert AFTER INSERT ON job_descriptions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_descriptions()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_descriptions ENABLE ALWAYS TRIGGER kindred_capture_job_descriptions_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_descriptions_update AFTER UPDATE ON job_descriptions REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_descriptions()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_descriptions ENABLE ALWAYS TRIGGER kindred_capture_job_descriptions_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_descriptions_delete AFTER DELETE ON job_descriptions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_descriptions()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_descriptions ENABLE ALWAYS TRIGGER kindred_capture_job_descriptions_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_descriptions_truncate BEFORE TRUNCATE ON job_descriptions FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_descriptions()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_descriptions ENABLE ALWAYS TRIGGER kindred_capture_job_descriptions_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_generated_resumes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of generated_resumes needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.profile_id, fresh.job_description_id, fresh.title, fresh.content, fresh.archived_at) IS DISTINCT FROM (stale.profile_id, stale.job_description_id, stale.title, stale.content, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_generated_resumes_insert AFTER INSERT ON generated_resumes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_generated_resumes()`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ENABLE ALWAYS TRIGGER kindred_capture_generated_resumes_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_generated_resumes_update AFTER UPDATE ON generated_resumes REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_generated_resumes()`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ENABLE ALWAYS TRIGGER kindred_capture_generated_resumes_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_generated_resumes_delete AFTER DELETE ON generated_resumes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_generated_resumes()`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ENABLE ALWAYS TRIGGER kindred_capture_generated_resumes_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_generated_resumes_truncate BEFORE TRUNCATE ON generated_resumes FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_generated_resumes()`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ENABLE ALWAYS TRIGGER kindred_capture_generated_resumes_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_stories() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of stories needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.title, fresh.author, fresh.collection, fresh.content, fresh.chunking_strategy, fresh.chunk_tokens, fresh.chunk_overlap, fresh.chunk_context, fresh.archived_at) IS DISTINCT FROM (stale.title, stale.author, stale.collection, stale.content, stale.chunking_strategy, stale.chunk_tokens, stale.chunk_overlap, stale.chunk_context, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_stories_insert AFTER INSERT ON stories REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_stories()`,
    );
    await queryRunner.query(`ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_stories_update AFTER UPDATE ON stories REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_stories()`,
    );
    await queryRunner.query(`ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_stories_delete AFTER DELETE ON stories REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_stories()`,
    );
    await queryRunner.query(`ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_stories_truncate BEFORE TRUNCATE ON stories FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_stories()`,
    );
    await queryRunner.query(`ALTER TABLE stories ENABLE ALWAYS TRIGGER kindred_capture_stories_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_tag_concepts() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of tag_concepts needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.name, fresh.aliases, fresh.description, fresh.scheme, fresh.threshold, fresh.category, fresh.parent_id, fresh.archived_at) IS DISTINCT FROM (stale.name, stale.aliases, stale.description, stale.scheme, stale.threshold, stale.category, stale.parent_id, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concepts_insert AFTER INSERT ON tag_concepts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concepts()`,
    );
    await queryRunner.query(`ALTER TABLE tag_concepts ENABLE ALWAYS TRIGGER kindred_capture_tag_concepts_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concepts_update AFTER UPDATE ON tag_concepts REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concepts()`,
    );
    await queryRunner.query(`ALTER TABLE tag_concepts ENABLE ALWAYS TRIGGER kindred_capture_tag_concepts_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concepts_delete AFTER DELETE ON tag_concepts REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concepts()`,
    );
    await queryRunner.query(`ALTER TABLE tag_concepts ENABLE ALWAYS TRIGGER kindred_capture_tag_concepts_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concepts_truncate BEFORE TRUNCATE ON tag_concepts FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concepts()`,
    );
    await queryRunner.query(`ALTER TABLE tag_concepts ENABLE ALWAYS TRIGGER kindred_capture_tag_concepts_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_content_items() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of content_items needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM new_rows row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', found.key::text, kindred_priority()
    FROM (
      SELECT row.id AS key FROM (SELECT fresh.id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE (fresh.content_type, fresh.content_id, fresh.content, fresh.session_id, fresh.source_type, fresh.archived_at) IS DISTINCT FROM (stale.content_type, stale.content_id, stale.content, stale.session_id, stale.source_type, stale.archived_at) OFFSET 0) row
    ) found WHERE found.key IS NOT NULL
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'source');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_items_insert AFTER INSERT ON content_items REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_items()`,
    );
    await queryRunner.query(`ALTER TABLE content_items ENABLE ALWAYS TRIGGER kindred_capture_content_items_insert`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_items_update AFTER UPDATE ON content_items REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_items()`,
    );
    await queryRunner.query(`ALTER TABLE content_items ENABLE ALWAYS TRIGGER kindred_capture_content_items_update`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_items_delete AFTER DELETE ON content_items REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_items()`,
    );
    await queryRunner.query(`ALTER TABLE content_items ENABLE ALWAYS TRIGGER kindred_capture_content_items_delete`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_items_truncate BEFORE TRUNCATE ON content_items FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_items()`,
    );
    await queryRunner.query(`ALTER TABLE content_items ENABLE ALWAYS TRIGGER kindred_capture_content_items_truncate`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_profile_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of profile_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'profile', row.profile_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'profile', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'profile', row.profile_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of profile_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'profile_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'profile', row.profile_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'profile', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'profile', row.profile_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of profile_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'profile_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.profile_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.profile_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.profile_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.profile_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.profile_id, stale.profile_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.profile_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.profile_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', row.profile_id::text, kindred_priority()
    FROM old_rows row JOIN profiles record ON record.id = row.profile_id
    WHERE NOT rendered ? row.profile_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM profile_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', row.profile_id::text, kindred_priority()
    FROM profile_embeddings row JOIN profiles record ON record.id = row.profile_id
    WHERE NOT rendered ? row.profile_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profile_embeddings_insert AFTER INSERT ON profile_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profile_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE profile_embeddings ENABLE ALWAYS TRIGGER kindred_capture_profile_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profile_embeddings_update AFTER UPDATE ON profile_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profile_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE profile_embeddings ENABLE ALWAYS TRIGGER kindred_capture_profile_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profile_embeddings_delete AFTER DELETE ON profile_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profile_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE profile_embeddings ENABLE ALWAYS TRIGGER kindred_capture_profile_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_profile_embeddings_truncate BEFORE TRUNCATE ON profile_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_profile_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE profile_embeddings ENABLE ALWAYS TRIGGER kindred_capture_profile_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_work_experience_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of work_experience_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'work_experience', row.work_experience_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'work_experience', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'work_experience', row.work_experience_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of work_experience_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'work_experience_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'work_experience', row.work_experience_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'work_experience', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'work_experience', row.work_experience_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of work_experience_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'work_experience_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.work_experience_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.work_experience_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.work_experience_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.work_experience_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.work_experience_id, stale.work_experience_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.work_experience_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.work_experience_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', row.work_experience_id::text, kindred_priority()
    FROM old_rows row JOIN work_experiences record ON record.id = row.work_experience_id
    WHERE NOT rendered ? row.work_experience_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM work_experience_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', row.work_experience_id::text, kindred_priority()
    FROM work_experience_embeddings row JOIN work_experiences record ON record.id = row.work_experience_id
    WHERE NOT rendered ? row.work_experience_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experience_embeddings_insert AFTER INSERT ON work_experience_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experience_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experience_embeddings ENABLE ALWAYS TRIGGER kindred_capture_work_experience_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experience_embeddings_update AFTER UPDATE ON work_experience_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experience_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experience_embeddings ENABLE ALWAYS TRIGGER kindred_capture_work_experience_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experience_embeddings_delete AFTER DELETE ON work_experience_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experience_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experience_embeddings ENABLE ALWAYS TRIGGER kindred_capture_work_experience_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_work_experience_embeddings_truncate BEFORE TRUNCATE ON work_experience_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_work_experience_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experience_embeddings ENABLE ALWAYS TRIGGER kindred_capture_work_experience_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_project_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of project_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'project', row.project_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.project_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'project', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'project', row.project_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.project_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of project_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'project_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'project', row.project_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.project_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'project', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'project', row.project_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.project_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of project_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'project_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.project_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.project_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.project_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.project_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.project_id, stale.project_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.project_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.project_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', row.project_id::text, kindred_priority()
    FROM old_rows row JOIN projects record ON record.id = row.project_id
    WHERE NOT rendered ? row.project_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM project_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', row.project_id::text, kindred_priority()
    FROM project_embeddings row JOIN projects record ON record.id = row.project_id
    WHERE NOT rendered ? row.project_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_project_embeddings_insert AFTER INSERT ON project_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_project_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE project_embeddings ENABLE ALWAYS TRIGGER kindred_capture_project_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_project_embeddings_update AFTER UPDATE ON project_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_project_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE project_embeddings ENABLE ALWAYS TRIGGER kindred_capture_project_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_project_embeddings_delete AFTER DELETE ON project_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_project_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE project_embeddings ENABLE ALWAYS TRIGGER kindred_capture_project_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_project_embeddings_truncate BEFORE TRUNCATE ON project_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_project_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE project_embeddings ENABLE ALWAYS TRIGGER kindred_capture_project_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_education_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of education_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'education', row.education_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.education_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'education', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'education', row.education_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.education_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of education_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'education_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'education', row.education_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.education_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'education', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'education', row.education_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.education_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of education_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'education_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.education_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.education_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.education_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.education_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.education_id, stale.education_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.education_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.education_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', row.education_id::text, kindred_priority()
    FROM old_rows row JOIN educations record ON record.id = row.education_id
    WHERE NOT rendered ? row.education_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM education_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', row.education_id::text, kindred_priority()
    FROM education_embeddings row JOIN educations record ON record.id = row.education_id
    WHERE NOT rendered ? row.education_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_education_embeddings_insert AFTER INSERT ON education_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_education_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE education_embeddings ENABLE ALWAYS TRIGGER kindred_capture_education_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_education_embeddings_update AFTER UPDATE ON education_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_education_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE education_embeddings ENABLE ALWAYS TRIGGER kindred_capture_education_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_education_embeddings_delete AFTER DELETE ON education_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_education_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE education_embeddings ENABLE ALWAYS TRIGGER kindred_capture_education_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_education_embeddings_truncate BEFORE TRUNCATE ON education_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_education_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE education_embeddings ENABLE ALWAYS TRIGGER kindred_capture_education_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_skill_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of skill_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'skill', row.skill_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'skill', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'skill', row.skill_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of skill_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'skill_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'skill', row.skill_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'skill', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'skill', row.skill_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of skill_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'skill_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.skill_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.skill_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.skill_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.skill_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.skill_id, stale.skill_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.skill_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.skill_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', row.skill_id::text, kindred_priority()
    FROM old_rows row JOIN skills record ON record.id = row.skill_id
    WHERE NOT rendered ? row.skill_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM skill_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', row.skill_id::text, kindred_priority()
    FROM skill_embeddings row JOIN skills record ON record.id = row.skill_id
    WHERE NOT rendered ? row.skill_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skill_embeddings_insert AFTER INSERT ON skill_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skill_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE skill_embeddings ENABLE ALWAYS TRIGGER kindred_capture_skill_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skill_embeddings_update AFTER UPDATE ON skill_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skill_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE skill_embeddings ENABLE ALWAYS TRIGGER kindred_capture_skill_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skill_embeddings_delete AFTER DELETE ON skill_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skill_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE skill_embeddings ENABLE ALWAYS TRIGGER kindred_capture_skill_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_skill_embeddings_truncate BEFORE TRUNCATE ON skill_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_skill_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE skill_embeddings ENABLE ALWAYS TRIGGER kindred_capture_skill_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_job_description_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of job_description_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'job_description', row.job_description_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'job_description', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'job_description', row.job_description_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of job_description_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'job_description_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'job_description', row.job_description_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'job_description', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'job_description', row.job_description_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of job_description_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'job_description_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.job_description_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.job_description_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.job_description_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.job_description_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.job_description_id, stale.job_description_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.job_description_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.job_description_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', row.job_description_id::text, kindred_priority()
    FROM old_rows row JOIN job_descriptions record ON record.id = row.job_description_id
    WHERE NOT rendered ? row.job_description_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM job_description_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', row.job_description_id::text, kindred_priority()
    FROM job_description_embeddings row JOIN job_descriptions record ON record.id = row.job_description_id
    WHERE NOT rendered ? row.job_description_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_description_embeddings_insert AFTER INSERT ON job_description_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_description_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_description_embeddings ENABLE ALWAYS TRIGGER kindred_capture_job_description_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_description_embeddings_update AFTER UPDATE ON job_description_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_description_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_description_embeddings ENABLE ALWAYS TRIGGER kindred_capture_job_description_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_description_embeddings_delete AFTER DELETE ON job_description_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_description_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_description_embeddings ENABLE ALWAYS TRIGGER kindred_capture_job_description_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_job_description_embeddings_truncate BEFORE TRUNCATE ON job_description_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_job_description_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE job_description_embeddings ENABLE ALWAYS TRIGGER kindred_capture_job_description_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_resume_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of resume_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'generated_resume', row.generated_resume_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'generated_resume', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of resume_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'resume_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'generated_resume', row.generated_resume_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'generated_resume', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of resume_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'resume_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.generated_resume_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.generated_resume_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.generated_resume_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.generated_resume_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.generated_resume_id, stale.generated_resume_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.generated_resume_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.generated_resume_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority()
    FROM old_rows row JOIN generated_resumes record ON record.id = row.generated_resume_id
    WHERE NOT rendered ? row.generated_resume_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM resume_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority()
    FROM resume_embeddings row JOIN generated_resumes record ON record.id = row.generated_resume_id
    WHERE NOT rendered ? row.generated_resume_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_resume_embeddings_insert AFTER INSERT ON resume_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_resume_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE resume_embeddings ENABLE ALWAYS TRIGGER kindred_capture_resume_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_resume_embeddings_update AFTER UPDATE ON resume_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_resume_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE resume_embeddings ENABLE ALWAYS TRIGGER kindred_capture_resume_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_resume_embeddings_delete AFTER DELETE ON resume_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_resume_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE resume_embeddings ENABLE ALWAYS TRIGGER kindred_capture_resume_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_resume_embeddings_truncate BEFORE TRUNCATE ON resume_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_resume_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE resume_embeddings ENABLE ALWAYS TRIGGER kindred_capture_resume_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_story_chunk_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of story_chunk_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'story', row.story_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.story_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'story', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'story', row.story_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.story_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of story_chunk_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'story_chunk_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'story', row.story_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.story_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'story', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'story', row.story_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.story_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of story_chunk_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'story_chunk_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.story_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.story_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.story_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.story_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.story_id, stale.story_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.story_id, fresh.embedding_type, fresh.paragraph_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.story_id, stale.embedding_type, stale.paragraph_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', row.story_id::text, kindred_priority()
    FROM old_rows row JOIN stories record ON record.id = row.story_id
    WHERE NOT rendered ? row.story_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM story_chunk_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', row.story_id::text, kindred_priority()
    FROM story_chunk_embeddings row JOIN stories record ON record.id = row.story_id
    WHERE NOT rendered ? row.story_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_story_chunk_embeddings_insert AFTER INSERT ON story_chunk_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_story_chunk_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_embeddings ENABLE ALWAYS TRIGGER kindred_capture_story_chunk_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_story_chunk_embeddings_update AFTER UPDATE ON story_chunk_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_story_chunk_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_embeddings ENABLE ALWAYS TRIGGER kindred_capture_story_chunk_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_story_chunk_embeddings_delete AFTER DELETE ON story_chunk_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_story_chunk_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_embeddings ENABLE ALWAYS TRIGGER kindred_capture_story_chunk_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_story_chunk_embeddings_truncate BEFORE TRUNCATE ON story_chunk_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_story_chunk_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_embeddings ENABLE ALWAYS TRIGGER kindred_capture_story_chunk_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_tag_concept_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of tag_concept_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'tag_concept', row.tag_concept_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'tag_concept', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of tag_concept_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'tag_concept_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'tag_concept', row.tag_concept_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'tag_concept', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of tag_concept_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'tag_concept_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.tag_concept_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.tag_concept_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.tag_concept_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.tag_concept_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.tag_concept_id, stale.tag_concept_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.tag_concept_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.tag_concept_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority()
    FROM old_rows row JOIN tag_concepts record ON record.id = row.tag_concept_id
    WHERE NOT rendered ? row.tag_concept_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM tag_concept_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority()
    FROM tag_concept_embeddings row JOIN tag_concepts record ON record.id = row.tag_concept_id
    WHERE NOT rendered ? row.tag_concept_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concept_embeddings_insert AFTER INSERT ON tag_concept_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concept_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concept_embeddings ENABLE ALWAYS TRIGGER kindred_capture_tag_concept_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concept_embeddings_update AFTER UPDATE ON tag_concept_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concept_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concept_embeddings ENABLE ALWAYS TRIGGER kindred_capture_tag_concept_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concept_embeddings_delete AFTER DELETE ON tag_concept_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concept_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concept_embeddings ENABLE ALWAYS TRIGGER kindred_capture_tag_concept_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_tag_concept_embeddings_truncate BEFORE TRUNCATE ON tag_concept_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_tag_concept_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concept_embeddings ENABLE ALWAYS TRIGGER kindred_capture_tag_concept_embeddings_truncate`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_content_embeddings() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
  rendered jsonb := coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}');
BEGIN
  PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA) || ', pg_temp', true);
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of content_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'content_item', row.content_item_id, coalesce(payloads.payload, '{}'), vector_home
      FROM new_rows row LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'content_item', row.qdrant_point_id::text, kindred_priority() FROM new_rows row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'content_item', row.content_item_id::text, kindred_priority() FROM new_rows row
      LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM new_rows row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of content_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'content_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF EXISTS (SELECT 1 FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT * FROM (SELECT stale.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'content_item', row.content_item_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'content_item', row.qdrant_point_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'content_item', row.content_item_id::text, kindred_priority() FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row
      LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT * FROM (SELECT fresh.* FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id OFFSET 0) moved WHERE moved.id IS NOT NULL) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of content_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'content_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = row.content_item_id, error = NULL, error_code = NULL
      FROM (SELECT fresh.qdrant_point_id, fresh.content_item_id FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id
        WHERE NOT (stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id) AND (fresh.content_hash, fresh.content_item_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.content_item_id, stale.embedding_type, stale.archived_at) OFFSET 0) row
      WHERE point.point_id = row.qdrant_point_id
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', edited.key::text, kindred_priority()
    FROM new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.content_item_id, stale.content_item_id]) AS edited (key)
    WHERE NOT rendered ? edited.key::text AND (fresh.content_hash, fresh.content_item_id, fresh.embedding_type, fresh.chunk_index, fresh.start_offset, fresh.end_offset, fresh.token_count, fresh.heading_path) IS DISTINCT FROM (stale.content_hash, stale.content_item_id, stale.embedding_type, stale.chunk_index, stale.start_offset, stale.end_offset, stale.token_count, stale.heading_path) ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', row.content_item_id::text, kindred_priority()
    FROM old_rows row JOIN content_items record ON record.id = row.content_item_id
    WHERE NOT rendered ? row.content_item_id::text ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM content_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', row.content_item_id::text, kindred_priority()
    FROM content_embeddings row JOIN content_items record ON record.id = row.content_item_id
    WHERE NOT rendered ? row.content_item_id::text ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_embeddings_insert AFTER INSERT ON content_embeddings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE content_embeddings ENABLE ALWAYS TRIGGER kindred_capture_content_embeddings_insert`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_embeddings_update AFTER UPDATE ON content_embeddings REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE content_embeddings ENABLE ALWAYS TRIGGER kindred_capture_content_embeddings_update`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_embeddings_delete AFTER DELETE ON content_embeddings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE content_embeddings ENABLE ALWAYS TRIGGER kindred_capture_content_embeddings_delete`,
    );
    await queryRunner.query(
      `CREATE OR REPLACE TRIGGER kindred_capture_content_embeddings_truncate BEFORE TRUNCATE ON content_embeddings FOR EACH STATEMENT EXECUTE FUNCTION kindred_capture_content_embeddings()`,
    );
    await queryRunner.query(
      `ALTER TABLE content_embeddings ENABLE ALWAYS TRIGGER kindred_capture_content_embeddings_truncate`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP FUNCTION kindred_capture_profiles CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_skills CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_work_experiences CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_projects CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_educations CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_job_descriptions CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_generated_resumes CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_stories CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_tag_concepts CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_content_items CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_profile_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_work_experience_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_project_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_education_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_skill_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_job_description_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_resume_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_story_chunk_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_tag_concept_embeddings CASCADE`);
    await queryRunner.query(`DROP FUNCTION kindred_capture_content_embeddings CASCADE`);
  }
}
