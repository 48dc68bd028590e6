import type { RecordBase } from './record-base';
import type { RecordKind } from './record-spec';

export interface RecordColumn {
  property: string;
  column: string;
  /** Read whatever is asked for: keys that nested fields start from. */
  isAlwaysRead: boolean;
}

const BASE_COLUMNS: RecordColumn[] = [
  { property: 'id', column: 'id', isAlwaysRead: true },
  { property: 'uuid', column: 'uuid', isAlwaysRead: false },
  { property: 'externalId', column: 'external_id', isAlwaysRead: false },
  { property: 'createdAt', column: 'created_at', isAlwaysRead: false },
  { property: 'updatedAt', column: 'updated_at', isAlwaysRead: false },
  { property: 'createdBy', column: 'created_by', isAlwaysRead: false },
  { property: 'updatedBy', column: 'updated_by', isAlwaysRead: false },
  { property: 'archivedAt', column: 'archived_at', isAlwaysRead: true },
];

const columnsByKind = new WeakMap<RecordKind, RecordColumn[]>();

/** The columns of a record's table. */
export function recordColumns(kind: RecordKind): RecordColumn[] {
  let columns = columnsByKind.get(kind);
  if (!columns) {
    columns = [
      ...BASE_COLUMNS,
      ...kind.attributes.map((attribute) => ({
        property: attribute.property,
        column: attribute.column,
        isAlwaysRead: attribute.reference !== undefined,
      })),
    ];
    columnsByKind.set(kind, columns);
  }
  return columns;
}

/** Properties to read; `undefined` reads all. */
export type Wanted = ReadonlySet<string> | undefined;

const selectLists = new WeakMap<RecordKind, WeakMap<ReadonlySet<string>, string>>();

/** `t.a AS "a", …` for the wanted properties, under the names that the record class has. */
export function selectList(kind: RecordKind, wanted?: Wanted): string {
  if (!wanted) return readSelectList(kind);
  let lists = selectLists.get(kind);
  if (!lists) selectLists.set(kind, (lists = new WeakMap()));
  let list = lists.get(wanted);
  if (list === undefined) lists.set(wanted, (list = readSelectList(kind, wanted)));
  return list;
}

function readSelectList(kind: RecordKind, wanted?: Wanted): string {
  return recordColumns(kind)
    .filter((column) => column.isAlwaysRead || !wanted || wanted.has(column.property))
    .map((column) => `t.${column.column} AS "${column.property}"`)
    .join(', ');
}

/** Gives a row of the driver the class of its record, so that GraphQL knows its type and getters work. */
export function toRecord<R extends RecordBase>(kind: RecordKind<R>, row: object): R {
  return Object.assign(new kind.entity(), row);
}
