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

/** Lists are compared without regard to case, on both sides. */
export const foldListValue = (value: string): string => value.trim().toLowerCase();
