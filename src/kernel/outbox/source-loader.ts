import type { SqlRunner } from '../db/database';
import type { RecordBase } from '../record/record-base';
import { selectList, toRecord } from '../record/record-columns';
import type { RecordKind, RelatedTable } from '../record/record-spec';
import type { RelatedRow, Source } from '../record/source';

export interface LoadedSource {
  source: Source;
  /** By itself or with its owner. */
  isArchived: boolean;
}

export interface LoadedSources {
  sources: LoadedSource[];
  /** Records that a writer holds at this moment, perhaps to delete them. */
  busyIds: number[];
}

type SourceRow = RecordBase & { owner_archived: boolean };

const BY_IDS = 't.id = ANY ($1::int[])';

/** Reads records with everything that their texts and payload are made from. */
export class SourceLoader {
  private readonly tableByKind: Map<string, string>;

  constructor(kinds: readonly RecordKind[]) {
    this.tableByKind = new Map(kinds.map((kind) => [kind.kind, kind.table]));
  }

  /**
   * One statement for the records and one for each related table. The records cannot be deleted until the transaction
   * ends; one that is being deleted now is reported busy rather than waited for. What is gone is in neither list.
   */
  async load(sql: SqlRunner, kind: RecordKind, ids: readonly number[]): Promise<LoadedSources> {
    const rows = await sql.query<SourceRow>(`${this.recordsSql(kind)} WHERE ${BY_IDS} FOR KEY SHARE OF t SKIP LOCKED`, [
      ids,
    ]);
    const sources = await this.withRelated(sql, kind, rows);
    const present = new Set(sources.map(({ source }) => source.record.id));
    return {
      sources,
      busyIds: await this.existing(
        sql,
        kind,
        ids.filter((id) => !present.has(id)),
      ),
    };
  }

  /** The same to look at only: nothing is locked. What is gone is left out. */
  async read(sql: SqlRunner, kind: RecordKind, ids: readonly number[]): Promise<LoadedSource[]> {
    if (ids.length === 0) return [];
    const rows = await sql.query<SourceRow>(`${this.recordsSql(kind)} WHERE ${BY_IDS}`, [ids]);
    return this.withRelated(sql, kind, rows);
  }

  /**
   * The first `limit` records with ids above `afterId` and up to `lastId`, in order of id, but no further than `bytes` of
   * text go, and one at least. Nothing is locked.
   */
  async readPage(
    sql: SqlRunner,
    kind: RecordKind,
    { afterId, lastId, limit, bytes }: { afterId: number; lastId: number; limit: number; bytes: number },
  ): Promise<LoadedSource[]> {
    // Lengths are known without reading what PostgreSQL has stored out of line.
    const lengths = kind.attributes
      .filter(({ type }) => type === 'text')
      .map(({ column }) => `coalesce(octet_length(${column}), 0)`);
    const rows = await sql.query<SourceRow>(
      `WITH next AS (
         SELECT id, ${['0', ...lengths].join(' + ')} AS bytes FROM ${kind.table}
         WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3
       ), page AS (
         SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before FROM next
       )
       ${this.recordsSql(kind)}
       WHERE t.id = ANY (ARRAY(SELECT id FROM page WHERE bytes_before < $4)) ORDER BY t.id`,
      [afterId, lastId, limit, bytes],
    );
    return this.withRelated(sql, kind, rows);
  }

  private async withRelated(sql: SqlRunner, kind: RecordKind, rows: readonly SourceRow[]): Promise<LoadedSource[]> {
    const found = rows.map(({ owner_archived: isOwnerArchived, ...row }): LoadedSource => {
      const record = toRecord(kind, row);
      return { source: { record, related: {} }, isArchived: isOwnerArchived || record.archivedAt !== null };
    });
    const ids = found.map(({ source }) => source.record.id);
    for (const [name, related] of Object.entries(kind.related ?? {})) {
      const byId = await this.relatedRows(sql, kind, name, related, ids);
      for (const { source } of found) source.related[name] = byId.get(source.record.id) ?? [];
    }
    return found;
  }

  private recordsSql(kind: RecordKind): string {
    const owner = kind.attributes.find((attribute) => attribute.property === kind.owner);
    const ownerTable = owner?.reference && this.tableByKind.get(owner.reference.kind);
    const select = `SELECT ${selectList(kind)}`;
    return owner && ownerTable
      ? // Looked up one by one: as a join, owners could be read from the first of them for every page.
        `${select}, (SELECT o.archived_at FROM ${ownerTable} o WHERE o.id = t.${owner.column} LIMIT 1) IS NOT NULL
           AS owner_archived FROM ${kind.table} t`
      : `${select}, false AS owner_archived FROM ${kind.table} t`;
  }

  private async relatedRows(
    sql: SqlRunner,
    kind: RecordKind,
    name: string,
    related: RelatedTable,
    ids: readonly number[],
  ): Promise<Map<number, RelatedRow[]>> {
    const columns = related.columns.map((column) => `r.${column} AS "${camelCase(column)}"`).join(', ');
    const statement =
      related.direction === 'children'
        ? `SELECT r.${related.column} AS source_id, ${columns} FROM ${related.table} r
           WHERE r.${related.column} = ANY ($1::int[]) AND r.archived_at IS NULL
           ORDER BY ${related.orderBy ?? 'id'}`
        : `SELECT t.id AS source_id, ${columns} FROM ${kind.table} t
           JOIN ${related.table} r ON r.id = t.${related.column} WHERE t.id = ANY ($1::int[])`;
    const rows = await sql.query<{ source_id: number }>(statement, [ids]);
    const byId = new Map<number, RelatedRow[]>();
    for (const { source_id: id, ...row } of rows) {
      const list = byId.get(id);
      if (list) list.push(row);
      else byId.set(id, [row]);
    }
    return byId;
  }

  private async existing(sql: SqlRunner, kind: RecordKind, ids: readonly number[]): Promise<number[]> {
    if (ids.length === 0) return [];
    const rows = await sql.query<{ id: number }>(`SELECT id FROM ${kind.table} WHERE id = ANY ($1::int[])`, [ids]);
    return rows.map((row) => row.id);
  }
}

const camelCase = (column: string): string => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
