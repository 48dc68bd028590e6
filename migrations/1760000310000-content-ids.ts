import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A content id has one spelling, whatever the spelling in which it is written or asked for. */
export class ContentIds1760000310000 implements MigrationInterface {
  name = 'ContentIds1760000310000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`-- The id as it is stored: as given where the type allows that, else as a UUID is written.
    CREATE FUNCTION kindred_content_id(given_type text, given_id text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS $$
    DECLARE
      trimmed text := btrim(given_id, E' \\t\\n\\r');
      pattern text;
      canonical text;
    BEGIN
      SELECT '^(' || id_pattern || ')$' INTO pattern FROM content_types WHERE name = given_type;
      IF pattern IS NULL OR trimmed ~ pattern THEN
        RETURN trimmed;
      END IF;
      canonical := lower(regexp_replace(trimmed,
        '^(?:urn:uuid:|\\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\\}?$',
        '\\1-\\2-\\3-\\4-\\5', 'i'));
      RETURN CASE WHEN canonical ~ pattern THEN canonical ELSE trimmed END;
    END
    $$`);
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_check_content_id() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      pattern text;
    BEGIN
      SELECT id_pattern INTO pattern FROM content_types WHERE name = NEW.content_type;
      NEW.content_id := kindred_content_id(NEW.content_type, NEW.content_id);
      -- An unknown type is the foreign key's to refuse.
      IF pattern IS NOT NULL AND NEW.content_id !~ ('^(' || pattern || ')$') THEN
        RAISE EXCEPTION 'contentId % is not valid for content type %', quote_literal(NEW.content_id), NEW.content_type
          USING ERRCODE = 'KD002', DETAIL = pattern;
      END IF;
      RETURN NEW;
    END
    $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_check_content_id() RETURNS trigger LANGUAGE plpgsql AS $$
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
    await queryRunner.query(`DROP FUNCTION kindred_content_id`);
  }
}
