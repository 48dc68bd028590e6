import type { RecordKind } from '../record/record-spec';

/** A change of a row in `table` that makes another record's text or payload stale. */
export interface Dependent {
  kind: string;
  columns: readonly string[];
  /** Ids of the records to look at, for all of `rows` (a transition table or the table itself). */
  all: (rows: string) => string;
  /** The same for rows of which one of `columns` has changed; `rowsWith` says what is wanted of their `fresh` and `stale` versions. */
  ofChange: (rowsWith: (wanted: string) => string) => string;
  /** Rows that only their own update concerns: no child can exist before its parent, nor after it. */
  isUpdateOnly: boolean;
}

const BOOKKEEPING = ['archived_at'];

function watchedColumns(kind: RecordKind): string[] {
  return [...kind.attributes.filter((a) => a.writable !== 'never').map((a) => a.column), ...BOOKKEEPING];
}

function parentDependent(kind: RecordKind, column: string, columns: readonly string[]): Dependent {
  return {
    kind: kind.kind,
    columns,
    all: (rows) => `SELECT child.id AS key FROM ${rows} row JOIN ${kind.table} child ON child.${column} = row.id`,
    ofChange: (rowsWith) =>
      `SELECT child.id AS key FROM ${rowsWith('fresh.id')} row JOIN ${kind.table} child ON child.${column} = row.id`,
    isUpdateOnly: true,
  };
}

function childDependent(kind: RecordKind, column: string, columns: readonly string[]): Dependent {
  return {
    kind: kind.kind,
    columns: [column, ...columns],
    all: (rows) => `SELECT row.${column} AS key FROM ${rows} row`,
    // A child that moved concerns the parent it left as well.
    ofChange: (rowsWith) =>
      `SELECT unnest(ARRAY[row.now, row.before]) AS key FROM ${rowsWith(`fresh.${column} AS now, stale.${column} AS before`)} row`,
    isUpdateOnly: false,
  };
}

function ownDependent(kind: RecordKind): Dependent {
  return {
    kind: kind.kind,
    columns: watchedColumns(kind),
    all: (rows) => `SELECT row.id AS key FROM ${rows} row`,
    ofChange: (rowsWith) => `SELECT row.id AS key FROM ${rowsWith('fresh.id')} row`,
    isUpdateOnly: false,
  };
}

/** The kinds whose records go stale when a row of `table` changes. */
export function dependentsOf(table: string, kinds: readonly RecordKind[]): Dependent[] {
  const dependents: Dependent[] = [];
  for (const kind of kinds) {
    if (!kind.embedding) continue;
    if (kind.table === table) dependents.push(ownDependent(kind));
    for (const related of Object.values(kind.related ?? {})) {
      if (related.table !== table) continue;
      const make = related.direction === 'children' ? childDependent : parentDependent;
      dependents.push(make(kind, related.column, related.columns));
    }
    const owner = kind.attributes.find((attribute) => attribute.property === kind.owner);
    const ownerKind = kinds.find((candidate) => candidate.kind === owner?.reference?.kind);
    if (owner && ownerKind?.table === table) dependents.push(parentDependent(kind, owner.column, BOOKKEEPING));
  }
  return dependents;
}

/** The kinds whose records may have to be looked at again when rows of `table` change. */
export function kindsFollowing(table: string, kinds: readonly RecordKind[]): RecordKind[] {
  const names = new Set(dependentsOf(table, kinds).map((dependent) => dependent.kind));
  return kinds.filter((kind) => names.has(kind.kind));
}
