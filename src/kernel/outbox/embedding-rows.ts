import type { SqlRunner } from '../db/database';
import type { ExistingRow, RowChange, RowChanges } from '../embedding/diff';
import { specOf } from '../embedding/embedding-reader';
import type { EmbeddingSpec } from '../embedding/embedding-spec';
import type { RenderedChunk } from '../embedding/rendering';
import type { RecordKind } from '../record/record-spec';
import type { Payload } from '../vector/vector-store';
import { PAYLOADS_SETTING } from './capture-embedding-body';

/** The changes to one record's embedding rows. */
export interface SourceChanges {
  sourceId: number;
  changes: RowChanges;
}

/**
 * Rows that one statement updates. Its trigger compares old rows and new ones by a plan that PostgreSQL keeps from smaller
 * updates, every row with every other: of 12,600 chunks that had moved, minutes at once and a second in slices.
 */
const UPDATED_AT_ONCE = 500;

/**
 * Reads and writes the rows of the typed embedding tables, for many records in one statement each. What concerns them is
 * looked up one by one, LATERAL: see PointLedger.
 */
export class EmbeddingRows {
  constructor(private readonly sql: SqlRunner) {}

  async existing(kind: RecordKind, sourceIds: readonly number[]): Promise<Map<number, ExistingRow[]>> {
    const spec = specOf(kind);
    const rows = await this.sql.query<ExistingRow & { sourceId: number }>(
      `SELECT t.id, t.qdrant_point_id AS "pointId", t.${spec.sourceColumn} AS "sourceId", t.embedding_type AS "embeddingType",
         t.${spec.chunkColumn} AS "chunkIndex", t.content_hash AS "contentHash", t.start_offset AS "startOffset",
         t.end_offset AS "endOffset", t.token_count AS "tokenCount", t.heading_path AS "headingPath",
         p.adopted_from IS NOT NULL AS "isAdopted", p.adopted_hash AS "adoptedHash"
       FROM unnest($1::int[]) AS wanted (id)
       CROSS JOIN LATERAL (SELECT * FROM ${spec.table} WHERE ${spec.sourceColumn} = wanted.id OFFSET 0) t
       LEFT JOIN LATERAL (SELECT * FROM vector_points WHERE point_id = t.qdrant_point_id LIMIT 1) p ON true`,
      [sourceIds],
    );
    const bySource = new Map<number, ExistingRow[]>(sourceIds.map((id) => [id, []]));
    for (const { sourceId, ...row } of rows) bySource.get(sourceId)?.push(row);
    return bySource;
  }

