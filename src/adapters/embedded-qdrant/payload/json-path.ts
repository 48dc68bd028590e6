import { getKey, isObject, type Json, type JsonObject } from '../json/json-value';

/** One step of a payload path: a key, `[3]`, or `[]` for every element. */
export type PathStep = { key: string } | { index: number } | 'each';

export interface JsonPath {
  text: string;
  /** Set for the commonest path, one plain key. */
  plainKey: string | undefined;
  first: string;
  rest: PathStep[];
}

const STEP = /(?:(^|\.)(?:([\p{L}\p{N}_-]+)|"([^"\\]*)"))|\[(\d*)\]/uy;

/** `undefined` when the text is no path such as `a.b`, `a[].b`, `a[0]` or `"odd key".b`. */
export function parsePath(text: string): JsonPath | undefined {
  const steps: PathStep[] = [];
  let position = 0;
  while (position < text.length) {
    STEP.lastIndex = position;
    const match = STEP.exec(text);
    if (match === null || (position === 0) !== (match[1] === '')) return undefined;
    const key = match[2] ?? match[3];
    if (key !== undefined) steps.push({ key });
    else steps.push(match[4] === '' ? 'each' : { index: Number(match[4]) });
    position = STEP.lastIndex;
  }
  const [first, ...rest] = steps;
  if (first === undefined || first === 'each' || !('key' in first)) return undefined;
  return { text, plainKey: rest.length === 0 ? first.key : undefined, first: first.key, rest };
}

/** Every value that a path leads to; an array at its end is one value. */
export function valuesAt(path: JsonPath, payload: JsonObject): Json[] {
  const value = getKey(payload, path.first);
  if (value === undefined) return [];
  if (path.rest.length === 0) return [value];
  const found: Json[] = [];
  collect(path.rest, 0, value, found);
  return found;
}

function collect(steps: readonly PathStep[], at: number, value: Json, found: Json[]): void {
  const step = steps[at];
  if (step === undefined) {
    found.push(value);
  } else if (step === 'each') {
    if (Array.isArray(value)) for (const item of value) collect(steps, at + 1, item, found);
  } else if ('index' in step) {
    const item = Array.isArray(value) ? value[step.index] : undefined;
    if (item !== undefined) collect(steps, at + 1, item, found);
  } else {
    const item = isObject(value) ? getKey(value, step.key) : undefined;
    if (item !== undefined) collect(steps, at + 1, item, found);
  }
}

/** The path to the elements of the array that `path` leads to. */
export function elementsOf(path: JsonPath): JsonPath {
  if (path.rest.at(-1) === 'each') return path;
  return { text: `${path.text}[]`, plainKey: undefined, first: path.first, rest: [...path.rest, 'each'] };
}

export function sameStep(a: PathStep | undefined, b: PathStep | undefined): boolean {
  if (a === undefined || b === undefined || a === 'each' || b === 'each') return a === b;
  if ('key' in a) return 'key' in b && a.key === b.key;
  return 'index' in b && a.index === b.index;
}
