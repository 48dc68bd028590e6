/** The filter rules by their plain wording, for random points and filters: shares no code with any server. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ReferencePoint {
  id: number;
  payload: { [key: string]: Json };
}

export interface ReferenceFilter {
  must?: Condition[];
  should?: Condition[];
  must_not?: Condition[];
  min_should?: { conditions: Condition[]; min_count: number };
}

export type Condition =
  | ReferenceFilter
  | { key: string; match: { value: string | number | boolean } | { any: string[] } | { except: string[] } }
  | { key: string; range: { gt?: number; gte?: number; lt?: number; lte?: number } }
  | { is_empty: { key: string } }
  | { is_null: { key: string } }
  | { has_id: number[] }
  | { nested: { key: string; filter: ReferenceFilter } };

export function passes(filter: ReferenceFilter, point: ReferencePoint): boolean {
  const holds = (condition: Condition) => satisfies(condition, point);
  const { must = [], should, must_not = [], min_should } = filter;
  return (
    must.every(holds) &&
    !must_not.some(holds) &&
    (should === undefined || should.some(holds)) &&
    (min_should === undefined || min_should.conditions.filter(holds).length >= min_should.min_count)
  );
}

function satisfies(condition: Condition, point: ReferencePoint): boolean {
  if ('has_id' in condition) return condition.has_id.includes(point.id);
  if ('is_empty' in condition) return valuesAt(point.payload, condition.is_empty.key).every(isEmpty);
  if ('is_null' in condition) return valuesAt(point.payload, condition.is_null.key).some((value) => value === null);
  if ('nested' in condition) {
    return valuesAt(point.payload, `${condition.nested.key}[]`).some(
      (element) => isObject(element) && passes(condition.nested.filter, { id: point.id, payload: element }),
    );
  }
  if ('match' in condition)
    return elementsAt(point.payload, condition.key).some((value) => matches(value, condition.match));
  if ('range' in condition)
    return elementsAt(point.payload, condition.key).some((value) => isWithin(value, condition.range));
  return passes(condition, point);
}

function matches(value: Json, match: { value: unknown } | { any: unknown[] } | { except: unknown[] }): boolean {
  if ('any' in match) return match.any.includes(value);
  if ('except' in match) return value !== null && !match.except.includes(value);
  return value === match.value;
}

function isWithin(value: Json, range: { gt?: number; gte?: number; lt?: number; lte?: number }): boolean {
  return (
    typeof value === 'number' &&
    (range.gt === undefined || value > range.gt) &&
    (range.gte === undefined || value >= range.gte) &&
    (range.lt === undefined || value < range.lt) &&
    (range.lte === undefined || value <= range.lte)
  );
}

function isEmpty(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The values that a path leads to: `a.b` through objects, `a[]` through every element of an array. */
function valuesAt(payload: Json, path: string): Json[] {
  let values: Json[] = [payload];
  for (const step of path.split('.')) {
    const isWildcard = step.endsWith('[]');
    const key = isWildcard ? step.slice(0, -2) : step;
    values = values.flatMap((value) => (isObject(value) && key in value ? [value[key]!] : []));
    if (isWildcard) values = values.flatMap((value) => (Array.isArray(value) ? value : []));
  }
  return values;
}

/** The same, where one final array stands for its elements. */
function elementsAt(payload: Json, path: string): Json[] {
  return valuesAt(payload, path).flatMap((value) => (Array.isArray(value) ? value : [value]));
}
