import type { Collection } from '../engine/collection';
import type { PayloadIndex } from '../engine/collection-config';
import type { Json } from '../json/json-value';
import type { JsonPath } from '../payload/json-path';
import { parsePointId } from '../point-id';
import { badInput } from '../qdrant-error';
import type { Candidates } from './candidates';

type FacetValue = string | number | boolean;

export interface FacetHit {
  value: FacetValue;
  count: number;
}

/** How many candidates have each value of an indexed field: most first, then by value. A value counts once a point. */
export function facet(collection: Collection, candidates: Candidates, path: JsonPath, limit: number): FacetHit[] {
  const index = collection.indexes.get(path.text);
  const column = collection.columnOf(path.text);
  const isCounted = index && countedBy(index);
  if (column === undefined || isCounted === undefined) {
    throw badInput(
      `Index required but not found for "${path.text}" of one of the following types: [keyword, integer (with lookup), bool, uuid]`,
    );
  }
  const counts = new Map<FacetValue, number>();
  for (const slot of candidates.slots()) {
    for (const value of new Set(column.elementsAt(slot, collection.payloads[slot] ?? {}))) {
      if (isCounted(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const hits = [...counts].map(([value, count]) => ({ value, count }));
  return hits.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, limit);
}

/** Which values an index of this type holds; `undefined` when it cannot count. */
function countedBy({ type, hasLookup }: PayloadIndex): ((value: Json) => value is FacetValue) | undefined {
  switch (type) {
    case 'keyword':
      return (value) => typeof value === 'string';
    case 'integer':
      return hasLookup ? (value): value is number => Number.isInteger(value) : undefined;
    case 'bool':
      return (value) => typeof value === 'boolean';
    case 'uuid':
      return (value): value is string => typeof value === 'string' && parsePointId(value) !== undefined;
    case 'float':
    case 'datetime':
    case 'geo':
    case 'text':
      return undefined;
  }
}
