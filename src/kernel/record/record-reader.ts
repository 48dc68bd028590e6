import type { SqlRunner } from '../db/database';
import { statementName } from '../db/statement-name';
import { specOf } from '../embedding/embedding-reader';
import { DomainError } from '../errors/domain-error';
import { filterToSql, SqlValues, type CheckedFilter } from './filter';
import { decodeCursor, encodeCursor, readInteger, type Page } from './page';
import { isStorable } from './storable-text';
import type { RecordBase } from './record-base';
import { selectList, toRecord, type Wanted } from './record-columns';
import type { RecordKind } from './record-spec';
import type { KindRegistry } from './registry';

export interface OrderBy {
  /** Property to order by. */
  property: string;
  isDescending: boolean;
}

export interface RecordPage {
  records: RecordBase[];
  /** Of the record at that index. */
  cursorAt: (index: number) => string;
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

interface OrderedColumn {
  column: string;
  sqlType: string;
  isNullable: boolean;
}

const LARGEST_INTEGER = 2_147_483_647;

const SQL_TYPES: Record<string, string> = {
  integer: 'integer',
  float: 'double precision',
  boolean: 'boolean',
  datetime: 'timestamptz',
  uuid: 'uuid',
};

/** Where a list goes on: the ordered value as text, null where there is none, and the id that breaks ties. */
type Position = readonly [value: string | null, id: number];

const POSITION_PATTERNS: Record<string, RegExp> = {
  integer: /^-?\d{1,10}$/,
  'double precision': /^-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)$|^NaN$/,
  boolean: /^(true|false)$/,
  timestamptz: /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)*$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

/** A position as a cursor holds it; `undefined` for one that PostgreSQL could not read. */
function readPosition({ sqlType, isNullable }: OrderedColumn, given: unknown): Position | undefined {
  if (!Array.isArray(given) || given.length !== 2) return undefined;
  const [value, rawId] = given as unknown[];
  const id = readInteger(rawId);
  if (id === undefined) return undefined;
  if (value === null) return isNullable ? [null, id] : undefined;
  if (typeof value !== 'string' || !isStorable(value)) return undefined;
  if (POSITION_PATTERNS[sqlType]?.test(value) === false) return undefined;
  if (sqlType === 'integer' && Math.abs(Number(value)) > LARGEST_INTEGER) return undefined;
  return [value, id];
}

/** What hides a record: its own archiving or its owner's. Over alias `t`. */
export function visibleSql(kind: RecordKind, registry: KindRegistry, archived: CheckedFilter['archived']): string {
  if (archived === 'INCLUDE') return 'true';
  const owner = kind.attributes.find((attribute) => attribute.property === kind.owner);
  const isArchived = ['t.archived_at IS NOT NULL'];
  if (owner?.reference) {
    const { table } = registry.kind(owner.reference.kind);
    isArchived.push(
      `EXISTS (SELECT 1 FROM ${table} owner WHERE owner.id = t.${owner.column} AND owner.archived_at IS NOT NULL)`,
    );
  }
  return archived === 'ONLY' ? `(${isArchived.join(' OR ')})` : `NOT (${isArchived.join(' OR ')})`;
}

function isUnfiltered({ condition }: CheckedFilter): boolean {
  return 'all' in condition && condition.all.length === 0;
}

/** Reads records with raw SQL: one statement a call, whatever the number of records. */
export class RecordReader {
  constructor(
    readonly sql: SqlRunner,
    private readonly registry: KindRegistry,
  ) {}

