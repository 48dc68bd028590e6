import { integerOf, numberOf, type Json } from '../json/json-value';
import { unsupported } from '../qdrant-error';
import { parseDatetime } from './datetime';
import type { Bounds, FieldTest, MatchScalar } from './filter';
import { geoDistance, geoPointOf, isInBox, isInPolygon } from './geo';
import { containsPhrase, tokensOf, type TextOptions } from './text-tokens';

/** Whether the values that a path resolved to satisfy a condition. */
export type ValuesTest = (values: readonly Json[]) => boolean;

/** @param textIndex set when the field has a text index, which makes text matching token based */
export function valuesTest(tests: readonly FieldTest[], textIndex: TextOptions | undefined): ValuesTest {
  const compiled = tests.map((test) => compile(test, textIndex));
  const [only] = compiled;
  if (only !== undefined && compiled.length === 1) return only;
  return (values) => compiled.some((test) => test(values));
}

/** The scalars of which one must be there, when that is all a condition asks. */
export function scalarsAsked(tests: readonly FieldTest[]): readonly MatchScalar[] | undefined {
  const [only] = tests;
  return tests.length === 1 && only?.test === 'equals_any' ? only.values : undefined;
}

function compile(test: FieldTest, textIndex: TextOptions | undefined): ValuesTest {
  switch (test.test) {
    case 'equals_any': {
      const wanted = new Set(test.values);
      return anyElement((value) => isOneOf(value, wanted));
    }
    case 'except': {
      const unwanted = new Set(test.values);
      return anyElement((value) => value !== null && !isOneOf(value, unwanted));
    }
    case 'text':
      return anyElement(textTest(test.mode, test.text, textIndex));
    case 'range':
      return anyElement((value) => {
        const number = numberOf(value);
        return number !== undefined && isWithin(number, test.bounds);
      });
    case 'datetime_range':
      return anyElement((value) => {
        const instant = typeof value === 'string' ? parseDatetime(value) : undefined;
        return instant !== undefined && isWithin(instant, test.bounds);
      });
    case 'geo_box':
      return anyPoint((point) => isInBox(point, test.topLeft, test.bottomRight));
    case 'geo_radius':
      return anyPoint((point) => geoDistance(point, test.center) < test.metres);
    case 'geo_polygon':
      return anyPoint((point) => isInPolygon(point, test.exterior, test.interiors));
    case 'values_count':
      return (values) => values.some((value) => isWithin(countOf(value), test.bounds));
    case 'is_empty':
      return (values) => isEmpty(values) === test.isEmpty;
    case 'is_null':
      return (values) => values.includes(null) === test.isNull;
  }
}

/** An array matches through any element; an array inside an array is not opened. */
function anyElement(test: (value: Json) => boolean): ValuesTest {
  return (values) => {
    for (const value of values) {
      if (Array.isArray(value)) {
        for (const item of value) if (test(item)) return true;
      } else if (test(value)) {
        return true;
      }
    }
    return false;
  };
}

function anyPoint(test: (point: { lon: number; lat: number }) => boolean): ValuesTest {
  return anyElement((value) => {
    const point = geoPointOf(value);
    return point !== undefined && test(point);
  });
}

function isOneOf(value: Json, wanted: ReadonlySet<MatchScalar>): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return wanted.has(value);
  const integer = integerOf(value);
  return integer !== undefined && wanted.has(integer);
}

export function isWithin(value: number, { lt, lte, gt, gte }: Bounds): boolean {
  return (
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte) &&
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte)
  );
}

function countOf(value: Json): number {
  if (value === null) return 0;
  return Array.isArray(value) ? value.length : 1;
}

function isEmpty(values: readonly Json[]): boolean {
  return values.every((value) => value === null || (Array.isArray(value) && value.length === 0));
}

function textTest(
  mode: 'all' | 'any' | 'phrase',
  text: string,
  textIndex: TextOptions | undefined,
): (value: Json) => boolean {
  if (textIndex === undefined) {
    if (mode === 'any') {
      // Qdrant splits the words of `text_any` at white space when there is no index.
      const words = text.split(/\s+/u).filter((word) => word !== '');
      return (value) => typeof value === 'string' && words.some((word) => value.includes(word));
    }
    return (value) => typeof value === 'string' && value.includes(text);
  }
  const wanted = tokensOf(text, textIndex);
  if (mode === 'phrase') {
    if (!textIndex.hasPhrases) {
      throw unsupported('`match.phrase` on a text index made without `phrase_matching: true`');
    }
    return (value) =>
      typeof value === 'string' && wanted.length > 0 && containsPhrase(tokensOf(value, textIndex), wanted);
  }
  return (value) => {
    if (typeof value !== 'string' || wanted.length === 0) return false;
    const tokens = new Set(tokensOf(value, textIndex));
    return mode === 'any' ? wanted.some((token) => tokens.has(token)) : wanted.every((token) => tokens.has(token));
  };
}
