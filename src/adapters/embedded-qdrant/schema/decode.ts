import { integerOf, isObject, numberOf, type Json, type JsonObject } from '../json/json-value';
import { badFormat, invalid, unsupported } from '../qdrant-error';

/**
 * Turns a JSON value into a typed one, or refuses it: 400 for a wrong type, 422 for an unknown key or a value out of
 * range, 501 for what Qdrant knows and this server does not do.
 * @param at where the value stands, e.g. `points[3].vector`; empty for the body itself
 */
export type Decoder<T> = (value: Json | undefined, at: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

export const within = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`);

/** What was sent, short enough for a message. */
export function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return `an object with ${Object.keys(value).join(', ') || 'no keys'}`;
  const number = numberOf(value);
  const text = number === undefined ? JSON.stringify(value) : String(number);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function expected(what: string, value: Json | undefined, at: string): never {
  if (value === undefined) throw badFormat(at, `missing field, expected ${what}`);
  throw badFormat(at, `expected ${what}, got ${describe(value)}`);
}

export const text: Decoder<string> = (value, at) =>
  typeof value === 'string' ? value : expected('a string', value, at);

export const flag: Decoder<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : expected('true or false', value, at);

export const number: Decoder<number> = (value, at) => numberOf(value) ?? expected('a number', value, at);

export const anything: Decoder<Json> = (value, at) => (value === undefined ? expected('a value', value, at) : value);

export const jsonObject: Decoder<JsonObject> = (value, at) =>
  isObject(value) ? value : expected('an object', value, at);

/** A whole number, 422 below `minimum` or above `maximum`. */
export function integer(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (value, at) => {
    const whole = integerOf(value) ?? expected('an integer', value, at);
    if (whole < 0 && minimum >= 0) throw badFormat(at, `expected an unsigned integer, got ${whole}`);
    if (whole < minimum) throw invalid(at, `value ${whole} invalid, must be ${minimum} or larger`);
    // A limit beyond what a number can count means "everything".
    return whole > maximum ? maximum : Number(whole);
  };
}

export function numberBetween(minimum: number, maximum: number): Decoder<number> {
  return (value, at) => {
    const result = number(value, at);
    if (result >= minimum && result <= maximum) return result;
    throw invalid(at, `value ${result} invalid, must be from ${minimum} to ${maximum}`);
  };
}

export function oneOf<const T extends string>(...allowed: T[]): Decoder<T> {
  return (value, at) => {
    const found = allowed.find((item) => item === value);
    return found ?? expected(`one of ${allowed.map((item) => `\`${item}\``).join(', ')}`, value, at);
  };
}

/** Absent and null give `undefined`. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, at) => (value === undefined || value === null ? undefined : decoder(value, at));
}

export function withDefault<T>(decoder: Decoder<T>, fallback: T): Decoder<T> {
  return (value, at) => (value === undefined || value === null ? fallback : decoder(value, at));
}

/** Absent, null and `false` pass; anything else is answered 501. */
export function notSupported(feature: string): Decoder<undefined> {
  return (value) => {
    if (value === undefined || value === null || value === false) return undefined;
    throw unsupported(feature);
  };
}

export function list<T>(decoder: Decoder<T>): Decoder<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return expected('a list', value, at);
    return value.map((item, index) => decoder(item, `${at}[${index}]`));
  };
}

/** A single value may stand where a list is allowed. */
export function oneOrMany<T>(decoder: Decoder<T>): Decoder<T[]> {
  const many = list(decoder);
  return (value, at) => (Array.isArray(value) ? many(value, at) : [decoder(value, at)]);
}

export function record<T>(decoder: Decoder<T>): Decoder<Map<string, T>> {
  return (value, at) => {
    const source = jsonObject(value, at);
    return new Map(Object.entries(source).map(([key, item]) => [key, decoder(item, within(at, key))]));
  };
}

type Fields = Record<string, Decoder<unknown>>;
type DecodedFields<F extends Fields> = { [K in keyof F]: Decoded<F[K]> };

/**
 * An object with these keys and no others.
 * @param aliases other spellings that Qdrant takes, each with the key it stands for
 */
export function object<F extends Fields>(fields: F, aliases: Record<string, string> = {}): Decoder<DecodedFields<F>> {
  const entries = Object.entries(fields);
  const otherNames = Object.keys(aliases);
  return (value, at) => {
    let source = jsonObject(value, at);
    for (const name of otherNames) {
      if (!Object.hasOwn(source, name)) continue;
      const { [name]: item, ...rest } = source;
      source = { ...rest, [aliases[name] as string]: item };
    }
    refuseUnknownKeys(source, fields, at);
    const result: Record<string, unknown> = {};
    for (const [key, decoder] of entries) {
      result[key] = decoder(Object.hasOwn(source, key) ? source[key] : undefined, within(at, key));
    }
    return result as DecodedFields<F>;
  };
}

/** An object told apart by the one key that must be there, e.g. `{"upsert": …}`. */
export function tagged<T>(variants: Record<string, Decoder<T>>): Decoder<T> {
  const names = Object.keys(variants);
  return (value, at) => {
    const source = jsonObject(value, at);
    const tag = names.find((name) => Object.hasOwn(source, name));
    if (tag === undefined) {
      const keys = Object.keys(source);
      if (keys.length === 0) return expected(`one of ${names.map((name) => `\`${name}\``).join(', ')}`, value, at);
      throw unknownKey(keys[0] as string, names, at);
    }
    return (variants[tag] as Decoder<T>)(value, at);
  };
}

export function refuseUnknownKeys(source: JsonObject, known: object, at: string): void {
  for (const key in source) if (!Object.hasOwn(known, key)) throw unknownKey(key, Object.keys(known), at);
}

function unknownKey(key: string, known: readonly string[], at: string): Error {
  return invalid(at, `unknown field \`${key}\`, expected one of ${known.map((name) => `\`${name}\``).join(', ')}`);
}
