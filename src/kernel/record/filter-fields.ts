import type { PayloadIndexType } from '../vector/vector-store';
import type { AttributeMeta } from './attribute';
import type { RecordKind } from './record-spec';

export type FilterType = 'string' | 'integer' | 'float' | 'boolean' | 'datetime' | 'id' | 'list';

/** Something that lists and searches can filter by: in SQL an expression, in Qdrant a payload key. */
export interface FilterField {
  /** Name in the GraphQL filter. */
  field: string;
  type: FilterType;
  payloadKey: string;
  /** SQL expression over alias `t`. */
  sql: string;
  description?: string;
  /** Kind that an `id` filter's values belong to. */
  referenceKind?: string;
}

function typeOf(attribute: AttributeMeta): FilterType {
  if (attribute.reference) return 'id';
  switch (attribute.type) {
    case 'strings':
    case 'json':
      return 'list';
    case 'integer':
    case 'float':
    case 'boolean':
    case 'datetime':
      return attribute.type;
    case 'string':
    case 'text':
    case 'partialDate':
    case 'uuid':
    case 'choice':
      return 'string';
  }
}

/** Every filterable field of a kind. Lists and searches share it, so that both mean the same by a filter. */
export function filterFields(kind: RecordKind): FilterField[] {
  return [
    ...kind.attributes
      .filter((attribute) => attribute.isFilterable)
      .map((attribute) => ({
        field: attribute.property,
        type: typeOf(attribute),
        payloadKey: attribute.column,
        sql: attribute.filterSql ?? `t.${attribute.column}`,
        description: attribute.description,
        referenceKind: attribute.reference?.kind,
      })),
    ...(kind.derivedFilters ?? []).map((derived) => ({
      field: derived.field,
      type: 'list' as const,
      payloadKey: derived.payloadKey,
      sql: derived.sql,
      description: derived.description,
    })),
    { field: 'createdAt', type: 'datetime', payloadKey: 'created_at', sql: 't.created_at' },
  ];
}

/** The payload index that a filter field needs in Qdrant. */
export function payloadIndexType(type: FilterType): PayloadIndexType {
  switch (type) {
    case 'string':
    case 'list':
      return 'keyword';
    case 'id':
    case 'integer':
      return 'integer';
    case 'float':
      return 'float';
    case 'boolean':
      return 'bool';
    case 'datetime':
      return 'datetime';
  }
}

/**
 * An item of a list as filters compare it: without regard to case and outer white space.
 * Letter by letter, as SQL's `lower` does it; on the whole text, JavaScript would write a last Σ as ς.
 */
export function foldListValue(value: string): string {
  const letters = Array.from(value.trim(), (letter) => (letter === 'İ' ? 'i' : letter.toLowerCase()));
  return letters.join('').replaceAll('ς', 'σ');
}

/** What `trim` removes, for a language whose own `btrim` removes only spaces. */
const WHITE_SPACE_SQL = String.raw`E' \t\n\u000B\f\r\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF'`;

/** The same in SQL; both sides of a comparison must go through it. */
export const foldListSql = (expression: string): string =>
  `lower(translate(btrim(${expression}, ${WHITE_SPACE_SQL}), 'İς', 'iσ'))`;
