import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  {
    table: 'story_chunk_tags',
    column: 'story_chunk_id',
    kind: 'story',
    rows: 'story_chunk_embeddings',
    key: 'id',
    types: `'chunk'`,
  },
  {
    table: 'content_item_tags',
    column: 'content_item_id',
    kind: 'content_item',
    rows: 'content_embeddings',
    key: 'content_item_id',
    types: `'content'`,
  },
  {
    table: 'job_description_tags',
    column: 'job_description_id',
    kind: 'job_description',
    rows: 'job_description_embeddings',
    key: 'job_description_id',
    types: `'full_description'`,
  },
];

/** Texts that a deleted tag leaves may have room for another; merging two tags decides nothing about texts. */
export class FillFreedPlaces1760000400002 implements MigrationInterface {
  name = 'FillFreedPlaces1760000400002';

  async up(queryRunner: QueryRunner): Promise<void> {
    const fills = TABLES.map(
      ({ table, column, kind, rows, key, types }) => `INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'tag', '${kind}', point_id::text, kindred_priority() FROM (
        SELECT DISTINCT ON (row.${key}) row.qdrant_point_id AS point_id
        FROM ${table} gone JOIN ${rows} row ON row.${key} = gone.${column} AND row.embedding_type = ${types}
        WHERE gone.tag_concept_id = OLD.id AND gone.status <> 'rejected' AND NOT gone.is_implied
          AND (
            SELECT count(*) FROM ${table} a JOIN tag_concepts other ON other.id = a.tag_concept_id AND other.scheme = OLD.scheme
            WHERE a.${column} = gone.${column} AND a.status <> 'rejected' AND NOT a.is_implied
          ) >= places
        ORDER BY row.${key}, row.id
      ) full_before ON CONFLICT DO NOTHING;`,
    );
    await queryRunner.query(`CREATE FUNCTION kindred_fill_freed_places() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      places integer;
    BEGIN
      SELECT max_tags INTO places FROM tag_schemes WHERE name = OLD.scheme;
      ${fills.join('\n      ')}
      RETURN OLD;
    END
    $$`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_fill_freed_places BEFORE DELETE ON tag_concepts FOR EACH ROW EXECUTE FUNCTION kindred_fill_freed_places()`,
    );
    // Tags that there are already have no scheme in their points yet, and no text has been compared with them.
    await queryRunner.query(`INSERT INTO outbox_events (topic, kind, key, priority)
      SELECT 'source', 'tag_concept', id::text, 1 FROM tag_concepts
      UNION ALL SELECT 'tag', 'tag_concept', qdrant_point_id::text, 1 FROM tag_concept_embeddings ON CONFLICT DO NOTHING`);
    for (const { table, kind, column } of TABLES) {
      await this.logUpdates(
        queryRunner,
        table,
        kind,
        column,
        ` AND current_setting('kindred.is_merging', true) IS DISTINCT FROM 'on'`,
      );
    }
  }

  private async logUpdates(
    queryRunner: QueryRunner,
    table: string,
    kind: string,
    column: string,
    condition: string,
  ): Promise<void> {
    await queryRunner.query(`DROP TRIGGER kindred_log_tag_decision_update ON ${table}`);
    await queryRunner.query(
      `CREATE TRIGGER kindred_log_tag_decision_update AFTER UPDATE OF status ON ${table} FOR EACH ROW WHEN (NEW.status <> OLD.status${condition}) EXECUTE FUNCTION kindred_log_tag_decision('${kind}', '${column}')`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const { table, kind, column } of TABLES) await this.logUpdates(queryRunner, table, kind, column, '');
    await queryRunner.query(`DROP FUNCTION kindred_fill_freed_places CASCADE`);
  }
}
