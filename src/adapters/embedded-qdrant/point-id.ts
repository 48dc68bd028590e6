import { integerOf, type Json } from './json/json-value';

/** An unsigned 64-bit integer (a bigint beyond 2^53) or a canonical UUID in lower case with hyphens. */
export type PointId = number | bigint | string;

const MAX_INTEGER_ID = 2n ** 64n - 1n;
const UUID = /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

/** `undefined` when the value is no point id. UUIDs are taken in any spelling: simple, hyphenated, braced, URN. */
export function parsePointId(value: Json | undefined): PointId | undefined {
  if (typeof value === 'string') {
    const match = UUID.exec(value);
    return match === null ? undefined : match.slice(1).join('-').toLowerCase();
  }
  const integer = integerOf(value);
  return integer === undefined || integer < 0 || integer > MAX_INTEGER_ID ? undefined : integer;
}

/** Order of a scroll: numbers first, then UUIDs. */
export function comparePointIds(a: PointId, b: PointId): number {
  const isTextA = typeof a === 'string';
  if (isTextA !== (typeof b === 'string')) return isTextA ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function writePointId(id: PointId): string {
  return typeof id === 'string' ? `"${id}"` : String(id);
}

/** How an id is stored: a UUID contains hyphens, a number never does. */
export const storedPointId = (id: PointId): string => String(id);

export function restorePointId(stored: string): PointId | undefined {
  if (stored.includes('-')) return parsePointId(stored);
  if (!/^\d+$/.test(stored)) return undefined;
  const value = Number(stored);
  return Number.isSafeInteger(value) ? value : BigInt(stored);
}
