import type { SqlRunner } from '../db/database';
import { statementName } from '../db/statement-name';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import type { EmbeddingRow } from './embedding-row';
import type { EmbeddingSpec } from './embedding-spec';

/** Columns that fields start from are read always. */
const KEY_COLUMNS: readonly [column: string, property: string][] = [
  ['id', 'id'],
  ['qdrant_point_id', 'qdrantPointId'],
  ['embedding_type', 'embeddingType'],
  ['archived_at', 'archivedAt'],
];

const OTHER_COLUMNS: readonly [column: string, property: string][] = [
  ['uuid', 'uuid'],
  ['text', 'text'],
  ['context_line', 'contextLine'],
  ['start_offset', 'startOffset'],
  ['end_offset', 'endOffset'],
  ['token_count', 'tokenCount'],
  ['heading_path', 'headingPath'],
  ['content_hash', 'contentHash'],
  ['metadata_json', 'metadataJson'],
  ['created_at', 'createdAt'],
  ['updated_at', 'updatedAt'],
  ['created_by', 'createdBy'],
  ['updated_by', 'updatedBy'],
  ['legacy_key', 'legacyKey'],
];

function rowSelect(spec: EmbeddingSpec, wanted?: Wanted): string {
  const others = wanted ? OTHER_COLUMNS.filter(([, property]) => wanted.has(property)) : OTHER_COLUMNS;
  const shared = [...KEY_COLUMNS, ...others].map(([column, property]) => `t.${column} AS "${property}"`).join(', ');
  return `${shared}, t.${spec.sourceColumn} AS "sourceId", t.${spec.chunkColumn} AS "chunkIndex"`;
}

export function specOf(kind: RecordKind): EmbeddingSpec {
  if (!kind.embedding) throw new Error(`${kind.kind} has no embeddings`);
  return kind.embedding;
}

function toRow(kind: RecordKind, row: object): EmbeddingRow {
  return Object.assign(new (specOf(kind).entity)(), row);
}

/** How many rows before and after one to read. */
export interface NeighbourReach {
  before: number;
  after: number;
}

/** Reads rows of the typed embedding tables, one statement a call. */
export class EmbeddingReader {
  constructor(private readonly sql: SqlRunner) {}

  /** All rows of each source, by type and position, with their keys and the `wanted` properties. */
  async bySources(kind: RecordKind, sourceIds: readonly number[], wanted?: Wanted): Promise<EmbeddingRow[][]> {
    const spec = specOf(kind);
    const sql = `SELECT ${rowSelect(spec, wanted)} FROM ${spec.table} t
       WHERE t.${spec.sourceColumn} = ANY($1::int[])
       ORDER BY t.${spec.sourceColumn}, t.embedding_type, t.${spec.chunkColumn}`;
    const rows = await this.sql.query<{ sourceId: number }>(sql, [sourceIds], statementName(sql));
    const bySource = new Map<number, EmbeddingRow[]>(sourceIds.map((id) => [id, []]));
    for (const row of rows) bySource.get(row.sourceId)?.push(toRow(kind, row));
    return sourceIds.map((id) => bySource.get(id) ?? []);
  }

  async byPointIds(kind: RecordKind, pointIds: readonly string[]): Promise<(EmbeddingRow | null)[]> {
    const spec = specOf(kind);
    const sql = `SELECT ${rowSelect(spec)} FROM ${spec.table} t WHERE t.qdrant_point_id = ANY($1::uuid[])`;
    const rows = await this.sql.query<{ qdrantPointId: string }>(sql, [pointIds], statementName(sql));
    const byPoint = new Map(rows.map((row) => [row.qdrantPointId, toRow(kind, row)]));
    return pointIds.map((id) => byPoint.get(id) ?? null);
  }

  async byIds(kind: RecordKind, ids: readonly number[]): Promise<(EmbeddingRow | null)[]> {
    const spec = specOf(kind);
    const rows = await this.sql.query<{ id: number }>(
      `SELECT ${rowSelect(spec)} FROM ${spec.table} t WHERE t.id = ANY($1::int[])`,
      [ids],
    );
    const byId = new Map(rows.map((row) => [row.id, toRow(kind, row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Rows of each source from position `afterIndex` on, one more than `limit` where there are more. */
  async pages(
    kind: RecordKind,
    limit: number,
    sources: readonly { id: number; afterIndex: number }[],
  ): Promise<EmbeddingRow[][]> {
    const spec = specOf(kind);
    const rows = await this.sql.query<{ ordinal: number }>(
      `SELECT page.*, source.ordinal::int AS ordinal
       FROM unnest($1::int[], $2::int[]) WITH ORDINALITY AS source (id, after_index, ordinal)
       CROSS JOIN LATERAL (
         SELECT ${rowSelect(spec)} FROM ${spec.table} t
         WHERE t.${spec.sourceColumn} = source.id AND t.${spec.chunkColumn} > source.after_index AND t.archived_at IS NULL
         ORDER BY t.${spec.chunkColumn} LIMIT $3
       ) page`,
      [sources.map((source) => source.id), sources.map((source) => source.afterIndex), limit],
    );
    const pages: EmbeddingRow[][] = sources.map(() => []);
    for (const { ordinal, ...row } of rows) pages[ordinal - 1]?.push(toRow(kind, row));
    return pages;
  }

  /** For each row those right before and after it in its source, in order; archived ones are passed over. */
  async neighbours(
    kind: RecordKind,
    rows: readonly Pick<EmbeddingRow, 'sourceId' | 'embeddingType' | 'chunkIndex'>[],
    { before, after }: NeighbourReach,
  ): Promise<EmbeddingRow[][]> {
    const spec = specOf(kind);
    const side = (comparison: '<' | '>', order: 'ASC' | 'DESC', limit: '$4' | '$5'): string =>
      `(SELECT ${rowSelect(spec)} FROM ${spec.table} t
        WHERE t.${spec.sourceColumn} = origin.source AND t.embedding_type = origin.type
          AND t.${spec.chunkColumn} ${comparison} origin.position AND t.archived_at IS NULL
        ORDER BY t.${spec.chunkColumn} ${order} LIMIT ${limit})`;
    const found = await this.sql.query<{ ordinal: number }>(
      `SELECT near.*, origin.ordinal::int AS ordinal
       FROM unnest($1::int[], $2::text[], $3::int[]) WITH ORDINALITY AS origin (source, type, position, ordinal)
       CROSS JOIN LATERAL (${side('<', 'DESC', '$4')} UNION ALL ${side('>', 'ASC', '$5')}) near
       ORDER BY origin.ordinal, near."chunkIndex"`,
      [
        rows.map((row) => row.sourceId),
        rows.map((row) => row.embeddingType),
        rows.map((row) => row.chunkIndex),
        before,
        after,
      ],
    );
    const neighbours: EmbeddingRow[][] = rows.map(() => []);
    for (const { ordinal, ...row } of found) neighbours[ordinal - 1]?.push(toRow(kind, row));
    return neighbours;
  }

  async counts(kind: RecordKind, sourceIds: readonly number[]): Promise<number[]> {
    const spec = specOf(kind);
    const rows = await this.sql.query<{ source: number; count: number }>(
      `SELECT t.${spec.sourceColumn} AS source, count(*)::int AS count FROM ${spec.table} t
       WHERE t.${spec.sourceColumn} = ANY($1::int[]) AND t.archived_at IS NULL GROUP BY 1`,
      [sourceIds],
    );
    const counts = new Map(rows.map((row) => [row.source, row.count]));
    return sourceIds.map((id) => counts.get(id) ?? 0);
  }
}
