import type { MigrationInterface, QueryRunner } from 'typeorm';

interface Tagged {
  /** Assignments, and the column that says what is tagged. */
  table: string;
  column: string;
  kind: string;
  /** Its texts: the column that says whose they are, and the type that is compared. */
  rows: string;
  key: string;
  type: string;
}

const TAGGED: readonly Tagged[] = [
  {
    table: 'story_chunk_tags',
    column: 'story_chunk_id',
    kind: 'story',
    rows: 'story_chunk_embeddings',
    key: 'id',
    type: 'chunk',
  },
  {
    table: 'content_item_tags',
    column: 'content_item_id',
    kind: 'content_item',
    rows: 'content_embeddings',
    key: 'content_item_id',
    type: 'content',
  },
  {
    table: 'job_description_tags',
    column: 'job_description_id',
    kind: 'job_description',
    rows: 'job_description_embeddings',
    key: 'job_description_id',
    type: 'full_description',
  },
];

const IS_DECIDED = (row: string): string =>
  `(${row}.status <> 'suggested' AND NOT (${row}.is_implied AND ${row}.status <> 'rejected'))`;

const IS_NOT_MERGING = `current_setting('kindred.is_merging', true) IS DISTINCT FROM 'on'`;

/** A person accepts a tag that was implied by an accepted one. */
const BECOMES_OWN = `OLD.is_implied AND NOT NEW.is_implied AND NEW.status = 'accepted'`;

/**
 * Comparing a tag again brings its own suggestions up to date. What follows from fewer places, from another scheme's places
 * and from a tag that is gone concerns other tags of the same texts: those texts are tagged again. And whoever accepts a tag
 * that was implied and accepted has decided as much as others.
 */
