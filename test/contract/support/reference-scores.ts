/** Scores by the plain definitions, in double precision: the judge that shares no code with any server. */

export type Vector = readonly number[];
export type Distance = 'Cosine' | 'Dot' | 'Euclid' | 'Manhattan';

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

export function normalised(a: Vector): number[] {
  const length = Math.sqrt(dot(a, a));
  return length === 0 ? [...a] : a.map((value) => value / length);
}

/** The score as the server reports it: a similarity, or a distance for Euclid and Manhattan. */
export function score(distance: Distance, a: Vector, b: Vector): number {
  switch (distance) {
    case 'Cosine':
      return dot(normalised(a), normalised(b));
    case 'Dot':
      return dot(a, b);
    case 'Euclid':
      return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
    case 'Manhattan':
      return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0);
  }
}

/** The similarity used inside recommend, discover and context: more is always nearer. */
export function similarity(distance: Distance, a: Vector, b: Vector): number {
  switch (distance) {
    case 'Cosine':
    case 'Dot':
      return score(distance, a, b);
    case 'Euclid':
      return -(score('Euclid', a, b) ** 2);
    case 'Manhattan':
      return -score('Manhattan', a, b);
  }
}

export function orderOf(distance: Distance): 'descending' | 'ascending' {
  return distance === 'Cosine' || distance === 'Dot' ? 'descending' : 'ascending';
}

/** x / (1 + |x|): −1..1. */
export function fastSigmoid(x: number): number {
  return x / (1 + Math.abs(x));
}

/** 0..1. */
export function scaledSigmoid(x: number): number {
  return 0.5 * (fastSigmoid(x) + 1);
}

export function mean(vectors: readonly Vector[]): number[] {
  return vectors[0]!.map((_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length);
}

export interface Sparse {
  indices: number[];
  values: number[];
}

/** Dot product over the shared indices; `undefined` when there is none. */
export function sparseScore(query: Sparse, stored: Sparse): number | undefined {
  let sum: number | undefined;
  query.indices.forEach((index, i) => {
    const at = stored.indices.indexOf(index);
    if (at !== -1) sum = (sum ?? 0) + query.values[i]! * stored.values[at]!;
  });
  return sum;
}

/** The query with each weight multiplied by its inverse document frequency among `stored`. */
export function withIdf(query: Sparse, stored: readonly Sparse[]): Sparse {
  const n = stored.length;
  const values = query.indices.map((index, i) => {
    const df = stored.filter(({ indices }) => indices.includes(index)).length;
    return query.values[i]! * Math.log((n - df + 0.5) / (df + 0.5) + 1);
  });
  return { indices: query.indices, values };
}
