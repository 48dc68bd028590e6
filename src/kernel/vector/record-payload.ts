import { filterFields, foldListValue, payloadIndexType } from '../record/filter-fields';
import type { RecordKind } from '../record/record-spec';
import type { Source } from '../record/source';
import type { Payload, PayloadIndexType, PayloadValue } from './vector-store';

/** Keys that every point has, besides its record's filterable fields. */
export interface PointFacts {
  embedding_type: string;
  content_hash: string;
  /** Grows with every change of text or payload; the vector server keeps the higher one. */
  revision: number;
}

const FIXED_INDEXES: Record<string, PayloadIndexType> = {
  entity_id: 'integer',
  embedding_type: 'keyword',
  archived: 'bool',
  revision: 'integer',
};

/** The payload indexes that a kind's collection has, by payload key. */
export function payloadIndexes(kind: RecordKind): Record<string, PayloadIndexType> {
  const filters = filterFields(kind).map((field) => [field.payloadKey, payloadIndexType(field.type)] as const);
  return { ...Object.fromEntries(filters), ...FIXED_INDEXES };
}

/** What all points of one record carry. Absent values are left out; lists are folded, as filters compare them. */
export function recordPayload(kind: RecordKind, source: Source, isArchived: boolean): Payload {
  const payload: Payload = {
    entity_id: source.record.id,
    archived: isArchived,
    created_at: source.record.createdAt.toISOString(),
  };
  const record = source.record as unknown as Record<string, unknown>;
  for (const attribute of kind.attributes) {
    const value = record[attribute.property];
    if (!attribute.isFilterable || value === null || value === undefined) continue;
    payload[attribute.column] = attribute.filterValue ? folded(attribute.filterValue(value)) : payloadValue(value);
  }
  for (const derived of kind.derivedFilters ?? []) payload[derived.payloadKey] = folded(derived.values(source));
  return payload;
}

/**
 * What one point carries.
 * @param recordPart empty for a row that was not made by the relay, until its record is rendered
 */
export function pointPayload(entityId: number, recordPart: Payload, facts: PointFacts, isArchived: boolean): Payload {
  return { entity_id: entityId, ...recordPart, ...facts, archived: isArchived || recordPart.archived === true };
}

function payloadValue(value: unknown): PayloadValue {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return folded(value.map(String));
  return value as string | number | boolean;
}

function folded(values: readonly string[]): string[] {
  return [...new Set(values.map(foldListValue))];
}
