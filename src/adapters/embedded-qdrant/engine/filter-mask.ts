import { scalarsAsked, valuesTest } from '../filter/field-test';
import type { Condition, Filter } from '../filter/filter';
import type { TextOptions } from '../filter/text-tokens';
import { isObject, type JsonObject } from '../json/json-value';
import { elementsOf, valuesAt } from '../payload/json-path';
import type { PointId } from '../point-id';
import type { PayloadColumn } from './payload-column';

/** What a filter looks at. Everything is by slot. */
export interface FilterSource {
  payloads: readonly JsonObject[];
  slotOf(id: PointId): number | undefined;
  /** One byte a slot; `undefined` when the collection has no such vector. */
  presenceOf(vectorName: string): Uint8Array | undefined;
  columnOf(path: string): PayloadColumn | undefined;
  textIndexOf(path: string): TextOptions | undefined;
}

/** Clears the mask (one byte a slot) wherever the filter fails. */
export function applyFilter(filter: Filter, mask: Uint8Array, source: FilterSource): void {
  const must = filter.must ?? [];
  for (const condition of must) if (isIndexed(condition, source)) applyCondition(condition, mask, source);
  for (const condition of filter.mustNot ?? []) subtract(mask, matching(condition, mask, source));
  if (filter.should !== undefined) keepAny(filter.should, 1, mask, source);
  if (filter.minShould !== undefined) keepAny(filter.minShould.conditions, filter.minShould.minCount, mask, source);
  for (const condition of must) if (!isIndexed(condition, source)) applyCondition(condition, mask, source);
}

/** Whether a condition is read off an index rather than off every payload. */
function isIndexed(condition: Condition, source: FilterSource): boolean {
  return (
    condition.kind !== 'nested' && (condition.kind !== 'field' || source.columnOf(condition.path.text) !== undefined)
  );
}

function matching(condition: Condition, mask: Uint8Array, source: FilterSource): Uint8Array {
  const result = mask.slice();
  applyCondition(condition, result, source);
  return result;
}

function subtract(mask: Uint8Array, matched: Uint8Array): void {
  for (let slot = 0; slot < mask.length; slot += 1) if (matched[slot] === 1) mask[slot] = 0;
}

function keepAny(conditions: readonly Condition[], minCount: number, mask: Uint8Array, source: FilterSource): void {
  if (minCount === 0) return;
  const counts = new Uint16Array(mask.length);
  for (const condition of conditions) {
    const matched = matching(condition, mask, source);
    for (let slot = 0; slot < mask.length; slot += 1)
      counts[slot] = (counts[slot] as number) + (matched[slot] as number);
  }
  for (let slot = 0; slot < mask.length; slot += 1) if ((counts[slot] as number) < minCount) mask[slot] = 0;
}

function applyCondition(condition: Condition, mask: Uint8Array, source: FilterSource): void {
  switch (condition.kind) {
    case 'filter':
      return applyFilter(condition.filter, mask, source);
    case 'has_id': {
      const wanted = new Uint8Array(mask.length);
      for (const id of condition.ids) {
        const slot = source.slotOf(id);
        if (slot !== undefined) wanted[slot] = 1;
      }
      return intersect(mask, wanted);
    }
    case 'has_vector': {
      const presence = source.presenceOf(condition.name);
      if (presence === undefined) mask.fill(0);
      else intersect(mask, presence);
      return;
    }
    case 'field': {
      const test = valuesTest(condition.tests, source.textIndexOf(condition.path.text));
      const column = source.columnOf(condition.path.text);
      if (column !== undefined) return column.apply(mask, test, scalarsAsked(condition.tests), source.payloads);
      return keepPayloads(mask, source, (payload) => test(valuesAt(condition.path, payload)));
    }
    case 'nested': {
      const test = compileCondition(condition, source);
      return keepPayloads(mask, source, test);
    }
  }
}

function intersect(mask: Uint8Array, other: Uint8Array): void {
  const length = Math.min(mask.length, other.length);
  for (let slot = 0; slot < length; slot += 1) mask[slot] = (mask[slot] as number) & (other[slot] as number);
  mask.fill(0, length);
}

function keepPayloads(mask: Uint8Array, source: FilterSource, test: Test): void {
  for (let slot = 0; slot < mask.length; slot += 1) {
    if (mask[slot] === 1 && !test(source.payloads[slot] as JsonObject, slot)) mask[slot] = 0;
  }
}

/** Whether one object satisfies a filter; `slot` is the point it is the payload of. */
type Test = (payload: JsonObject, slot: number) => boolean;

/** A filter as a test of single points, for when only a few are in question. */
export function pointTest(filter: Filter, source: FilterSource): (slot: number) => boolean {
  const test = compile(filter, source);
  return (slot) => test(source.payloads[slot] as JsonObject, slot);
}

/** @param source `undefined` inside `nested`, where there are no ids, vectors or indexes */
function compile(filter: Filter, source: FilterSource | undefined): Test {
  const all = (conditions: readonly Condition[] = []): Test[] =>
    conditions.map((item) => compileCondition(item, source));
  const must = all(filter.must);
  const mustNot = all(filter.mustNot);
  const should = filter.should && all(filter.should);
  const minShould = all(filter.minShould?.conditions);
  const minCount = filter.minShould?.minCount ?? 0;
  return (payload, slot) => {
    const passes = (test: Test): boolean => test(payload, slot);
    return (
      must.every(passes) &&
      !mustNot.some(passes) &&
      (should === undefined || should.some(passes)) &&
      minShould.filter(passes).length >= minCount
    );
  };
}

function compileCondition(condition: Condition, source: FilterSource | undefined): Test {
  switch (condition.kind) {
    case 'field': {
      const { path } = condition;
      const test = valuesTest(condition.tests, source?.textIndexOf(path.text));
      return (payload) => test(valuesAt(path, payload));
    }
    case 'filter':
      return compile(condition.filter, source);
    case 'nested': {
      const elements = elementsOf(condition.path);
      const test = compile(condition.filter, undefined);
      return (payload, slot) => valuesAt(elements, payload).some((element) => isObject(element) && test(element, slot));
    }
    case 'has_id': {
      const slots = new Set(condition.ids.map((id) => source?.slotOf(id)));
      return (_, slot) => slots.has(slot);
    }
    case 'has_vector': {
      const presence = source?.presenceOf(condition.name);
      return (_, slot) => presence?.[slot] === 1;
    }
  }
}
