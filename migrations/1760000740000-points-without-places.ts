import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payloads are written again; nothing is embedded. */
const WRITE_PAYLOADS = `WITH touched AS (
      UPDATE vector_points SET state = 'pending', state_since = now(), revision = nextval('kindred_revision')
      WHERE state = 'indexed' RETURNING kind, point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', kind, point_id::text, 1 FROM touched ON CONFLICT DO NOTHING`;

/** A point does not carry the place of its chunk: where a text only moves, its point stays as it is. */
export class PointsWithoutPlaces1760000740000 implements MigrationInterface {
  name = 'PointsWithoutPlaces1760000740000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WRITE_PAYLOADS);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_profile_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of profile_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'profile', row.profile_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'profile', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'profile', row.profile_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of profile_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'profile_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.profile_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.profile_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.profile_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.profile_id, stale.profile_id]) AS moved (key)
    WHERE fresh.profile_id <> stale.profile_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM profile_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_work_experience_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of work_experience_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'work_experience', row.work_experience_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'work_experience', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'work_experience', row.work_experience_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of work_experience_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'work_experience_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.work_experience_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.work_experience_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.work_experience_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.work_experience_id, stale.work_experience_id]) AS moved (key)
    WHERE fresh.work_experience_id <> stale.work_experience_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM work_experience_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_project_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of project_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'project', row.project_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.project_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'project', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'project', row.project_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.project_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of project_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'project_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.project_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.project_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.project_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.project_id, stale.project_id]) AS moved (key)
    WHERE fresh.project_id <> stale.project_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM project_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_education_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of education_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'education', row.education_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.education_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'education', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'education', row.education_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.education_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of education_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'education_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.education_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.education_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.education_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.education_id, stale.education_id]) AS moved (key)
    WHERE fresh.education_id <> stale.education_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM education_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_skill_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of skill_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'skill', row.skill_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'skill', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'skill', row.skill_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of skill_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'skill_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.skill_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.skill_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.skill_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.skill_id, stale.skill_id]) AS moved (key)
    WHERE fresh.skill_id <> stale.skill_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM skill_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_job_description_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of job_description_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'job_description', row.job_description_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'job_description', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'job_description', row.job_description_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of job_description_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'job_description_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.job_description_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.job_description_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.job_description_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.job_description_id, stale.job_description_id]) AS moved (key)
    WHERE fresh.job_description_id <> stale.job_description_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM job_description_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_resume_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of resume_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'generated_resume', row.generated_resume_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'generated_resume', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of resume_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'resume_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.generated_resume_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.generated_resume_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.generated_resume_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.generated_resume_id, stale.generated_resume_id]) AS moved (key)
    WHERE fresh.generated_resume_id <> stale.generated_resume_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM resume_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_story_chunk_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of story_chunk_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'story', row.story_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.story_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'story', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'story', row.story_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.story_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of story_chunk_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'story_chunk_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.story_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.story_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.story_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.story_id, stale.story_id]) AS moved (key)
    WHERE fresh.story_id <> stale.story_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM story_chunk_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_tag_concept_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of tag_concept_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'tag_concept', row.tag_concept_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'tag_concept', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of tag_concept_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'tag_concept_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.tag_concept_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.tag_concept_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.tag_concept_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.tag_concept_id, stale.tag_concept_id]) AS moved (key)
    WHERE fresh.tag_concept_id <> stale.tag_concept_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM tag_concept_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_capture_content_embeddings() RETURNS trigger LANGUAGE plpgsql AS $capture$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of content_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'content_item', row.content_item_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'content_item', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'content_item', row.content_item_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of content_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'content_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.content_item_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.content_item_id, fresh.embedding_type, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.content_item_id, stale.embedding_type, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.content_item_id, stale.content_item_id]) AS moved (key)
    WHERE fresh.content_item_id <> stale.content_item_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM content_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$capture$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WRITE_PAYLOADS);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_profile_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of profile_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'profile', row.profile_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'profile', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'profile', row.profile_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.profile_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of profile_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'profile_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.profile_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.profile_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.profile_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'profile', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.profile_id, stale.profile_id]) AS moved (key)
    WHERE fresh.profile_id <> stale.profile_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM profile_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'profile'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'profile', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_work_experience_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of work_experience_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'work_experience', row.work_experience_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'work_experience', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'work_experience', row.work_experience_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.work_experience_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of work_experience_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'work_experience_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.work_experience_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.work_experience_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.work_experience_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'work_experience', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.work_experience_id, stale.work_experience_id]) AS moved (key)
    WHERE fresh.work_experience_id <> stale.work_experience_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM work_experience_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'work_experience'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'work_experience', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_project_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of project_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'project', row.project_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.project_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'project', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'project', row.project_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.project_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of project_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'project_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.project_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.project_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.project_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'project', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.project_id, stale.project_id]) AS moved (key)
    WHERE fresh.project_id <> stale.project_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM project_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'project'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'project', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_education_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of education_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'education', row.education_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.education_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'education', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'education', row.education_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.education_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of education_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'education_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.education_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.education_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.education_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'education', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.education_id, stale.education_id]) AS moved (key)
    WHERE fresh.education_id <> stale.education_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM education_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'education'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'education', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_skill_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of skill_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'skill', row.skill_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'skill', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'skill', row.skill_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.skill_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of skill_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'skill_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.skill_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.skill_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.skill_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'skill', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.skill_id, stale.skill_id]) AS moved (key)
    WHERE fresh.skill_id <> stale.skill_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM skill_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'skill'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'skill', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_job_description_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of job_description_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'job_description', row.job_description_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'job_description', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'job_description', row.job_description_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.job_description_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of job_description_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'job_description_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.job_description_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.job_description_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.job_description_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'job_description', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.job_description_id, stale.job_description_id]) AS moved (key)
    WHERE fresh.job_description_id <> stale.job_description_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM job_description_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'job_description'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'job_description', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_resume_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of resume_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'generated_resume', row.generated_resume_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'generated_resume', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'generated_resume', row.generated_resume_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.generated_resume_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of resume_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'resume_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.generated_resume_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.generated_resume_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.generated_resume_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'generated_resume', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.generated_resume_id, stale.generated_resume_id]) AS moved (key)
    WHERE fresh.generated_resume_id <> stale.generated_resume_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM resume_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'generated_resume'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'generated_resume', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_story_chunk_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of story_chunk_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'story', row.story_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.story_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'story', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'story', row.story_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.story_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of story_chunk_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'story_chunk_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.story_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.story_id, fresh.embedding_type, fresh.paragraph_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.story_id, stale.embedding_type, stale.paragraph_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'story', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.story_id, stale.story_id]) AS moved (key)
    WHERE fresh.story_id <> stale.story_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM story_chunk_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'story'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'story', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_tag_concept_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of tag_concept_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'tag_concept', row.tag_concept_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'tag_concept', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'tag_concept', row.tag_concept_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.tag_concept_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of tag_concept_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'tag_concept_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.tag_concept_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.tag_concept_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.tag_concept_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'tag_concept', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.tag_concept_id, stale.tag_concept_id]) AS moved (key)
    WHERE fresh.tag_concept_id <> stale.tag_concept_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM tag_concept_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'tag_concept'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'tag_concept', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION public.kindred_capture_content_embeddings()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  taken bigint;
  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of content_embeddings needs READ COMMITTED: at % it could empty rows that nobody would follow',
      upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
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
    IF EXISTS (SELECT 1 FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM (SELECT stale.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
    WITH payloads AS MATERIALIZED (
      SELECT key::int AS entity_id, value AS payload
      FROM jsonb_each(coalesce(nullif(current_setting('kindred.payloads', true), ''), '{}')::jsonb)
    ), adopted AS (
      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)
      SELECT row.qdrant_point_id, 'content_item', row.content_item_id, coalesce(payloads.payload, '{}'), vector_home
      FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',
        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,
        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL
      WHERE vector_points.state = 'deleting'
      RETURNING point_id
    ), queued AS (
      INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'point', 'content_item', row.qdrant_point_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      WHERE vector_home IS NULL AND row.text <> ''
      UNION
      SELECT 'source', 'content_item', row.content_item_id::text, kindred_priority() FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row
      LEFT JOIN payloads ON payloads.entity_id = row.content_item_id
      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM (SELECT fresh.* FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id WHERE stale.qdrant_point_id <> fresh.qdrant_point_id) row) - (SELECT count(*) FROM adopted) INTO taken;
    IF taken > 0 THEN
      RAISE EXCEPTION 'A qdrant_point_id of content_embeddings already belongs to another embedding row'
        USING ERRCODE = 'unique_violation', TABLE = 'content_embeddings', CONSTRAINT = 'pk_vector_points';
    END IF;
    END IF;
    WITH touched AS (
      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
        entity_id = fresh.content_item_id, error = NULL, error_code = NULL
      FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id
      WHERE point.point_id = fresh.qdrant_point_id AND stale.qdrant_point_id = fresh.qdrant_point_id
        AND (fresh.content_hash, fresh.content_item_id, fresh.embedding_type, fresh.chunk_index, fresh.archived_at) IS DISTINCT FROM (stale.content_hash, stale.content_item_id, stale.embedding_type, stale.chunk_index, stale.archived_at)
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT DISTINCT 'source', 'content_item', moved.key::text, kindred_priority()
    FROM new_rows fresh JOIN old_rows stale ON stale.id = fresh.id CROSS JOIN LATERAL unnest(ARRAY[fresh.content_item_id, stale.content_item_id]) AS moved (key)
    WHERE fresh.content_item_id <> stale.content_item_id ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM old_rows row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  ELSE
    WITH released AS (
      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()
      FROM content_embeddings row
      WHERE point.point_id = row.qdrant_point_id AND point.kind = 'content_item'
      RETURNING point.point_id
    )
    INSERT INTO outbox_events (topic, kind, key, priority)
    SELECT 'point', 'content_item', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;
  END IF;
  PERFORM pg_notify('kindred_outbox', 'point');
  RETURN NULL;
END
$function$`);
  }
}
