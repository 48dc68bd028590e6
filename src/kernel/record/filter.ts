import { DomainError } from '../errors/domain-error';
import type { RangeBounds, VectorCondition, VectorFilter } from '../vector/vector-filter';
import { filterFields, foldListSql, foldListValue, type FilterField } from './filter-fields';
import { decodeIdOf } from './global-id';
import type { RecordKind } from './record-spec';
import type { KindRegistry } from './registry';
import { isStorable, UNSTORABLE_PROBLEM } from './storable-text';

export type ArchivedChoice = 'EXCLUDE' | 'INCLUDE' | 'ONLY';

/** What a client sends: operators by field, and how they combine. */
export interface FilterInput {
  and?: FilterInput[] | null;
  or?: FilterInput[] | null;
  not?: FilterInput | null;
  archived?: ArchivedChoice | null;
  [field: string]: unknown;
}

type Scalar = string | number | boolean | Date;
type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte';

type Leaf =
  | { op: 'eq'; field: FilterField; value: Scalar }
  | { op: 'in'; field: FilterField; values: Scalar[] }
  | { op: 'isNull'; field: FilterField; isNull: boolean }
  | { op: RangeOperator; field: FilterField; value: number | Date }
  | { op: 'hasAny' | 'hasAll'; field: FilterField; values: string[] };

/** A checked filter, ready to be compiled for either store. */
export type Filter = { all: Filter[] } | { any: Filter[] } | { none: Filter } | { ids: number[] } | { leaf: Leaf };

export interface CheckedFilter {
  condition: Filter;
  archived: ArchivedChoice;
}

const MAX_DEPTH = 8;
const MAX_VALUES = 1000;
const MAX_CONDITIONS = 1000;
const COMBINATORS = new Set(['and', 'or', 'not', 'archived']);

function checkLength(values: readonly unknown[], field: string): void {
  if (values.length > MAX_VALUES) {
    throw new DomainError('BAD_INPUT', `${field}: ${values.length} values; at most ${MAX_VALUES} are allowed.`, {
      details: { field },
    });
  }
}

function checkText(value: unknown, field: string): void {
  if (typeof value === 'string' && !isStorable(value)) {
    throw new DomainError('BAD_INPUT', `${field}: ${UNSTORABLE_PROBLEM}.`, { details: { field } });
  }
}

function checkDate(value: unknown, field: string): void {
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    throw new DomainError('BAD_INPUT', `${field}: not a date; use ISO 8601.`, { details: { field } });
  }
}

const fieldsByKind = new WeakMap<RecordKind, ReadonlyMap<string, FilterField>>();

function fieldsOf(kind: RecordKind): ReadonlyMap<string, FilterField> {
  let fields = fieldsByKind.get(kind);
  if (!fields) fieldsByKind.set(kind, (fields = new Map(filterFields(kind).map((field) => [field.field, field]))));
  return fields;
}

/** Turns a client's filter into a checked one. Null operators count as absent. */
export class FilterReader {
  private readonly fields: ReadonlyMap<string, FilterField>;
  private conditionCount = 0;

  constructor(
    private readonly kind: RecordKind,
    private readonly registry: KindRegistry,
    /** What the list of record ids is called: `ids`, or `storyIds` where the filter is of a story's chunks. */
    private readonly idsName = 'ids',
  ) {
    this.fields = fieldsOf(kind);
  }

  read(input: FilterInput | null | undefined, path = 'filter'): CheckedFilter {
    this.conditionCount = 0;
    return {
      condition: input ? this.readNode(input, path, 0) : { all: [] },
      archived: input?.archived ?? 'EXCLUDE',
    };
  }

