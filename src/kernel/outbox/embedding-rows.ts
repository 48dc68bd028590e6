import type { SqlRunner } from '../db/database';
import type { ExistingRow, RowChanges } from '../embedding/diff';
import { specOf } from '../embedding/embedding-reader';
import type { RenderedChunk } from '../embedding/rendering';
import type { RecordKind } from '../record/record-spec';
import type { Payload } from '../vector/vector-store';

/** The changes to one record's embedding rows. */
export interface SourceChanges {
  sourceId: number;
  changes: RowChanges;
}

/** Reads and writes the rows of the typed embedding tables, for many records in one statement each. */
export class EmbeddingRows {
  constructor(private readonly sql: SqlRunner) {}

  async existing(kind: RecordKind, sourceIds: readonly number[]): Promise<Map<number, ExistingRow[]>> {
    const spec = specOf(kind);
    const rows = await this.sql.query<ExistingRow & { sourceId: number }>(
      `SELECT t.id, t.${spec.sourceColumn} AS "sourceId", t.embedding_type AS "embeddingType",
         t.${spec.chunkColumn} AS "chunkIndex", t.content_hash AS "contentHash", t.start_offset AS "startOffset",
         t.end_offset AS "endOffset"
       FROM ${spec.table} t WHERE t.${spec.sourceColumn} = ANY ($1::int[])`,
      [sourceIds],
      `embedding_rows_${kind.kind}`,
    );
    const bySource = new Map<number, ExistingRow[]>(sourceIds.map((id) => [id, []]));
    for (const { sourceId, ...row } of rows) bySource.get(sourceId)?.push(row);
    return bySource;
  }

  /** Positions are unique at the end of each statement, so rows go first, then move, then come. */
  async apply(kind: RecordKind, changed: readonly SourceChanges[]): Promise<void> {
    await this.delete(
      kind,
      changed.flatMap(({ changes }) => changes.deleted),
    );
    await this.update(
      kind,
      changed.flatMap(({ changes }) => changes.updated),
    );
    await this.insert(
      kind,
      changed.flatMap(({ sourceId, changes }) => changes.inserted.map((chunk) => ({ sourceId, chunk }))),
    );
  }

  /**
   * Puts each record's payload on all of its points. Points whose payload differs get a new revision and an event.
   * @returns how many points changed
   */
  async setPayloads(kind: RecordKind, payloads: ReadonlyMap<number, Payload>): Promise<number> {
    const [row] = await this.sql.query<{ changed: number }>(
      `WITH changed AS (
         UPDATE vector_points p SET payload = d.payload, revision = nextval('kindred_revision'), state = 'pending',
           state_since = now(), error = NULL, error_code = NULL
         FROM unnest($2::int[], $3::jsonb[]) AS d (entity_id, payload)
         WHERE p.kind = $1 AND p.entity_id = d.entity_id AND p.state <> 'deleting' AND p.payload IS DISTINCT FROM d.payload
         RETURNING p.point_id
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', $1, point_id::text, kindred_priority() FROM changed ON CONFLICT DO NOTHING
       )
       SELECT count(*)::int AS changed FROM changed`,
      [kind.kind, [...payloads.keys()], [...payloads.values()].map((payload) => JSON.stringify(payload))],
      'embedding_rows_set_payloads',
    );
    return row?.changed ?? 0;
  }

  private async delete(kind: RecordKind, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.sql.query(`DELETE FROM ${specOf(kind).table} WHERE id = ANY ($1::int[])`, [ids]);
  }

  private async update(kind: RecordKind, updated: readonly { id: number; chunk: RenderedChunk }[]): Promise<void> {
    if (updated.length === 0) return;
    const spec = specOf(kind);
    await this.sql.query(
      `UPDATE ${spec.table} t SET ${spec.chunkColumn} = v.chunk_index, text = v.text, context_line = v.context_line,
         start_offset = v.start_offset, end_offset = v.end_offset
       FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::int[], $6::int[])
         AS v (id, chunk_index, text, context_line, start_offset, end_offset)
       WHERE t.id = v.id`,
      [updated.map(({ id }) => id), ...chunkColumns(updated.map(({ chunk }) => chunk))],
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
      `INSERT INTO ${spec.table} (${spec.sourceColumn}, ${spec.chunkColumn}, text, context_line, start_offset, end_offset,
         embedding_type, content_hash)
       SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::int[], $6::int[], $7::text[], $8::text[])`,
      [
        inserted.map(({ sourceId }) => sourceId),
        ...chunkColumns(chunks),
        chunks.map((chunk) => chunk.embeddingType),
        chunks.map((chunk) => chunk.contentHash),
      ],
    );
  }
}

/** Position, text, context, start and end, as one array each. */
function chunkColumns(chunks: readonly RenderedChunk[]): unknown[][] {
  return [
    chunks.map((chunk) => chunk.chunkIndex),
    chunks.map((chunk) => chunk.text),
    chunks.map((chunk) => chunk.contextLine),
    chunks.map((chunk) => chunk.startOffset),
    chunks.map((chunk) => chunk.endOffset),
  ];
}