  /** The texts of these rows, by id. */
  async texts(kind: RecordKind, ids: readonly number[]): Promise<Map<number, string>> {
    if (ids.length === 0) return new Map();
    const rows = await this.sql.query<{ id: number; text: string }>(
      `SELECT id, text FROM ${specOf(kind).table} WHERE id = ANY ($1::int[])`,
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row.text]));
  }

  /** Positions are unique at the end of each statement, so rows go first, then change places, then come. */
  async apply(kind: RecordKind, changed: readonly SourceChanges[]): Promise<void> {
    await this.delete(
      kind,
      changed.flatMap(({ changes }) => changes.deleted),
    );
    const moved = slices(changed.flatMap(({ changes }) => changes.moved));
    const rewritten = slices(changed.flatMap(({ changes }) => changes.rewritten));
    // Several statements then exchange places; their uniqueness is checked at the commit.
    if (moved.length + rewritten.length > 1) await this.sql.query('SET CONSTRAINTS ALL DEFERRED');
    for (const slice of moved) await this.move(kind, slice);
    for (const slice of rewritten) await this.rewrite(kind, slice);
    await this.insert(
      kind,
      changed.flatMap(({ sourceId, changes }) => changes.inserted.map((chunk) => ({ sourceId, chunk }))),
    );
  }

  /** Says whose rows this transaction brings up to date, and what payload the points of new ones get. */
  async announcePayloads(payloads: ReadonlyMap<number, Payload>): Promise<void> {
    const byId = JSON.stringify(Object.fromEntries(payloads));
    await this.sql.query(`SELECT set_config('${PAYLOADS_SETTING}', $1, true)`, [byId], 'announce_payloads');
  }

  /** Notes what the records' texts were when their adopted vectors were first seen. */
  async noteFirstSeen(seen: readonly { pointId: string; textHash: string }[]): Promise<void> {
    if (seen.length === 0) return;
    await this.sql.query(
      `UPDATE vector_points p SET adopted_hash = s.text_hash
       FROM unnest($1::uuid[], $2::text[]) AS s (point_id, text_hash) WHERE p.point_id = s.point_id`,
      [seen.map(({ pointId }) => pointId), seen.map(({ textHash }) => textHash)],
    );
  }

  /** From here on these points are embedded from their rows' texts. */
  async endAdoption(kind: RecordKind, pointIds: readonly string[]): Promise<void> {
    if (pointIds.length === 0) return;
    await this.sql.query(
      `WITH ended AS (
         UPDATE vector_points SET adopted_from = NULL, adopted_hash = NULL, indexed_hash = NULL, state = 'pending',
           revision = nextval('kindred_revision'), state_since = now()
         WHERE point_id = ANY ($2::uuid[]) AND state <> 'deleting'
         RETURNING point_id
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'point', $1, point_id::text, kindred_priority() FROM ended ON CONFLICT DO NOTHING`,
      [kind.kind, pointIds],
    );
  }

  /**
   * Puts each record's payload on all of its points. Points whose payload differs get a new revision and an event.
   * @returns how many points changed
   */
  async setPayloads(kind: RecordKind, payloads: ReadonlyMap<number, Payload>): Promise<number> {
    const [row] = await this.sql.query<{ changed: number }>(
      `WITH stale AS (
         SELECT p.point_id, d.payload FROM unnest($2::int[], $3::jsonb[]) AS d (entity_id, payload) CROSS JOIN LATERAL (
           SELECT v.point_id FROM vector_points v
           WHERE v.kind = $1 AND v.entity_id = d.entity_id AND v.payload IS DISTINCT FROM d.payload OFFSET 0
         ) p
       ), changed AS (
         UPDATE vector_points p SET payload = stale.payload, revision = nextval('kindred_revision'), state = 'pending',
           state_since = now(), error = NULL, error_code = NULL
         FROM stale
         WHERE p.point_id = ANY (ARRAY(SELECT point_id FROM stale)) AND p.point_id = stale.point_id
           AND p.state <> 'deleting' AND p.payload IS DISTINCT FROM stale.payload
         RETURNING p.point_id
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', $1, point_id::text, kindred_priority() FROM changed ON CONFLICT DO NOTHING
       )
       SELECT count(*)::int AS changed FROM changed`,
      [kind.kind, [...payloads.keys()], [...payloads.values()].map((payload) => JSON.stringify(payload))],
    );
    return row?.changed ?? 0;
  }

  /** How many points of each record do not have the payload that is given for it; records without any are left out. */
  async countStalePayloads(kind: RecordKind, payloads: ReadonlyMap<number, Payload>): Promise<Map<number, number>> {
    const rows = await this.sql.query<{ id: number; count: number }>(
      `SELECT p.entity_id AS id, count(*)::int AS count
       FROM unnest($2::int[], $3::jsonb[]) AS d (entity_id, payload) CROSS JOIN LATERAL (
         SELECT v.entity_id FROM vector_points v
         WHERE v.kind = $1 AND v.entity_id = d.entity_id AND v.state <> 'deleting' AND v.payload IS DISTINCT FROM d.payload
         OFFSET 0
       ) p GROUP BY 1`,
      [kind.kind, [...payloads.keys()], [...payloads.values()].map((payload) => JSON.stringify(payload))],
    );
    return new Map(rows.map((row) => [row.id, row.count]));
  }

  private async delete(kind: RecordKind, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.sql.query(`DELETE FROM ${specOf(kind).table} WHERE id = ANY ($1::int[])`, [ids]);
  }

  /** Without the texts, which need neither travel nor be hashed again when a whole story moves by one place. */
  private async move(kind: RecordKind, changed: readonly RowChange[]): Promise<void> {
    if (changed.length === 0) return;
    const spec = specOf(kind);
    await this.sql.query(
      `UPDATE ${spec.table} t SET ${placeAssignments(spec)}
       FROM unnest($1::int[], ${PLACE_TYPES}) AS v (id, ${PLACE_NAMES}) WHERE t.id = v.id AND ${NAMED}`,
      [changed.map(({ id }) => id), ...placeColumns(changed.map(({ chunk }) => chunk))],
    );
  }

  private async rewrite(kind: RecordKind, changed: readonly RowChange[]): Promise<void> {
    if (changed.length === 0) return;
    const spec = specOf(kind);
    const chunks = changed.map(({ chunk }) => chunk);
    await this.sql.query(
      `UPDATE ${spec.table} t SET ${placeAssignments(spec)}, text = v.text, context_line = v.context_line
       FROM unnest($1::int[], ${PLACE_TYPES}, $7::text[], $8::text[]) AS v (id, ${PLACE_NAMES}, text, context_line)
       WHERE t.id = v.id AND ${NAMED}`,
      [
        changed.map(({ id }) => id),
        ...placeColumns(chunks),
        chunks.map((chunk) => chunk.text),
        chunks.map((chunk) => chunk.contextLine),
      ],
    );
  }

  private async insert(
    kind: RecordKind,
    inserted: readonly { sourceId: number; chunk: RenderedChunk }[],
  ): Promise<void> {
    if (inserted.length === 0) return;
    const spec = specOf(kind);
    const chunks = inserted.map(({ chunk }) => chunk);
    await this.sql.query(
      `INSERT INTO ${spec.table} (${spec.sourceColumn}, ${spec.chunkColumn}, start_offset, end_offset, token_count,
         heading_path, text, context_line, embedding_type, content_hash)
       SELECT v.source_id, v.chunk_index, v.start_offset, v.end_offset, v.token_count, ${HEADING_PATH}, v.text,
         v.context_line, v.embedding_type, v.content_hash
       FROM unnest($1::int[], ${PLACE_TYPES}, $7::text[], $8::text[], $9::text[], $10::text[])
         AS v (source_id, ${PLACE_NAMES}, text, context_line, embedding_type, content_hash)`,
      [
        inserted.map(({ sourceId }) => sourceId),
        ...placeColumns(chunks),
        chunks.map((chunk) => chunk.text),
        chunks.map((chunk) => chunk.contextLine),
        chunks.map((chunk) => chunk.embeddingType),
        chunks.map((chunk) => chunk.contentHash),
      ],
    );
  }
}