  private readNode(input: FilterInput, path: string, depth: number): Filter {
    if (depth > MAX_DEPTH) {
      throw new DomainError('BAD_INPUT', `${path}: filters nest more than ${MAX_DEPTH} levels deep.`, {
        details: { field: path, max: MAX_DEPTH },
      });
    }
    if (depth > 0 && input.archived != null) {
      throw new DomainError('BAD_INPUT', `${path}.archived: can be chosen at the top level of a filter only.`, {
        details: { field: `${path}.archived` },
      });
    }
    if (++this.conditionCount > MAX_CONDITIONS) {
      throw new DomainError('BAD_INPUT', `filter: has more conditions than the ${MAX_CONDITIONS} that are allowed.`, {
        details: { field: 'filter', max: MAX_CONDITIONS },
      });
    }
    const all: Filter[] = [];
    const ids = input[this.idsName] as string[] | null | undefined;
    if (ids) {
      const at = `${path}.${this.idsName}`;
      checkLength(ids, at);
      all.push({ ids: ids.map((id, i) => decodeIdOf(this.kind.names.type, id, `${at}[${i}]`)) });
    }
    if (input.and) all.push({ all: input.and.map((node, i) => this.readNode(node, `${path}.and[${i}]`, depth + 1)) });
    if (input.or) all.push({ any: input.or.map((node, i) => this.readNode(node, `${path}.or[${i}]`, depth + 1)) });
    if (input.not) all.push({ none: this.readNode(input.not, `${path}.not`, depth + 1) });
    for (const [name, operators] of Object.entries(input)) {
      if (name === this.idsName || COMBINATORS.has(name) || operators === null || operators === undefined) continue;
      const field = this.fields.get(name);
      if (!field) throw new DomainError('BAD_INPUT', `${path}.${name}: not a filter of ${this.kind.names.label}s.`);
      all.push(...this.readOperators(field, operators as Record<string, unknown>, `${path}.${name}`));
    }
    return all.length === 1 ? (all[0] as Filter) : { all };
  }

  private readOperators(field: FilterField, operators: Record<string, unknown>, path: string): Filter[] {
    const target = field.referenceKind === undefined ? undefined : this.registry.kind(field.referenceKind).names.type;
    const scalar = (value: unknown, at: string): Scalar => {
      checkDate(value, at);
      checkText(value, at);
      return target === undefined ? (value as Scalar) : decodeIdOf(target, String(value), at);
    };
    const leaves: Filter[] = [];
    for (const [op, value] of Object.entries(operators)) {
      if (value === null || value === undefined) continue;
      const at = `${path}.${op}`;
      switch (op) {
        case 'eq':
          leaves.push({ leaf: { op, field, value: scalar(value, at) } });
          break;
        case 'in': {
          const values = value as unknown[];
          checkLength(values, at);
          leaves.push({ leaf: { op, field, values: values.map((one, i) => scalar(one, `${at}[${i}]`)) } });
          break;
        }
        case 'isNull':
          leaves.push({ leaf: { op, field, isNull: value as boolean } });
          break;
        case 'gt':
        case 'gte':
        case 'lt':
        case 'lte':
          checkDate(value, at);
          leaves.push({ leaf: { op, field, value: value as number | Date } });
          break;
        case 'has':
          checkText(value, at);
          leaves.push({ leaf: { op: 'hasAll', field, values: [foldListValue(value as string)] } });
          break;
        case 'hasAny':
        case 'hasAll': {
          const values = value as string[];
          checkLength(values, at);
          values.forEach((one, i) => checkText(one, `${at}[${i}]`));
          leaves.push({ leaf: { op, field, values: values.map(foldListValue) } });
          break;
        }
        default:
          throw new DomainError('BAD_INPUT', `${at}: unknown operator.`);
      }
    }
    return leaves;
  }
}

/** Collects the values of a parameterised statement. */
export class SqlValues {
  readonly values: unknown[] = [];

