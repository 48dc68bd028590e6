import type { Json, JsonObject } from '../json/json-value';
import type { MatchScalar } from '../filter/filter';
import type { ValuesTest } from '../filter/field-test';
import { valuesAt, type JsonPath } from '../payload/json-path';

/** Codes of what is not one plain scalar. */
const MISSING = 0;
const NULL = 1;
/** Arrays, objects, several values, exact numbers: looked up in the payload itself. */
const COMPLEX = 2;
const FIRST_VALUE = 3;

type Scalar = string | number | boolean;

/**
 * A payload index: one field of every point as a dictionary code, four bytes a point.
 * A condition is tested once per distinct value and then read off the codes, whatever the condition is, so the index
 * answers exactly what the payload would.
 */
export class PayloadColumn {
  private codes = new Uint32Array(64);
  private readonly values: (Scalar | undefined)[] = [undefined, undefined, undefined];
  private readonly uses: number[] = [0, 0, 0];
  private readonly codeOf = new Map<Scalar, number>();
  private readonly freeCodes: number[] = [];
  private complexCount = 0;

  constructor(readonly path: JsonPath) {}

  /** How many points have a value there. */
  get valueCount(): number {
    let count = 0;
    for (const code of this.codes) if (code >= COMPLEX) count += 1;
    return count;
  }

  set(slot: number, payload: JsonObject): void {
    this.remove(slot);
    const code = this.encode(valuesAt(this.path, payload));
    this.codes[slot] = code;
    if (code === COMPLEX) this.complexCount += 1;
    else if (code >= FIRST_VALUE) this.uses[code] = (this.uses[code] as number) + 1;
  }

  remove(slot: number): void {
    if (slot >= this.codes.length) {
      const grown = new Uint32Array(Math.max(slot + 1, Math.ceil(this.codes.length * 1.5)));
      grown.set(this.codes);
      this.codes = grown;
    }
    const code = this.codes[slot] as number;
    this.codes[slot] = MISSING;
    if (code === COMPLEX) this.complexCount -= 1;
    if (code < FIRST_VALUE) return;
    this.uses[code] = (this.uses[code] as number) - 1;
    if (this.uses[code] === 0) {
      this.codeOf.delete(this.values[code] as Scalar);
      this.values[code] = undefined;
      this.freeCodes.push(code);
    }
  }

  /** Clears the mask wherever the condition fails. @param asked scalars of which one must be there, if that is all */
  apply(
    mask: Uint8Array,
    test: ValuesTest,
    asked: readonly MatchScalar[] | undefined,
    payloads: readonly JsonObject[],
  ): void {
    const isAllowed = this.allowedCodes(test, asked);
    const { codes, complexCount } = this;
    const length = Math.min(mask.length, codes.length);
    for (let slot = 0; slot < length; slot += 1) {
      mask[slot] = (mask[slot] as number) & (isAllowed[codes[slot] as number] as number);
    }
    if (length < mask.length && isAllowed[MISSING] === 0) mask.fill(0, length);
    if (complexCount === 0) return;
    for (let slot = 0; slot < length; slot += 1) {
      if (codes[slot] !== COMPLEX || mask[slot] === 0) continue;
      if (!test(valuesAt(this.path, payloads[slot] as JsonObject))) mask[slot] = 0;
    }
  }

  /** The values of a slot, arrays opened, as facets and groups count them. */
  elementsAt(slot: number, payload: JsonObject): readonly Json[] {
    const code = this.codes[slot] ?? MISSING;
    if (code === MISSING || code === NULL) return [];
    if (code >= FIRST_VALUE) return [this.values[code] as Scalar];
    return valuesAt(this.path, payload).flatMap((value) => (Array.isArray(value) ? value : [value]));
  }

  private allowedCodes(test: ValuesTest, asked: readonly MatchScalar[] | undefined): Uint8Array {
    const isAllowed = new Uint8Array(this.values.length);
    // Rows with a complex value stay in the mask for the test proper.
    isAllowed[COMPLEX] = 1;
    if (asked !== undefined) {
      for (const value of asked) {
        const code = typeof value === 'bigint' ? undefined : this.codeOf.get(value);
        if (code !== undefined) isAllowed[code] = 1;
      }
      return isAllowed;
    }
    isAllowed[MISSING] = test([]) ? 1 : 0;
    isAllowed[NULL] = test([null]) ? 1 : 0;
    const single: Json[] = [null];
    for (let code = FIRST_VALUE; code < this.values.length; code += 1) {
      const value = this.values[code];
      if (value === undefined) continue;
      single[0] = value;
      if (test(single)) isAllowed[code] = 1;
    }
    return isAllowed;
  }

  private encode(values: readonly Json[]): number {
    if (values.length === 0) return MISSING;
    const [value] = values;
    if (values.length > 1 || (typeof value === 'object' && value !== null)) return COMPLEX;
    if (value === null || value === undefined) return NULL;
    const known = this.codeOf.get(value);
    if (known !== undefined) return known;
    const code = this.freeCodes.pop() ?? this.values.length;
    this.values[code] = value;
    this.uses[code] = 0;
    this.codeOf.set(value, code);
    return code;
  }
}
