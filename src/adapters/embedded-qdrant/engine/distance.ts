export type Distance = 'Cosine' | 'Dot' | 'Euclid' | 'Manhattan';

/** Euclid and Manhattan are distances: smaller is closer, and results sort ascending. */
export const isDistance = (distance: Distance): boolean => distance === 'Euclid' || distance === 'Manhattan';

const EPSILON = 1.1920929e-7;

/** As Qdrant stores a vector: of length 1 for cosine, unless its length is about 0 or already about 1. */
export function preprocess(values: ArrayLike<number>, distance: Distance): Float32Array {
  const vector = Float32Array.from(values);
  if (distance !== 'Cosine') return vector;
  let squared = 0;
  for (const value of vector) squared += value * value;
  if (squared < EPSILON || Math.abs(squared - 1) <= 1e-6) return vector;
  const length = Math.sqrt(squared);
  for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] as number) / length;
  return vector;
}

/** What a client sees for an internal similarity, in which higher is always closer. */
export function scoreOf(similarity: number, distance: Distance): number {
  if (distance === 'Euclid') return Math.fround(Math.sqrt(Math.abs(similarity)));
  return distance === 'Manhattan' ? Math.abs(similarity) : similarity;
}