  /** By id, in the order asked; absent ones, and those that `archived` leaves out, are null. */
  async byIds(
    kind: RecordKind,
    ids: readonly number[],
    options: { wanted?: Wanted; archived?: CheckedFilter['archived'] } = {},
  ): Promise<(RecordBase | null)[]> {
    const byId = await this.mapOf(kind, ids, options);
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** The same by id; what is absent or left out has no entry. */
  async mapOf(
    kind: RecordKind,
    ids: readonly number[],
    options: { wanted?: Wanted; archived?: CheckedFilter['archived'] } = {},
  ): Promise<Map<number, RecordBase>> {
    const visible = visibleSql(kind, this.registry, options.archived ?? 'INCLUDE');
    const sql = `SELECT ${selectList(kind, options.wanted)} FROM ${kind.table} t WHERE t.id = ANY($1::int[]) AND ${visible}`;
    const rows = await this.sql.query<{ id: number }>(sql, [ids], statementName(sql));
    return new Map(rows.map((row) => [row.id, toRecord(kind, row)]));
  }

  /** By a unique column, in the order asked; absent ones are null. */
  async byUnique(
    kind: RecordKind,
    column: 'external_id' | 'uuid',
    keys: readonly string[],
  ): Promise<(RecordBase | null)[]> {
    const rows = await this.sql.query<{ key: string }>(
      `SELECT ${selectList(kind)}, t.${column}::text AS key FROM ${kind.table} t WHERE t.${column} = ANY($1)`,
      [keys],
    );
    const byKey = new Map(rows.map(({ key, ...row }) => [key, toRecord(kind, row)]));
    return keys.map((key) => byKey.get(key) ?? null);
  }

  /** By the kind's own lookup, e.g. a tag's name. */
  async byLookup(kind: RecordKind, values: readonly string[]): Promise<RecordBase | null> {
    if (!kind.lookup) throw new Error(`${kind.kind} has no lookup`);
    const [row] = await this.sql.query(
      `SELECT ${selectList(kind)} FROM ${kind.table} t WHERE ${kind.lookup.where}`,
      values,
    );
    return row ? toRecord(kind, row) : null;
  }

  /** One page of a list by keyset, so that records written meanwhile neither repeat nor shift others. */
  async list(
    kind: RecordKind,
    filter: CheckedFilter,
    order: OrderBy,
    page: Page,
    wanted?: Wanted,
  ): Promise<RecordPage> {
    const ordered = this.orderedColumn(kind, order.property);
    const listName = `${kind.kind}:${order.property}:${order.isDescending ? 'desc' : 'asc'}`;
    const values = new SqlValues();
    const where = [filterToSql(filter.condition, values), visibleSql(kind, this.registry, filter.archived)];
    const isDescending = order.isDescending !== page.isBackward;
    if (page.cursor !== undefined) {
      const position = decodeCursor(listName, page.cursor, (given) => readPosition(ordered, given), page.cursorField);
      where.push(this.afterCursor(ordered, position, isDescending, page.isBackward, values));
    }
    const direction = isDescending ? 'DESC' : 'ASC';
    const nulls = page.isBackward ? 'NULLS FIRST' : 'NULLS LAST';
    const isById = ordered.column === 'id';
    const cursorValue = isById ? '' : `, t.${ordered.column}::text AS cursor_value`;
    const orderBy = isById ? '' : `t.${ordered.column} ${direction} ${ordered.isNullable ? nulls : ''}, `;
    const limit = values.add(page.size + 1);
    const sql = `SELECT ${selectList(kind, wanted)}${cursorValue} FROM ${kind.table} t
       WHERE ${where.map((condition) => `(${condition})`).join(' AND ')}
       ORDER BY ${orderBy}t.id ${direction} LIMIT ${limit}`;
    // The best plan of a filtered list depends on the filter's values.
    const name = isUnfiltered(filter) ? statementName(sql) : undefined;
    const rows = await this.sql.query<{ id: number; cursor_value?: string | null }>(sql, values.values, name);
    const hasMore = rows.length > page.size;
    if (hasMore) rows.pop();
    if (page.isBackward) rows.reverse();
    const cursorAt = (index: number): string => {
      const { id, cursor_value: value = null } = rows[index] as (typeof rows)[number];
      return encodeCursor(listName, [isById ? String(id) : value, id]);
    };
    return {
      records: rows.map(isById ? (row) => toRecord(kind, row) : ({ cursor_value: _, ...row }) => toRecord(kind, row)),
      cursorAt,
      hasNextPage: page.isBackward ? page.cursor !== undefined : hasMore,
      hasPreviousPage: page.isBackward ? hasMore : page.cursor !== undefined,
    };
  }

  async count(kind: RecordKind, filter: CheckedFilter): Promise<number> {
    const values = new SqlValues();
    const condition = filterToSql(filter.condition, values);
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${kind.table} t
       WHERE (${condition}) AND ${visibleSql(kind, this.registry, filter.archived)}`,
      values.values,
    );
    return row?.count ?? 0;
  }

  /** Embedding rows of the records that the filter lets through. */
  async countEmbeddings(kind: RecordKind, filter: CheckedFilter): Promise<number> {
    const { table, sourceColumn } = specOf(kind);
    const values = new SqlValues();
    const condition = filterToSql(filter.condition, values);
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${kind.table} t JOIN ${table} embedding ON embedding.${sourceColumn} = t.id
       WHERE (${condition}) AND ${visibleSql(kind, this.registry, filter.archived)} AND embedding.archived_at IS NULL`,
      values.values,
    );
    return row?.count ?? 0;
  }

