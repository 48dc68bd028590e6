import type { SqlRunner } from '../db/database';
import type { EmbeddingSpec } from '../embedding/embedding-spec';
import { attributesOf, type AttributeMeta } from './attribute';
import { setTypeName, type RecordBase } from './record-base';
import type { Source } from './source';

export type RecordClass<R extends RecordBase = RecordBase> = new () => R;

/** Rows of another table that a record's text or payload is made from, so that a change there is a change here. */
export interface RelatedTable {
  /** `children`: rows of `table` whose `column` points here. `parent`: the row of `table` that our own `column` points to. */
  direction: 'children' | 'parent';
  table: string;
  column: string;
  /** The columns that matter; a change to any other is ignored. They arrive in camelCase. */
  columns: readonly string[];
  /** SQL order of children, over columns of `table`. */
  orderBy?: string;
}

/** A filter over something that is not a column of the table, e.g. the names of a person's skills. */
export interface DerivedFilter<R extends RecordBase = RecordBase> {
  field: string;
  payloadKey: string;
  description: string;
  /** SQL array expression over alias `t`, the same values as `values`. */
  sql: string;
  values(source: Source<R>): string[];
}

/** A list of these records as a field of the record that one of their references points to. */
export interface ChildList {
  /** Property of the reference, e.g. `profileId`. */
  reference: string;
  /** Field on the parent, e.g. `skills`. */
  field: string;
  shape: 'list' | 'connection';
  /** SQL order over the child's columns. */
  orderBy: string;
}

/** A nested field that finds records of another (or the same) kind by similarity of their embeddings. */
export interface MatchField {
  field: string;
  /** Kind that is searched. */
  kind: string;
  description: string;
}

/** Another way to name one record: arguments of its query, all of them given, and the SQL condition over alias `t`. */
export interface Lookup {
  arguments: readonly string[];
  where: string;
}

export interface RecordNames {
  /** GraphQL object type, e.g. `JobDescription`. */
  type: string;
  /** Stem of the generated types, e.g. `Job` for `JobFilter`, `JobConnection`, `CreateJobInput`. */
  short: string;
  /** Query for one, e.g. `job`. */
  field: string;
  /** Query for many, e.g. `jobs`. */
  plural: string;
  /** In sentences: `job`, `work experience`. */
  label: string;
}

/**
 * Everything that Kindred needs to know about one kind of record. GraphQL types, filters, CRUD, nested fields, search,
 * capture triggers, collections and payload indexes follow from it.
 */
export interface RecordSpec<R extends RecordBase = RecordBase> {
  kind: string;
  entity: RecordClass<R>;
  table: string;
  names: RecordNames;
  /** Reference whose target archives this record with it, e.g. `profileId` of a skill. */
  owner?: string;
  /** A person's record: it can be erased, with everything that belongs to it and every trace of it. */
  isPersonal?: boolean;
  related?: Record<string, RelatedTable>;
  derivedFilters?: DerivedFilter<R>[];
  lists?: ChildList[];
  lookup?: Lookup;
  /** How the database spells columns of a natural key: SQL over alias `given`, which has them as a client gave them. */
  storedAs?: Record<string, string>;
  /** Name of the search query, e.g. `searchJobs`. */
  search?: string;
  matches?: MatchField[];
  embedding?: EmbeddingSpec<R>;
  /**
   * Throws a coded error when an input that passed every field's own check is still wrong as a whole.
   * @param path of the input, which the fields named in the error begin with
   */
  validate?(input: Partial<R>, path: string): void;
  /** Makes what records refer to and an import may bring along, in the transaction that writes them. */
  beforeImport?(sql: SqlRunner, records: readonly Partial<R>[]): Promise<void>;
}

/** A spec with what is computed from it once. */
export interface RecordKind<R extends RecordBase = RecordBase> extends RecordSpec<R> {
  attributes: AttributeMeta[];
}

export function defineRecord<R extends RecordBase>(spec: RecordSpec<R>): RecordKind<R> {
  setTypeName(spec.entity, spec.names.type);
  return { ...spec, attributes: attributesOf(spec.entity) };
}
