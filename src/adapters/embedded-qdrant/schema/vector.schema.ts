import { integerOf, isObject, numberOf, type Json } from '../json/json-value';
import type { SparseVector } from '../engine/sparse-vectors';
import { UNNAMED } from '../engine/collection-config';
import { badFormat, invalid, unsupported } from '../qdrant-error';
import { expected, list, object, within, type Decoder } from './decode';

/** A vector as a client sent it, not yet fitted to a collection. */
export type RawVector = { dense: number[] } | { sparse: SparseVector };

const MAX_FLOAT = 3.4028234663852886e38;
const MAX_INDEX = 0xffff_ffff;

/** A flat list of numbers. */
export function denseVector(value: readonly Json[], at: string): number[] {
  const result = new Array<number>(value.length);
  for (let index = 0; index < value.length; index += 1) {
    const item = value[index];
    const component = typeof item === 'number' ? item : numberOf(item);
    if (component === undefined) {
      if (Array.isArray(item)) throw unsupported('multivectors');
      return expected('a number', item, `${at}[${index}]`);
    }
    if (!(Math.abs(component) <= MAX_FLOAT)) throw badFormat(`${at}[${index}]`, `${component} is no 32-bit float`);
    result[index] = component;
  }
  return result;
}

const sparseParts = object({
  indices: list((item: Json | undefined, at: string) => {
    const index = integerOf(item);
    if (typeof index === 'number' && index >= 0 && index <= MAX_INDEX) return index;
    return expected('an unsigned 32-bit integer', item, at);
  }),
  values: (value: Json | undefined, at: string) =>
    Array.isArray(value) ? denseVector(value, at) : expected('a list', value, at),
});

/** Sorted by index, whatever the order it came in. */
export const sparseVector: Decoder<SparseVector> = (value, at) => {
  const { indices, values } = sparseParts(value, at);
  if (indices.length !== values.length) {
    throw invalid(at, `must be the same length as values: ${indices.length} indices, ${values.length} values`);
  }
  if (new Set(indices).size !== indices.length) throw invalid(within(at, 'indices'), 'must be unique');
  const order = indices.map((_, position) => position).sort((a, b) => (indices[a] as number) - (indices[b] as number));
  return {
    indices: Uint32Array.from(order, (position) => indices[position] as number),
    values: Float32Array.from(order, (position) => values[position] as number),
  };
};

export const rawVector: Decoder<RawVector> = (value, at) => {
  if (Array.isArray(value)) return { dense: denseVector(value, at) };
  if (isObject(value)) {
    refuseInference(value);
    return { sparse: sparseVector(value, at) };
  }
  return expected('a vector', value, at);
};

export function refuseInference(value: { [key: string]: Json | undefined }): void {
  if (['text', 'image', 'object'].some((key) => Object.hasOwn(value, key)) && Object.hasOwn(value, 'model')) {
    throw unsupported('inference: send vectors, not documents');
  }
}

/** The vectors of one point: one unnamed vector, or an object by name. */
export const vectorStruct: Decoder<Map<string, RawVector>> = (value, at) => {
  if (Array.isArray(value)) return new Map([[UNNAMED, { dense: denseVector(value, at) }]]);
  if (!isObject(value)) return expected('a vector or an object of named vectors', value, at);
  refuseInference(value);
  return new Map(Object.entries(value).map(([name, vector]) => [name, rawVector(vector, within(at, name))]));
};
