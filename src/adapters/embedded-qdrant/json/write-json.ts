import { ExactNumber, type Json } from './json-value';

/** Whether a value holds a number that JSON.stringify would not write as it was sent. */
export function hasExactNumbers(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof ExactNumber) return true;
  if (Array.isArray(value)) return value.some(hasExactNumbers);
  for (const key in value) if (hasExactNumbers(value[key])) return true;
  return false;
}

/** JSON text of a value, exact numbers as they were sent. */
export function writeJson(value: Json | undefined): string {
  return hasExactNumbers(value) ? writeExact(value ?? null) : JSON.stringify(value ?? null);
}

function writeExact(value: Json): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeExact).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${writeExact(item)}`).join(',')}}`;
}

/**
 * The double whose shortest text is the shortest text of a 32-bit float: 0.1 for the float nearest to 0.1, where the
 * float itself would print as 0.10000000149011612.
 */
export function shortestDouble(float: number): number {
  if (Number.isInteger(float) || !Number.isFinite(float)) return float;
  const exponent = Math.floor(Math.log10(Math.abs(float)));
  for (let digits = 6; digits <= 9; digits += 1) {
    const power = digits - 1 - exponent;
    if (power < 0 || power > 22) break;
    const scale = POWERS_OF_TEN[power] as number;
    const candidate = Math.round(float * scale) / scale;
    if (Math.fround(candidate) === float) return candidate;
  }
  for (let digits = 6; digits <= 9; digits += 1) {
    const candidate = Number(float.toPrecision(digits));
    if (Math.fround(candidate) === float) return candidate;
  }
  return float;
}

const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