/** Rows `t` that the first parameter names. */
const NAMED = 't.id = ANY (ARRAY(SELECT unnest($1::int[])))';
const PLACE_NAMES = 'chunk_index, start_offset, end_offset, token_count, headings';
/** The second to sixth parameters. */
const PLACE_TYPES = '$2::int[], $3::int[], $4::int[], $5::int[], $6::jsonb[]';
/** `v.headings` as a text[]: lists of different lengths cannot be a parameter. Absent means none. */
const HEADING_PATH = 'CASE WHEN v.headings IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(v.headings)) END';

const placeAssignments = ({ chunkColumn }: EmbeddingSpec): string =>
  `${chunkColumn} = v.chunk_index, start_offset = v.start_offset, end_offset = v.end_offset,
         token_count = v.token_count, heading_path = ${HEADING_PATH}`;

/** Position, start, end, tokens and headings, as one array each. */
function placeColumns(chunks: readonly RenderedChunk[]): unknown[][] {
  return [
    chunks.map((chunk) => chunk.chunkIndex),
    chunks.map((chunk) => chunk.startOffset),
    chunks.map((chunk) => chunk.endOffset),
    chunks.map((chunk) => chunk.tokenCount),
    chunks.map((chunk) => (chunk.headingPath.length > 0 ? JSON.stringify(chunk.headingPath) : null)),
  ];
}

function slices(changes: readonly RowChange[]): RowChange[][] {
  const count = Math.ceil(changes.length / UPDATED_AT_ONCE);
  return Array.from({ length: count }, (_, i) => changes.slice(i * UPDATED_AT_ONCE, (i + 1) * UPDATED_AT_ONCE));
}
