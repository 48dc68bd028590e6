import type { SqlRunner } from '../db/database';
import type { Page } from '../record/page';
import type { RecordKind } from '../record/record-spec';
import { specOf } from './embedding-reader';

/** Where a row lies in the list of all kinds: the kind's place, then the row's id. */
export type ListPosition = readonly [place: number, id: number];

export interface ListedRow {
  kind: RecordKind;
  position: ListPosition;
}

export interface EmbeddingListFilter {
  /** Only rows of this record; then `kinds` has its kind alone. */
  sourceId?: number;
  embeddingTypes?: readonly string[];
  pointIds?: readonly string[];
}

/**
 * The typed embedding tables as one list, in the order of the kinds and then of the rows: the same UNION ALL that a
 * migrated table is replaced by.
 */
export class EmbeddingList {
  constructor(
    private readonly sql: SqlRunner,
    /** All embeddable kinds; a kind's place in it is its place in the list. */
    private readonly kinds: readonly RecordKind[],
  ) {}

  /** One row more than the page has, where there is one. */
  async page(
    kinds: readonly RecordKind[],
    filter: EmbeddingListFilter,
    page: Pick<Page, 'size' | 'isBackward'>,
    from: ListPosition | undefined,
  ): Promise<ListedRow[]> {
    const direction = page.isBackward ? 'DESC' : 'ASC';
    const parameters = [...values(filter), page.size + 1];
    if (from && kinds.includes(this.kinds[from[0]] as RecordKind)) parameters.push(from[1]);
    const branches = kinds.flatMap((kind) => {
      const place = this.kinds.indexOf(kind);
      const isPast = from !== undefined && (page.isBackward ? place > from[0] : place < from[0]);
      if (isPast) return [];
      const isFrom = from !== undefined && place === from[0];
      const beyond = isFrom ? `AND t.id ${page.isBackward ? '<' : '>'} $5` : '';
      return [
        // Each branch is read in its own order, no further than the page needs.
        `(SELECT ${place}::int AS place, t.id FROM ${specOf(kind).table} t WHERE ${condition(kind)} ${beyond}
          ORDER BY t.id ${direction} LIMIT $4)`,
      ];
    });
    if (branches.length === 0) return [];
    const rows = await this.sql.query<{ place: number; id: number }>(
      `SELECT * FROM (${branches.join(' UNION ALL ')}) listed
       ORDER BY place ${direction}, id ${direction} LIMIT $4`,
      parameters,
    );
    return rows.map(({ place, id }) => ({ kind: this.kinds[place] as RecordKind, position: [place, id] }));
  }

  async count(kinds: readonly RecordKind[], filter: EmbeddingListFilter): Promise<number> {
    const counts = kinds.map((kind) => `(SELECT count(*) FROM ${specOf(kind).table} t WHERE ${condition(kind)})`);
    if (counts.length === 0) return 0;
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT (${counts.join(' + ')})::float8 AS count`,
      values(filter),
    );
    return row?.count ?? 0;
  }
}

function condition(kind: RecordKind): string {
  return `($1::int IS NULL OR t.${specOf(kind).sourceColumn} = $1) AND ($2::text[] IS NULL OR t.embedding_type = ANY ($2))
    AND ($3::uuid[] IS NULL OR t.qdrant_point_id = ANY ($3))`;
}

function values(filter: EmbeddingListFilter): unknown[] {
  return [filter.sourceId ?? null, filter.embeddingTypes ?? null, filter.pointIds ?? null];
}
