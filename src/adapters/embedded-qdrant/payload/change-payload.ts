import { getKey, isObject, setKey, type Json, type JsonObject } from '../json/json-value';
import type { JsonPath, PathStep } from './json-path';

/** A copy with the top-level keys of `change` merged in; a null deletes its key. */
export function mergePayload(payload: JsonObject, change: JsonObject): JsonObject {
  const result = { ...payload };
  mergeInto(result, change);
  return result;
}

/** A copy with `change` merged into the object at `path`, which is made where it is missing. */
export function mergePayloadAt(payload: JsonObject, path: JsonPath, change: JsonObject): JsonObject {
  const result = structuredCopy(payload);
  mergeAtKey(result, path.first, path.rest, change);
  return result;
}

/** A copy without what the paths lead to. Single array elements (`a[0]`) stay, as in Qdrant. */
export function removeFromPayload(payload: JsonObject, paths: readonly JsonPath[]): JsonObject {
  const isShallow = paths.every((path) => path.plainKey !== undefined);
  const result = isShallow ? { ...payload } : structuredCopy(payload);
  for (const path of paths) removeAt(result, [{ key: path.first }, ...path.rest]);
  return result;
}

function mergeInto(target: JsonObject, change: JsonObject): void {
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue;
    if (value === null) delete target[key];
    else setKey(target, key, value);
  }
}

function mergeAtKey(target: JsonObject, key: string, rest: readonly PathStep[], change: JsonObject): void {
  setKey(target, key, mergeAt(getKey(target, key) ?? null, rest, change));
}

function mergeAt(value: Json, steps: readonly PathStep[], change: JsonObject): Json {
  const [step, ...rest] = steps;
  if (step === undefined) {
    const target = isObject(value) ? value : {};
    mergeInto(target, change);
    return target;
  }
  if (step === 'each') return Array.isArray(value) ? value.map((item) => mergeAt(item, rest, change)) : [];
  if ('index' in step) {
    if (!Array.isArray(value)) return [];
    const item = value[step.index];
    if (item !== undefined) value[step.index] = mergeAt(item, rest, change);
    return value;
  }
  const target = isObject(value) ? value : {};
  mergeAtKey(target, step.key, rest, change);
  return target;
}

function removeAt(value: Json, steps: readonly PathStep[]): void {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (step === 'each') {
    if (!Array.isArray(value)) return;
    if (rest.length === 0) value.length = 0;
    else for (const item of value) removeAt(item, rest);
  } else if ('index' in step) {
    const item = Array.isArray(value) ? value[step.index] : undefined;
    if (item !== undefined && rest.length > 0) removeAt(item, rest);
  } else if (isObject(value)) {
    if (rest.length === 0) delete value[step.key];
    else removeAt(getKey(value, step.key) ?? null, rest);
  }
}

/** A deep copy; exact numbers are shared, they never change. */
export function structuredCopy<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(structuredCopy) as T;
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) setKey(result, key, structuredCopy(item));
  return result as T;
}