  /** The placeholder of `value`. */
  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

const COMPARISON: Record<RangeOperator, string> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** SQL condition over alias `t`. Absent values fail every comparison, as in Qdrant. */
export function filterToSql(filter: Filter, values: SqlValues): string {
  if ('all' in filter) {
    return filter.all.length === 0 ? 'true' : filter.all.map((f) => `(${filterToSql(f, values)})`).join(' AND ');
  }
  if ('any' in filter) {
    return filter.any.length === 0 ? 'false' : filter.any.map((f) => `(${filterToSql(f, values)})`).join(' OR ');
  }
  if ('none' in filter) return `(${filterToSql(filter.none, values)}) IS NOT TRUE`;
  if ('ids' in filter) return `t.id = ANY(${values.add(filter.ids)}::int[])`;
  const { leaf } = filter;
  const { sql } = leaf.field;
  switch (leaf.op) {
    case 'eq':
      return `${sql} = ${values.add(leaf.value)}`;
    case 'in':
      return `${sql} = ANY(${values.add(leaf.values)})`;
    case 'isNull':
      return leaf.field.type === 'list'
        ? `(cardinality(${sql}) = 0) = ${values.add(leaf.isNull)}`
        : `(${sql} IS NULL) = ${values.add(leaf.isNull)}`;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return leaf.value instanceof Date
        ? dateRangeSql(sql, leaf.op, leaf.value, values)
        : `${sql} ${COMPARISON[leaf.op]} ${values.add(leaf.value)}`;
    case 'hasAny':
      return `${foldedItems(sql)} && ${values.add(leaf.values)}::text[]`;
    case 'hasAll':
      return `${foldedItems(sql)} @> ${values.add(leaf.values)}::text[]`;
  }
}

const foldedItems = (sql: string): string => `ARRAY(SELECT ${foldListSql('item')} FROM unnest(${sql}) item)`;

/**
 * Columns hold microseconds; clients and payloads know milliseconds. What falls into the bound's own millisecond equals
 * it: said of the bound and not of the column, so that an index on the column still serves.
 */
function dateRangeSql(sql: string, op: RangeOperator, bound: Date, values: SqlValues): string {
  const isFromBelow = op === 'gte' || op === 'lt';
  const at = isFromBelow ? bound : new Date(bound.getTime() + 1);
  return `${sql} ${op === 'gt' || op === 'gte' ? '>=' : '<'} ${values.add(at)}`;
}

const forPayload = (value: Scalar): string | number | boolean => (value instanceof Date ? value.toISOString() : value);

function leafToCondition(leaf: Leaf): VectorCondition {
  const key = leaf.field.payloadKey;
  switch (leaf.op) {
    case 'eq': {
      const value = forPayload(leaf.value);
      if (leaf.field.type === 'datetime') return { key, range: { gte: String(value), lte: String(value) } };
      if (leaf.field.type === 'float') return { key, range: { gte: Number(value), lte: Number(value) } };
      return { key, match: { value } };
    }
    case 'in':
      if (leaf.values.length === 0) return { should: [] };
      if (leaf.field.type === 'datetime' || leaf.field.type === 'float' || leaf.field.type === 'boolean') {
        return { should: leaf.values.map((value) => leafToCondition({ op: 'eq', field: leaf.field, value })) };
      }
      return { key, match: { any: leaf.values.map(forPayload) as string[] } };
    case 'isNull':
      return leaf.isNull ? { is_empty: { key } } : { must_not: [{ is_empty: { key } }] };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return { key, range: { [leaf.op]: forPayload(leaf.value) } as RangeBounds<number> };
    case 'hasAny':
      return leaf.values.length === 0 ? { should: [] } : { key, match: { any: leaf.values } };
    case 'hasAll':
      return { must: leaf.values.map((value) => ({ key, match: { value } })) };
  }
}

/** The same filter for Qdrant, over the payload that mirrors the record. */
export function filterToVector(filter: Filter): VectorFilter {
  if ('all' in filter) return { must: filter.all.map(filterToVector) };
  if ('any' in filter) return { should: filter.any.map(filterToVector) };
  if ('none' in filter) return { must_not: [filterToVector(filter.none)] };
  if ('ids' in filter) {
    return filter.ids.length === 0 ? { should: [] } : { must: [{ key: 'entity_id', match: { any: filter.ids } }] };
  }
  return { must: [leafToCondition(filter.leaf)] };
}
