/**
 * A number that a JavaScript number would not give back as it was written: an integer beyond 2^53, or a float without a
 * fraction (`3.0`), which Qdrant does not take for an integer.
 */
export class ExactNumber {
  readonly isInteger: boolean;
  readonly value: number;

  constructor(readonly text: string) {
    this.isInteger = /^-?\d+$/.test(text);
    this.value = Number(text);
  }
}

export type Json = null | boolean | number | string | ExactNumber | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** The value of a JSON number, `undefined` for anything else. */
export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return value instanceof ExactNumber ? value.value : undefined;
}

/** A JSON integer: a number when it is safe, else a bigint; `undefined` for floats (`3.0` is one) and anything else. */
export function integerOf(value: Json | undefined): number | bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return value instanceof ExactNumber && value.isInteger ? BigInt(value.text) : undefined;
}

/** Sets an own key whatever its name, `__proto__` included. */
export function setKey(target: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

export function getKey(target: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}
