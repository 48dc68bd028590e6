import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Records, their typed embedding tables, the ledger of points, the outbox and the model registry. */
export class CreateTables1760000000000 implements MigrationInterface {
  name = 'CreateTables1760000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE SEQUENCE kindred_revision`);
    await queryRunner.query(`-- The writing transaction as a number that fits the driver; 2^63 transactions are out of reach.
    CREATE FUNCTION kindred_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT pg_current_xact_id()::text::bigint
    $$`);
    await queryRunner.query(`-- Bulk writers set kindred.priority to 1, so that what someone waits for goes first.
    CREATE FUNCTION kindred_priority() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE AS $$
      SELECT coalesce(nullif(current_setting('kindred.priority', true), ''), '0')::smallint
    $$`);
    await queryRunner.query(`CREATE TABLE embedding_models (
      id SERIAL NOT NULL,
      provider varchar(200) NOT NULL,
      name varchar(200) NOT NULL,
      version varchar(100) NOT NULL DEFAULT '',
      dimensions integer NOT NULL,
      max_tokens integer NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT uq_embedding_models_identity UNIQUE (provider, name, version, dimensions),
      CONSTRAINT chk_embedding_models_dimensions CHECK (dimensions > 0),
      CONSTRAINT pk_embedding_models PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE TABLE embedding_generations (
      id SERIAL NOT NULL,
      kind varchar(50) NOT NULL,
      model_id integer NOT NULL,
      number integer NOT NULL,
      collection varchar(250) NOT NULL,
      state varchar(10) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      promoted_at timestamptz,
      CONSTRAINT uq_embedding_generations_collection UNIQUE (collection),
      CONSTRAINT uq_embedding_generations_number UNIQUE (kind, model_id, number),
      CONSTRAINT chk_embedding_generations_state CHECK (state IN ('building', 'live', 'retired')),
      CONSTRAINT pk_embedding_generations PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE TABLE outbox_events (
      id BIGSERIAL NOT NULL,
      topic varchar(10) NOT NULL,
      kind varchar(50) NOT NULL,
      key varchar(36) NOT NULL,
      captured_xid bigint NOT NULL DEFAULT kindred_transaction_id(),
      captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      priority smallint NOT NULL DEFAULT '0',
      available_at timestamptz NOT NULL DEFAULT now(),
      lease_owner uuid,
      attempts integer NOT NULL DEFAULT '0',
      error_code varchar(50),
      error text,
      dead_at timestamptz,
      trace_parent varchar(55),
      CONSTRAINT uq_outbox_events_transaction_key UNIQUE (captured_xid, topic, kind, key),
      CONSTRAINT chk_outbox_events_topic CHECK (topic IN ('source', 'point')),
      CONSTRAINT pk_outbox_events PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_outbox_events_key ON outbox_events (kind, key, topic)`);
    await queryRunner.query(`CREATE TABLE vector_points (
      point_id uuid NOT NULL,
      kind varchar(50) NOT NULL,
      entity_id integer NOT NULL,
      state varchar(10) NOT NULL DEFAULT 'pending',
      revision bigint NOT NULL DEFAULT nextval('kindred_revision'),
      payload jsonb NOT NULL DEFAULT '{}',
      indexed_revision bigint,
      indexed_hash character(64),
      generation_id integer,
      error_code varchar(50),
      error text,
      indexed_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      state_since timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT chk_vector_points_state CHECK (state IN ('pending', 'indexed', 'failed', 'deleting')),
      CONSTRAINT pk_vector_points PRIMARY KEY (point_id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_vector_points_hash ON vector_points (indexed_hash, kind, generation_id)`);
    await queryRunner.query(`CREATE INDEX idx_vector_points_entity ON vector_points (kind, entity_id)`);
    await queryRunner.query(`CREATE TABLE content_types (
      name varchar(50) NOT NULL,
      id_pattern text NOT NULL,
      description text NOT NULL,
      CONSTRAINT pk_content_types PRIMARY KEY (name)
    )`);
    await queryRunner.query(`CREATE TABLE content_items (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      content_type varchar(50) NOT NULL,
      content_id varchar(200) NOT NULL,
      content text,
      session_id uuid,
      source_type varchar(100),
      CONSTRAINT uq_content_items_natural_key UNIQUE (content_type, content_id),
      CONSTRAINT uq_content_items_uuid UNIQUE (uuid),
      CONSTRAINT uq_content_items_external_id UNIQUE (external_id),
      CONSTRAINT pk_content_items PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_content_items_created_at ON content_items (created_at)`);
    await queryRunner.query(`CREATE INDEX idx_content_items_source_type ON content_items (source_type)`);
    await queryRunner.query(`CREATE INDEX idx_content_items_session_id ON content_items (session_id)`);
    await queryRunner.query(`CREATE TABLE content_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      content_item_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_content_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_content_embeddings_chunk UNIQUE (content_item_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_content_embeddings_embedding_type CHECK (embedding_type IN ('content')),
      CONSTRAINT chk_content_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_content_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_content_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_content_embeddings_content_id ON content_embeddings (content_item_id)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_content_embeddings_qdrant_id ON content_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_content_embeddings_type ON content_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE job_descriptions (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      title varchar(300) NOT NULL,
      company varchar(200),
      location varchar(200),
      description text NOT NULL,
      responsibilities text[] NOT NULL DEFAULT '{}',
      requirements text[] NOT NULL DEFAULT '{}',
      skills jsonb NOT NULL DEFAULT '[]',
      education_required text,
      experience_required text,
      role varchar(200),
      industry varchar(200),
      employment_type varchar(100),
      experience_level varchar(100),
      salary_min integer,
      salary_max integer,
      currency varchar(3),
      is_remote boolean NOT NULL DEFAULT false,
      CONSTRAINT uq_job_descriptions_uuid UNIQUE (uuid),
      CONSTRAINT uq_job_descriptions_external_id UNIQUE (external_id),
      CONSTRAINT chk_job_descriptions_salary CHECK (salary_min >= 0 AND salary_max >= salary_min),
      CONSTRAINT pk_job_descriptions PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_job_descriptions_created_at ON job_descriptions (created_at)`);
    await queryRunner.query(`CREATE TABLE job_description_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      job_description_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_job_description_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_job_description_embeddings_chunk UNIQUE (job_description_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_job_description_embeddings_embedding_type CHECK (embedding_type IN ('full_description', 'requirements', 'keywords')),
      CONSTRAINT chk_job_description_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_job_description_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_job_description_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_job_description_embeddings_job_id ON job_description_embeddings (job_description_id)`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_job_description_embeddings_qdrant_id ON job_description_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(
      `CREATE INDEX idx_job_description_embeddings_type ON job_description_embeddings (embedding_type)`,
    );
    await queryRunner.query(`CREATE TABLE profiles (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      name varchar(200) NOT NULL,
      email varchar(320),
      headline varchar(300),
      summary text,
      location varchar(200),
      CONSTRAINT uq_profiles_uuid UNIQUE (uuid),
      CONSTRAINT uq_profiles_external_id UNIQUE (external_id),
      CONSTRAINT pk_profiles PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_profiles_created_at ON profiles (created_at)`);
    await queryRunner.query(`CREATE TABLE educations (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      institution varchar(200) NOT NULL,
      study_type varchar(500),
      area varchar(500),
      start_date varchar(10),
      end_date varchar(10),
      position integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_educations_uuid UNIQUE (uuid),
      CONSTRAINT uq_educations_external_id UNIQUE (external_id),
      CONSTRAINT chk_educations_start_date CHECK (start_date ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$'),
      CONSTRAINT chk_educations_end_date CHECK (end_date ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$'),
      CONSTRAINT pk_educations PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_educations_profile_id ON educations (profile_id)`);
    await queryRunner.query(`CREATE TABLE projects (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      name varchar(200) NOT NULL,
      description text,
      technologies text[] NOT NULL DEFAULT '{}',
      url varchar(2000),
      position integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_projects_uuid UNIQUE (uuid),
      CONSTRAINT uq_projects_external_id UNIQUE (external_id),
      CONSTRAINT pk_projects PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_projects_profile_id ON projects (profile_id)`);
    await queryRunner.query(`CREATE TABLE skills (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      name varchar(200) NOT NULL,
      category varchar(200),
      level varchar(50),
      position integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_skills_uuid UNIQUE (uuid),
      CONSTRAINT uq_skills_external_id UNIQUE (external_id),
      CONSTRAINT pk_skills PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_skills_profile_id ON skills (profile_id)`);
    await queryRunner.query(`CREATE TABLE work_experiences (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      title varchar(200) NOT NULL,
      company varchar(200),
      start_date varchar(10),
      end_date varchar(10),
      description text,
      highlights text[] NOT NULL DEFAULT '{}',
      skills_used text[] NOT NULL DEFAULT '{}',
      position integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_work_experiences_uuid UNIQUE (uuid),
      CONSTRAINT uq_work_experiences_external_id UNIQUE (external_id),
      CONSTRAINT chk_work_experiences_start_date CHECK (start_date ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$'),
      CONSTRAINT chk_work_experiences_end_date CHECK (end_date ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$'),
      CONSTRAINT pk_work_experiences PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_work_experiences_profile_id ON work_experiences (profile_id)`);
    await queryRunner.query(`CREATE TABLE profile_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_profile_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_profile_embeddings_chunk UNIQUE (profile_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_profile_embeddings_embedding_type CHECK (embedding_type IN ('full_profile', 'summary', 'skills')),
      CONSTRAINT chk_profile_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_profile_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_profile_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_profile_embeddings_profile_id ON profile_embeddings (profile_id)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_profile_embeddings_qdrant_id ON profile_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_profile_embeddings_type ON profile_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE work_experience_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      work_experience_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_work_experience_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_work_experience_embeddings_chunk UNIQUE (work_experience_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_work_experience_embeddings_embedding_type CHECK (embedding_type IN ('full_experience', 'description', 'skills_used')),
      CONSTRAINT chk_work_experience_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_work_experience_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_work_experience_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_work_experience_embeddings_work_id ON work_experience_embeddings (work_experience_id)`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_work_experience_embeddings_qdrant_id ON work_experience_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(
      `CREATE INDEX idx_work_experience_embeddings_type ON work_experience_embeddings (embedding_type)`,
    );
    await queryRunner.query(`CREATE TABLE project_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      project_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_project_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_project_embeddings_chunk UNIQUE (project_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_project_embeddings_embedding_type CHECK (embedding_type IN ('full_project', 'description', 'technologies')),
      CONSTRAINT chk_project_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_project_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_project_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_project_embeddings_project_id ON project_embeddings (project_id)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_project_embeddings_qdrant_id ON project_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_project_embeddings_type ON project_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE education_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      education_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_education_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_education_embeddings_chunk UNIQUE (education_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_education_embeddings_embedding_type CHECK (embedding_type IN ('full_education')),
      CONSTRAINT chk_education_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_education_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_education_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_education_embeddings_education_id ON education_embeddings (education_id)`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_education_embeddings_qdrant_id ON education_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_education_embeddings_type ON education_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE skill_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      skill_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_skill_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_skill_embeddings_chunk UNIQUE (skill_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_skill_embeddings_embedding_type CHECK (embedding_type IN ('skill')),
      CONSTRAINT chk_skill_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_skill_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_skill_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_skill_embeddings_skill_id ON skill_embeddings (skill_id)`);
    await queryRunner.query(`CREATE UNIQUE INDEX idx_skill_embeddings_qdrant_id ON skill_embeddings (qdrant_point_id)`);
    await queryRunner.query(`CREATE INDEX idx_skill_embeddings_type ON skill_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE generated_resumes (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      profile_id integer NOT NULL,
      job_description_id integer,
      title varchar(300) NOT NULL,
      content text NOT NULL,
      CONSTRAINT uq_generated_resumes_uuid UNIQUE (uuid),
      CONSTRAINT uq_generated_resumes_external_id UNIQUE (external_id),
      CONSTRAINT pk_generated_resumes PRIMARY KEY (id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_generated_resumes_job_description_id ON generated_resumes (job_description_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_generated_resumes_profile_id ON generated_resumes (profile_id)`);
    await queryRunner.query(`CREATE TABLE resume_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      generated_resume_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_resume_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_resume_embeddings_chunk UNIQUE (generated_resume_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_resume_embeddings_embedding_type CHECK (embedding_type IN ('full_resume', 'summary', 'experience')),
      CONSTRAINT chk_resume_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_resume_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_resume_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_resume_embeddings_resume_id ON resume_embeddings (generated_resume_id)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_resume_embeddings_qdrant_id ON resume_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_resume_embeddings_type ON resume_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE stories (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      title varchar(300) NOT NULL,
      author varchar(200),
      collection varchar(200),
      content text NOT NULL,
      CONSTRAINT uq_stories_uuid UNIQUE (uuid),
      CONSTRAINT uq_stories_external_id UNIQUE (external_id),
      CONSTRAINT pk_stories PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_stories_created_at ON stories (created_at)`);
    await queryRunner.query(`CREATE TABLE story_chunk_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      story_id integer NOT NULL,
      paragraph_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_story_chunk_embeddings_paragraph UNIQUE (story_id, paragraph_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT uq_story_chunk_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_story_chunk_embeddings_chunk UNIQUE (story_id, embedding_type, paragraph_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_story_chunk_embeddings_embedding_type CHECK (embedding_type IN ('chunk')),
      CONSTRAINT chk_story_chunk_embeddings_paragraph_index CHECK (paragraph_index >= 0),
      CONSTRAINT chk_story_chunk_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_story_chunk_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_story_chunk_embeddings_story_id ON story_chunk_embeddings (story_id)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_story_chunk_embeddings_qdrant_id ON story_chunk_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_story_chunk_embeddings_type ON story_chunk_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE tag_concepts (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      external_id varchar(200),
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      name varchar(200) NOT NULL,
      description text,
      category varchar(200),
      parent_id integer,
      usage_count integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_tag_concepts_uuid UNIQUE (uuid),
      CONSTRAINT uq_tag_concepts_external_id UNIQUE (external_id),
      CONSTRAINT chk_tag_concepts_usage CHECK (usage_count >= 0),
      CONSTRAINT chk_tag_concepts_parent CHECK (parent_id <> id),
      CONSTRAINT chk_tag_concepts_name CHECK (btrim(name) <> ''),
      CONSTRAINT pk_tag_concepts PRIMARY KEY (id)
    )`);
    await queryRunner.query(`CREATE INDEX idx_tag_concepts_category ON tag_concepts (category)`);
    await queryRunner.query(`CREATE INDEX idx_tag_concepts_parent_id ON tag_concepts (parent_id)`);
    await queryRunner.query(`CREATE TABLE tag_concept_embeddings (
      id SERIAL NOT NULL,
      uuid uuid NOT NULL DEFAULT gen_random_uuid(),
      qdrant_point_id uuid NOT NULL DEFAULT gen_random_uuid(),
      embedding_type varchar(50) NOT NULL,
      text text NOT NULL DEFAULT '',
      context_line text,
      start_offset integer,
      end_offset integer,
      content_hash character(64) NOT NULL,
      metadata_json jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      archived_at timestamptz,
      tag_concept_id integer NOT NULL,
      chunk_index integer NOT NULL DEFAULT 0,
      CONSTRAINT uq_tag_concept_embeddings_uuid UNIQUE (uuid),
      CONSTRAINT uq_tag_concept_embeddings_chunk UNIQUE (tag_concept_id, embedding_type, chunk_index) DEFERRABLE INITIALLY IMMEDIATE,
      CONSTRAINT chk_tag_concept_embeddings_embedding_type CHECK (embedding_type IN ('concept')),
      CONSTRAINT chk_tag_concept_embeddings_chunk_index CHECK (chunk_index >= 0),
      CONSTRAINT chk_tag_concept_embeddings_offsets CHECK ((start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)),
      CONSTRAINT pk_tag_concept_embeddings PRIMARY KEY (id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_tag_concept_embeddings_tag_id ON tag_concept_embeddings (tag_concept_id)`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX idx_tag_concept_embeddings_qdrant_id ON tag_concept_embeddings (qdrant_point_id)`,
    );
    await queryRunner.query(`CREATE INDEX idx_tag_concept_embeddings_type ON tag_concept_embeddings (embedding_type)`);
    await queryRunner.query(`CREATE TABLE story_chunk_tags (
      story_chunk_id integer NOT NULL,
      tag_concept_id integer NOT NULL,
      score double precision,
      source varchar(10) NOT NULL,
      status varchar(10) NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      created_by varchar(200),
      updated_by varchar(200),
      CONSTRAINT chk_story_chunk_tags_status CHECK (status IN ('suggested', 'accepted', 'rejected')),
      CONSTRAINT chk_story_chunk_tags_source CHECK (source IN ('auto', 'manual')),
      CONSTRAINT chk_story_chunk_tags_score CHECK (score >= -1 AND score <= 1),
      CONSTRAINT pk_story_chunk_tags PRIMARY KEY (story_chunk_id, tag_concept_id)
    )`);
    await queryRunner.query(
      `CREATE INDEX idx_story_chunk_tags_tag_concept_id ON story_chunk_tags (tag_concept_id, status)`,
    );
    await queryRunner.query(
      `ALTER TABLE embedding_generations ADD CONSTRAINT fk_embedding_generations_model_id FOREIGN KEY (model_id) REFERENCES embedding_models(id) ON DELETE RESTRICT`,
    );
    await queryRunner.query(
      `ALTER TABLE content_items ADD CONSTRAINT fk_content_items_content_type FOREIGN KEY (content_type) REFERENCES content_types(name) ON DELETE RESTRICT`,
    );
    await queryRunner.query(
      `ALTER TABLE content_embeddings ADD CONSTRAINT fk_content_embeddings_content_item_id FOREIGN KEY (content_item_id) REFERENCES content_items(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE job_description_embeddings ADD CONSTRAINT fk_job_description_embeddings_job_description_id FOREIGN KEY (job_description_id) REFERENCES job_descriptions(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE educations ADD CONSTRAINT fk_educations_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE projects ADD CONSTRAINT fk_projects_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE skills ADD CONSTRAINT fk_skills_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experiences ADD CONSTRAINT fk_work_experiences_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE profile_embeddings ADD CONSTRAINT fk_profile_embeddings_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE work_experience_embeddings ADD CONSTRAINT fk_work_experience_embeddings_work_experience_id FOREIGN KEY (work_experience_id) REFERENCES work_experiences(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE project_embeddings ADD CONSTRAINT fk_project_embeddings_project_id FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE education_embeddings ADD CONSTRAINT fk_education_embeddings_education_id FOREIGN KEY (education_id) REFERENCES educations(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE skill_embeddings ADD CONSTRAINT fk_skill_embeddings_skill_id FOREIGN KEY (skill_id) REFERENCES skills(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ADD CONSTRAINT fk_generated_resumes_profile_id FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE generated_resumes ADD CONSTRAINT fk_generated_resumes_job_description_id FOREIGN KEY (job_description_id) REFERENCES job_descriptions(id) ON DELETE SET NULL`,
    );
    await queryRunner.query(
      `ALTER TABLE resume_embeddings ADD CONSTRAINT fk_resume_embeddings_generated_resume_id FOREIGN KEY (generated_resume_id) REFERENCES generated_resumes(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_embeddings ADD CONSTRAINT fk_story_chunk_embeddings_story_id FOREIGN KEY (story_id) REFERENCES stories(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concepts ADD CONSTRAINT fk_tag_concepts_parent_id FOREIGN KEY (parent_id) REFERENCES tag_concepts(id) ON DELETE SET NULL`,
    );
    await queryRunner.query(
      `ALTER TABLE tag_concept_embeddings ADD CONSTRAINT fk_tag_concept_embeddings_tag_concept_id FOREIGN KEY (tag_concept_id) REFERENCES tag_concepts(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_tags ADD CONSTRAINT fk_story_chunk_tags_story_chunk_id FOREIGN KEY (story_chunk_id) REFERENCES story_chunk_embeddings(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(
      `ALTER TABLE story_chunk_tags ADD CONSTRAINT fk_story_chunk_tags_tag_concept_id FOREIGN KEY (tag_concept_id) REFERENCES tag_concepts(id) ON DELETE CASCADE`,
    );
    await queryRunner.query(`CREATE UNIQUE INDEX uq_tag_concepts_name ON tag_concepts (lower(normalize(btrim(name))))`);
    await queryRunner.query(
      `CREATE INDEX idx_outbox_events_due ON outbox_events (topic, priority, kind, available_at, id) WHERE dead_at IS NULL`,
    );
    await queryRunner.query(`CREATE INDEX idx_outbox_events_dead ON outbox_events (dead_at) WHERE dead_at IS NOT NULL`);
    await queryRunner.query(
      `CREATE INDEX idx_vector_points_unsettled ON vector_points (kind, state) WHERE state <> 'indexed'`,
    );
    await queryRunner.query(
      `CREATE UNIQUE INDEX uq_embedding_generations_live ON embedding_generations (kind) WHERE state = 'live'`,
    );
    await queryRunner.query(`INSERT INTO content_types (name, id_pattern, description) VALUES
      ('chat_message', '[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'One message of a conversation'),
      ('document', '[A-Za-z0-9][A-Za-z0-9._:-]*', 'A document or a part of one'),
      ('image', '[A-Za-z0-9][A-Za-z0-9._:-]*', 'An image, by its caption or description'),
      ('audio', '[A-Za-z0-9][A-Za-z0-9._:-]*', 'A recording, by its transcript'),
      ('post', '[A-Za-z0-9][A-Za-z0-9._:-]*', 'Something published'),
      ('thought', '[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'A thought of an assistant'),
      ('reflection', '[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'A reflection of an assistant')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE story_chunk_tags`);
    await queryRunner.query(`DROP TABLE content_embeddings`);
    await queryRunner.query(`DROP TABLE job_description_embeddings`);
    await queryRunner.query(`DROP TABLE profile_embeddings`);
    await queryRunner.query(`DROP TABLE work_experience_embeddings`);
    await queryRunner.query(`DROP TABLE project_embeddings`);
    await queryRunner.query(`DROP TABLE education_embeddings`);
    await queryRunner.query(`DROP TABLE skill_embeddings`);
    await queryRunner.query(`DROP TABLE resume_embeddings`);
    await queryRunner.query(`DROP TABLE story_chunk_embeddings`);
    await queryRunner.query(`DROP TABLE tag_concept_embeddings`);
    await queryRunner.query(`DROP TABLE generated_resumes`);
    await queryRunner.query(`DROP TABLE work_experiences`);
    await queryRunner.query(`DROP TABLE projects`);
    await queryRunner.query(`DROP TABLE educations`);
    await queryRunner.query(`DROP TABLE skills`);
    await queryRunner.query(`DROP TABLE profiles`);
    await queryRunner.query(`DROP TABLE job_descriptions`);
    await queryRunner.query(`DROP TABLE stories`);
    await queryRunner.query(`DROP TABLE tag_concepts`);
    await queryRunner.query(`DROP TABLE content_items`);
    await queryRunner.query(`DROP TABLE content_types`);
    await queryRunner.query(`DROP TABLE embedding_generations`);
    await queryRunner.query(`DROP TABLE embedding_models`);
    await queryRunner.query(`DROP TABLE outbox_events`);
    await queryRunner.query(`DROP TABLE vector_points`);
    await queryRunner.query(`DROP FUNCTION kindred_priority`);
    await queryRunner.query(`DROP FUNCTION kindred_transaction_id`);
    await queryRunner.query(`DROP SEQUENCE kindred_revision`);
  }
}
