import type { RecordKind } from '../record/record-spec';
import { changed, VERSIONS, versionsWhere } from './capture-versions';

/**
 * A transaction that brings embedding rows to what their records say names those records here: JSON, by the record's id
 * the payload that new points get, or each ledger entry would be written twice, once empty. Whoever writes rows of a record
 * that is not named made them by hand, or restored a backup: their records are looked at again.
 */
export const PAYLOADS_SETTING = 'kindred.payloads';

/** Writers that bring vectors along say in `kindred.adopted_from` which collection holds them. */
export const EMBEDDING_VARIABLES = [
  'DECLARE',
  '  taken bigint;',
  `  vector_home text := nullif(current_setting('kindred.adopted_from', true), '');`,
  `  rendered jsonb := coalesce(nullif(current_setting('${PAYLOADS_SETTING}', true), ''), '{}');`,
].join('\n');

/** What a change of an embedding table does: the ledger and the outbox follow its rows. */
export function embeddingBody(kind: RecordKind): string {
  const spec = kind.embedding;
  if (!spec) return '';
  const { table, sourceColumn } = spec;
  // Without its place: a point does not carry it, so a text that only moves concerns no point.
  const columns = ['content_hash', sourceColumn, 'embedding_type', 'archived_at'];
  // What the record's text decides about a row.
  const renderedColumns = [
    ...['content_hash', sourceColumn, 'embedding_type', spec.chunkColumn],
    ...['start_offset', 'end_offset', 'token_count', 'heading_path'],
  ];
  // A row whose vector comes from elsewhere, that has no text yet or that the relay did not make, is its record's to complete.
  const adopt = (rows: string): string =>
    [
      `    WITH payloads AS MATERIALIZED (`,
      `      SELECT key::int AS entity_id, value AS payload FROM jsonb_each(rendered)`,
      `    ), adopted AS (`,
      `      INSERT INTO vector_points (point_id, kind, entity_id, payload, adopted_from)`,
      `      SELECT row.qdrant_point_id, '${kind.kind}', row.${sourceColumn}, coalesce(payloads.payload, '{}'), vector_home`,
      `      FROM ${rows} row LEFT JOIN payloads ON payloads.entity_id = row.${sourceColumn}`,
      `      ON CONFLICT (point_id) DO UPDATE SET kind = EXCLUDED.kind, entity_id = EXCLUDED.entity_id, state = 'pending',`,
      `        revision = nextval('kindred_revision'), state_since = now(), indexed_hash = NULL, error = NULL, error_code = NULL,`,
      `        adopted_from = EXCLUDED.adopted_from, adopted_hash = NULL`,
      `      WHERE vector_points.state = 'deleting'`,
      `      RETURNING point_id`,
      `    ), queued AS (`,
      `      INSERT INTO outbox_events (topic, kind, key, priority)`,
      `      SELECT 'point', '${kind.kind}', row.qdrant_point_id::text, kindred_priority() FROM ${rows} row`,
      `      WHERE vector_home IS NULL AND row.text <> ''`,
      `      UNION`,
      `      SELECT 'source', '${kind.kind}', row.${sourceColumn}::text, kindred_priority() FROM ${rows} row`,
      `      LEFT JOIN payloads ON payloads.entity_id = row.${sourceColumn}`,
      `      WHERE vector_home IS NOT NULL OR row.text = '' OR payloads.payload IS NULL ON CONFLICT DO NOTHING`,
      `    )`,
      `    SELECT (SELECT count(*) FROM ${rows} row) - (SELECT count(*) FROM adopted) INTO taken;`,
      `    IF taken > 0 THEN`,
      `      RAISE EXCEPTION 'A qdrant_point_id of ${table} already belongs to another embedding row'`,
      `        USING ERRCODE = 'unique_violation', TABLE = '${table}', CONSTRAINT = 'pk_vector_points';`,
      `    END IF;`,
    ].join('\n');
  const release = (rows: string): string =>
    [
      `    WITH released AS (`,
      `      UPDATE vector_points point SET state = 'deleting', revision = nextval('kindred_revision'), state_since = now()`,
      `      FROM ${rows} row`,
      `      WHERE point.point_id = row.qdrant_point_id AND point.kind = '${kind.kind}'`,
      `      RETURNING point.point_id`,
      `    )`,
      `    INSERT INTO outbox_events (topic, kind, key, priority)`,
      `    SELECT 'point', '${kind.kind}', point_id::text, kindred_priority() FROM released ON CONFLICT DO NOTHING;`,
    ].join('\n');
  // Records that lost rows otherwise than by being deleted.
  const enqueueBereft = (rows: string): string =>
    [
      `    INSERT INTO outbox_events (topic, kind, key, priority)`,
      `    SELECT DISTINCT 'source', '${kind.kind}', row.${sourceColumn}::text, kindred_priority()`,
      `    FROM ${rows} row JOIN ${kind.table} record ON record.id = row.${sourceColumn}`,
      `    WHERE NOT rendered ? row.${sourceColumn}::text ON CONFLICT DO NOTHING;`,
    ].join('\n');
  const isMoved = `stale.qdrant_point_id IS DISTINCT FROM fresh.qdrant_point_id`;
  const moved = (version: 'fresh' | 'stale'): string =>
    `(SELECT * FROM ${versionsWhere(isMoved, `${version}.*`)} moved WHERE moved.id IS NOT NULL)`;
  return [
    `  IF TG_OP = 'INSERT' THEN`,
    adopt('new_rows'),
    `  ELSIF TG_OP = 'UPDATE' THEN`,
    `    IF EXISTS (SELECT 1 FROM ${VERSIONS} WHERE ${isMoved}) THEN`,
    release(moved('stale')),
    adopt(moved('fresh')),
    `    END IF;`,
    `    WITH touched AS (`,
    `      UPDATE vector_points point SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),`,
    `        entity_id = row.${sourceColumn}, error = NULL, error_code = NULL`,
    `      FROM ${versionsWhere(`NOT (${isMoved}) AND ${changed(columns)}`, `fresh.qdrant_point_id, fresh.${sourceColumn}`)} row`,
    `      WHERE point.point_id = row.qdrant_point_id`,
    `      RETURNING point.point_id`,
    `    )`,
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT 'point', '${kind.kind}', point_id::text, kindred_priority() FROM touched ON CONFLICT DO NOTHING;`,
    // A row that was given to another record carries the payload of the one it left.
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT DISTINCT 'source', '${kind.kind}', edited.key::text, kindred_priority()`,
    `    FROM ${VERSIONS} CROSS JOIN LATERAL unnest(ARRAY[fresh.${sourceColumn}, stale.${sourceColumn}]) AS edited (key)`,
    `    WHERE NOT rendered ? edited.key::text AND ${changed(renderedColumns)} ON CONFLICT DO NOTHING;`,
    `  ELSIF TG_OP = 'DELETE' THEN`,
    release('old_rows'),
    enqueueBereft('old_rows'),
    `  ELSE`,
    release(table),
    enqueueBereft(table),
    `  END IF;`,
    `  PERFORM pg_notify('kindred_outbox', 'point');`,
  ].join('\n');
}
