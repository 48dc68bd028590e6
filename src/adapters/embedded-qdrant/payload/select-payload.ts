import { isObject, setKey, type Json, type JsonObject } from '../json/json-value';
import { sameStep, type JsonPath, type PathStep } from './json-path';

/** What of a payload a read returns: all, nothing, or some paths. */
export type PayloadSelection = boolean | { include: JsonPath[] } | { exclude: JsonPath[] };

/** The selected part of a payload, `undefined` when none is wanted. */
export function selectPayload(payload: JsonObject, selection: PayloadSelection): JsonObject | undefined {
  if (selection === false) return undefined;
  if (selection === true) return payload;
  if ('include' in selection) {
    if (selection.include.every((path) => path.plainKey !== undefined)) return pick(payload, selection.include);
    return keepObject(payload, [], (steps) => selection.include.some((path) => isIncluded(path, steps)));
  }
  return keepObject(payload, [], (steps) => !selection.exclude.some((path) => isExcluded(path, steps)));
}

function pick(payload: JsonObject, paths: readonly JsonPath[]): JsonObject {
  const result: JsonObject = {};
  for (const { first } of paths) {
    const value = Object.hasOwn(payload, first) ? payload[first] : undefined;
    if (value !== undefined) setKey(result, first, value);
  }
  return result;
}

/** Either path leads into the other. */
function isIncluded(path: JsonPath, steps: readonly PathStep[]): boolean {
  if (!sameStep({ key: path.first }, steps[0])) return false;
  const shared = Math.min(path.rest.length, steps.length - 1);
  for (let at = 0; at < shared; at += 1) if (!sameStep(path.rest[at], steps[at + 1])) return false;
  return true;
}

/** The excluded path is where we are, or leads here. */
function isExcluded(path: JsonPath, steps: readonly PathStep[]): boolean {
  return path.rest.length < steps.length && isIncluded(path, steps);
}

type Keep = (steps: readonly PathStep[]) => boolean;

function keepObject(value: JsonObject, steps: PathStep[], keep: Keep): JsonObject {
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    steps.push({ key });
    if (keep(steps)) setKey(result, key, keepValue(item, steps, keep));
    steps.pop();
  }
  return result;
}

function keepValue(value: Json, steps: PathStep[], keep: Keep): Json {
  if (isObject(value)) return keepObject(value, steps, keep);
  if (!Array.isArray(value)) return value;
  steps.push('each');
  const kept = value.filter(() => keep(steps)).map((item) => keepValue(item, steps, keep));
  steps.pop();
  return kept;
}