  /** Children of each parent, in the parents' order. */
  async childrenOf(
    kind: RecordKind,
    column: string,
    orderBy: string,
    parentIds: readonly number[],
  ): Promise<RecordBase[][]> {
    const sql = `SELECT ${selectList(kind)}, t.${column} AS parent_key FROM ${kind.table} t
       WHERE t.${column} = ANY($1::int[]) AND t.archived_at IS NULL ORDER BY ${orderBy}`;
    const rows = await this.sql.query<{ parent_key: number }>(sql, [parentIds], statementName(sql));
    const byParent = new Map<number, RecordBase[]>(parentIds.map((id) => [id, []]));
    for (const { parent_key: parent, ...row } of rows) byParent.get(parent)?.push(toRecord(kind, row));
    return parentIds.map((id) => byParent.get(id) ?? []);
  }

  /** The first page of children after `afterId` of each parent, one more than `limit` where there are more. */
  async childPages(
    kind: RecordKind,
    column: string,
    limit: number,
    parents: readonly { id: number; afterId: number }[],
  ): Promise<RecordBase[][]> {
    const rows = await this.sql.query<{ ordinal: number }>(
      `SELECT page.*, parent.ordinal::int AS ordinal
       FROM unnest($1::int[], $2::int[]) WITH ORDINALITY AS parent (id, after_id, ordinal)
       CROSS JOIN LATERAL (
         SELECT ${selectList(kind)} FROM ${kind.table} t
         WHERE t.${column} = parent.id AND t.id > parent.after_id AND t.archived_at IS NULL
         ORDER BY t.id LIMIT $3
       ) page`,
      [parents.map((parent) => parent.id), parents.map((parent) => parent.afterId), limit],
    );
    const pages: RecordBase[][] = parents.map(() => []);
    for (const { ordinal, ...row } of rows) pages[ordinal - 1]?.push(toRecord(kind, row));
    return pages;
  }

  async childCounts(kind: RecordKind, column: string, parentIds: readonly number[]): Promise<number[]> {
    const rows = await this.sql.query<{ parent: number; count: number }>(
      `SELECT t.${column} AS parent, count(*)::int AS count FROM ${kind.table} t
       WHERE t.${column} = ANY($1::int[]) AND t.archived_at IS NULL GROUP BY 1`,
      [parentIds],
    );
    const counts = new Map(rows.map((row) => [row.parent, row.count]));
    return parentIds.map((id) => counts.get(id) ?? 0);
  }

  private orderedColumn(kind: RecordKind, property: string): OrderedColumn {
    if (property === 'id') return { column: 'id', sqlType: 'integer', isNullable: false };
    if (property === 'createdAt') return { column: 'created_at', sqlType: 'timestamptz', isNullable: false };
    if (property === 'updatedAt') return { column: 'updated_at', sqlType: 'timestamptz', isNullable: false };
    const attribute = kind.attributes.find((one) => one.property === property && one.isOrderable);
    if (!attribute) throw new DomainError('BAD_INPUT', `orderBy.field: ${kind.names.plural} cannot be ordered by it.`);
    return {
      column: attribute.column,
      sqlType: SQL_TYPES[attribute.type] ?? 'text',
      isNullable: attribute.isNullable ?? false,
    };
  }

  /** Rows after the cursor in the order that is read, absent values last (or first, reading backwards). */
  private afterCursor(
    ordered: OrderedColumn,
    position: Position,
    isDescending: boolean,
    isBackward: boolean,
    values: SqlValues,
  ): string {
    const [value, id] = position;
    const beyond = isDescending ? '<' : '>';
    const tie = `t.id ${beyond} ${values.add(id)}::int`;
    if (ordered.column === 'id') return tie;
    if (value === null) {
      return isBackward
        ? `(t.${ordered.column} IS NULL AND ${tie}) OR t.${ordered.column} IS NOT NULL`
        : `t.${ordered.column} IS NULL AND ${tie}`;
    }
    const bound = `${values.add(value)}::${ordered.sqlType}`;
    const ahead = `t.${ordered.column} ${beyond} ${bound} OR (t.${ordered.column} = ${bound} AND ${tie})`;
    return ordered.isNullable && !isBackward ? `${ahead} OR t.${ordered.column} IS NULL` : ahead;
  }
}