export class TaggingFollowsRules1760000480000 implements MigrationInterface {
  name = 'TaggingFollowsRules1760000480000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await this.tagAgain(queryRunner, CHANGED_SCHEME, CHANGED_PLACES);
    await this.fillFreedPlaces(queryRunner, ', implies_parents', 'places, is_implying', {
      declared: '\n      is_implying boolean;',
      orImplied: 'is_implying AND OLD.parent_id IS NOT NULL OR ',
    });
    for (const tagged of TAGGED) {
      await this.logUpdates(queryRunner, tagged, 'status, is_implied', `(NEW.status <> OLD.status OR ${BECOMES_OWN})`);
    }
    // Whoever merges two tags merges their verdicts, the target's first, whichever of several equal texts has them.
    await this.keepUpdates(queryRunner, 'status, source, tag_concept_id, is_implied', ` AND ${IS_NOT_MERGING}`);
    await this.retagNow(queryRunner);
  }

  /** What compares a tag again, or all of a scheme. @param onScheme where a tag changes its scheme; @param onRules where a scheme's rules change */
  private async tagAgain(queryRunner: QueryRunner, onScheme: string, onRules: string): Promise<void> {
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_tag_again() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      changed_scheme text;
      changed_category text;
    BEGIN
      IF TG_TABLE_NAME = 'tag_concepts' THEN
        INSERT INTO outbox_events (topic, kind, key, priority)
        SELECT 'tag', 'tag_concept', qdrant_point_id::text, kindred_priority() FROM tag_concept_embeddings
        WHERE tag_concept_id = NEW.id ON CONFLICT DO NOTHING;${onScheme}
      ELSE
        IF TG_TABLE_NAME = 'tag_schemes' THEN
          changed_scheme := NEW.name;${onRules}
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
    await this.nameSchema(queryRunner, 'tag_again');
  }

  /** @param orImplied for which texts it does not matter whether they were full */
  private async fillFreedPlaces(
    queryRunner: QueryRunner,
    columns: string,
    variables: string,
    { declared, orImplied }: { declared: string; orImplied: string },
  ): Promise<void> {
    const [open, close] = orImplied === '' ? ['', ''] : [`(${orImplied}`, ')'];
    const fills = TAGGED.map(
      ({ table, column, kind, rows, key, type }) => `INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'tag', '${kind}', point_id::text, kindred_priority() FROM (
        SELECT DISTINCT ON (row.${key}) row.qdrant_point_id AS point_id
        FROM ${table} gone JOIN ${rows} row ON row.${key} = gone.${column} AND row.embedding_type = '${type}'
        WHERE gone.tag_concept_id = OLD.id AND gone.status <> 'rejected' AND NOT gone.is_implied
          AND ${open}(
            SELECT count(*) FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = OLD.scheme
            WHERE a.${column} = gone.${column} AND a.status <> 'rejected' AND NOT a.is_implied
          ) >= places${close}
        ORDER BY row.${key}, row.id
      ) full_before ON CONFLICT DO NOTHING;`,
    );
    await queryRunner.query(`CREATE OR REPLACE FUNCTION kindred_fill_freed_places() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      places integer;${declared}
    BEGIN
      SELECT max_tags${columns} INTO ${variables} FROM tag_schemes WHERE name = OLD.scheme;
      ${fills.join('\n      ')}
      RETURN OLD;
    END
    $$`);
    await this.nameSchema(queryRunner, 'fill_freed_places');
  }

  private async logUpdates(
    queryRunner: QueryRunner,
    { table, kind, column }: Tagged,
    columns: string,
    condition: string,
  ): Promise<void> {
    await queryRunner.query(`DROP TRIGGER kindred_log_tag_decision_update ON ${table}`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_log_tag_decision_update AFTER UPDATE OF ${columns} ON ${table} FOR EACH ROW WHEN (${condition} AND ${IS_NOT_MERGING}) EXECUTE FUNCTION kindred_log_tag_decision('${kind}', '${column}')`,
    );
  }

  private async keepUpdates(queryRunner: QueryRunner, columns: string, condition: string): Promise<void> {
    const of = (row: string): string => `(${columns.replace(/\w+/g, `${row}.$&`)})`;
    await queryRunner.query(`DROP TRIGGER kindred_keep_tag_verdict_update ON story_chunk_tags`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_keep_tag_verdict_update AFTER UPDATE OF ${columns} ON story_chunk_tags FOR EACH ROW WHEN ((${IS_DECIDED('OLD')} OR ${IS_DECIDED('NEW')}) AND ${of('NEW')} IS DISTINCT FROM ${of('OLD')}${condition}) EXECUTE FUNCTION kindred_keep_tag_verdict()`,
    );
  }

  /** What was left behind so far: texts beyond their places, and what is implied. */
  private async retagNow(queryRunner: QueryRunner): Promise<void> {
    for (const { table, column } of TAGGED) {
      await queryRunner.query(`SELECT kindred_retag_${table}(ARRAY(
        SELECT ${column} FROM ${table} WHERE is_implied
        UNION
        SELECT a.${column} FROM ${table} a JOIN tag_concepts tag ON tag.id = a.tag_concept_id
        JOIN tag_schemes scheme ON scheme.name = tag.scheme
        WHERE a.status <> 'rejected' AND NOT a.is_implied
        GROUP BY a.${column}, scheme.name, scheme.max_tags HAVING count(*) > scheme.max_tags))`);
    }
  }

  /** Replacing a function forgets where it looks for tables. */
  private async nameSchema(queryRunner: QueryRunner, name: string): Promise<void> {
    const [{ schema }] = (await queryRunner.query('SELECT quote_ident(current_schema()) AS schema')) as [
      { schema: string },
    ];
    await queryRunner.query(`ALTER FUNCTION kindred_${name}() SET search_path = ${schema}, pg_temp`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await this.keepUpdates(queryRunner, 'status, source, tag_concept_id', '');
    for (const tagged of TAGGED) await this.logUpdates(queryRunner, tagged, 'status', 'NEW.status <> OLD.status');
    await this.fillFreedPlaces(queryRunner, '', 'places', { declared: '', orImplied: '' });
    await this.tagAgain(queryRunner, '', '');
  }
}

/** Whoever is writing suggestions by the former rules has ended once this lock is held; others start with the new ones. */
const WAIT_FOR_TAGGING = `PERFORM pg_advisory_xact_lock(hashtext('kindred_tagging'));`;

const retag = (subjectsOf: (tagged: Tagged) => string): string =>
  TAGGED.map((tagged) => `PERFORM kindred_retag_${tagged.table}(ARRAY(${subjectsOf(tagged)}));`).join('\n          ');

const CHANGED_SCHEME = `
        IF NEW.scheme <> OLD.scheme THEN
          -- A place of the one scheme is free, one of the other is taken.
          ${WAIT_FOR_TAGGING}
          ${retag(
            ({ table, column }) =>
              `SELECT ${column} FROM ${table} WHERE tag_concept_id = NEW.id AND status <> 'rejected' AND NOT is_implied`,
          )}
        END IF;`;

const CHANGED_PLACES = `
          IF NEW.max_tags < OLD.max_tags THEN
          ${WAIT_FOR_TAGGING}
          ${retag(
            ({ table, column }) =>
              `SELECT a.${column} FROM ${table} a JOIN tag_concepts tag ON tag.id = a.tag_concept_id WHERE tag.scheme = NEW.name AND a.status <> 'rejected' AND NOT a.is_implied GROUP BY 1 HAVING count(*) > NEW.max_tags`,
          )}
          END IF;`;
