import type { Collection, PointVector } from '../engine/collection';
import { isDistance, preprocess, scoreOf, type Distance } from '../engine/distance';
import { sparseDot, type SparseVector } from '../engine/sparse-vectors';
import { badInput } from '../qdrant-error';
import { fitVector } from '../engine/write-points';
import { slotsOf, type Candidates } from './candidates';
import { best, type Hit } from './hit';

/** A query example: a vector fitted to the vector name that is searched. */
export type Example = PointVector;

/** Above this share of the points, scoring all of them in order beats picking the candidates out. */
const FULL_SCAN_SHARE = 0.5;

/** Similarities of several examples to the same points; higher is closer whatever the distance. */
export interface Similarities {
  slots: Uint32Array;
  /** By example, then in the order of `slots`. */
  rows: Float32Array[];
}

/** How close points are to examples under one vector name. */
export class VectorSearch {
  readonly distance: Distance;

  constructor(
    private readonly collection: Collection,
    readonly name: string,
  ) {
    const params = collection.paramsOf(name);
    this.distance = params.kind === 'dense' ? params.distance : 'Dot';
  }

  fit(vector: PointVector | { dense: ArrayLike<number> } | { sparse: SparseVector }): Example {
    return fitVector(this.collection, this.name, 'dense' in vector ? { dense: Array.from(vector.dense) } : vector);
  }

  /** Lower scores are better for what the client sees. */
  get isAscending(): boolean {
    return isDistance(this.distance);
  }

  /** The nearest candidates to each example, scores as the client sees them. One pass over memory for all examples. */
  nearest(
    examples: readonly Example[],
    candidates: Candidates,
    limit: number,
    thresholds?: (number | undefined)[],
  ): Hit[][] {
    // What a similarity is to be above; of a distance that is not the score, so its list is cut afterwards.
    const floors = this.isAscending ? [] : (thresholds ?? []).map((threshold) => Math.fround(threshold ?? NaN));
    const lists = this.rank(examples, candidates, limit, floors);
    if (!this.isAscending) return lists;
    return lists.map((hits, at) => {
      for (const hit of hits) hit.score = scoreOf(hit.score, this.distance);
      return belowThreshold(hits, thresholds?.[at]);
    });
  }

  /** Raw similarities to every candidate that has this vector. */
  similarities(examples: readonly Example[], candidates: Candidates): Similarities {
    const slots = slotsOf(candidates.among(this.presence()));
    const dense = this.collection.dense.get(this.name);
    if (dense !== undefined) return { slots, rows: dense.scoreSome(examples.map(denseOf), slots) };
    const index = this.sparseIndex();
    const rows = examples.map((example) => {
      const { scores } = index.scoreAll(index.weigh(sparseOf(example)), this.collection.slotCount);
      return Float32Array.from(slots, (slot) => scores[slot] as number);
    });
    return { slots, rows };
  }

  /** Raw similarity of stored points to each other; both must have this vector. */
  similarityBetween(a: Example, b: Example): number {
    if ('sparse' in a || 'sparse' in b) return sparseDot(sparseOf(a), sparseOf(b));
    let sum = 0;
    for (let at = 0; at < a.dense.length; at += 1) {
      const x = a.dense[at] as number;
      const y = b.dense[at] as number;
      if (this.distance === 'Euclid') sum -= (x - y) ** 2;
      else if (this.distance === 'Manhattan') sum -= Math.abs(x - y);
      else sum += x * y;
    }
    return Math.fround(sum);
  }

  /** `avg⁺ + avg⁺ − avg⁻`, or `avg⁺` alone when there is nothing to avoid. */
  average(positive: readonly Example[], negative: readonly Example[]): Example {
    if (positive.length === 0)
      throw badInput('At least one positive vector must be given with the average_vector strategy');
    const weighted: [Example, number][] = [];
    const gain = negative.length === 0 ? 1 : 2;
    for (const example of positive) weighted.push([example, gain / positive.length]);
    for (const example of negative) weighted.push([example, -1 / negative.length]);
    return this.collection.dense.has(this.name)
      ? { dense: preprocess(sumDense(weighted), this.distance) }
      : { sparse: sumSparse(weighted) };
  }

  private rank(
    examples: readonly Example[],
    candidates: Candidates,
    limit: number,
    floors: readonly number[],
  ): Hit[][] {
    const { slotCount } = this.collection;
    const dense = this.collection.dense.get(this.name);
    if (dense === undefined)
      return examples.map((example, at) => this.rankSparse(example, candidates, limit, floors[at]));
    const mask = candidates.among(dense.presence);
    const slots = candidates.isEverything ? undefined : slotsOf(mask);
    if (slots !== undefined && slots.length < slotCount * FULL_SCAN_SHARE) {
      const rows = dense.scoreSome(examples.map(denseOf), slots);
      return rows.map((scores, at) => best(scores, limit, slots, undefined, floors[at]));
    }
    const reach = Math.min(slotCount, dense.presence.length);
    const isFull = slots === undefined && dense.count === reach;
    const rows = dense.scoreAll(examples.map(denseOf), reach);
    return rows.map((scores, at) => best(scores, limit, undefined, isFull ? undefined : mask, floors[at]));
  }

  private rankSparse(example: Example, candidates: Candidates, limit: number, floor: number | undefined): Hit[] {
    const index = this.sparseIndex();
    const { scores, isTouched } = index.scoreAll(index.weigh(sparseOf(example)), this.collection.slotCount);
    return best(scores, limit, undefined, candidates.among(isTouched), floor);
  }

  private presence(): Uint8Array {
    return this.collection.presenceOf(this.name) ?? new Uint8Array(0);
  }

  private sparseIndex() {
    const index = this.collection.sparse.get(this.name);
    if (index === undefined) throw badInput(`Not existing vector name error: ${this.name}`);
    return index;
  }
}

/** Qdrant's threshold on a vector query is strict. */
function belowThreshold(hits: Hit[], threshold: number | undefined): Hit[] {
  return threshold === undefined ? hits : hits.filter(({ score }) => score < Math.fround(threshold));
}

function denseOf(example: Example): Float32Array {
  if ('dense' in example) return example.dense;
  throw badInput('Expected a dense vector, got a sparse one');
}

function sparseOf(example: Example): SparseVector {
  if ('sparse' in example) return example.sparse;
  throw badInput('Expected a sparse vector, got a dense one');
}

function sumDense(weighted: readonly (readonly [Example, number])[]): Float32Array {
  const [first] = weighted;
  const sum = new Float64Array(first === undefined ? 0 : denseOf(first[0]).length);
  for (const [example, weight] of weighted) {
    const vector = denseOf(example);
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) + weight * (vector[at] as number);
  }
  return Float32Array.from(sum);
}

function sumSparse(weighted: readonly (readonly [Example, number])[]): SparseVector {
  const sum = new Map<number, number>();
  for (const [example, weight] of weighted) {
    const { indices, values } = sparseOf(example);
    for (const [at, index] of indices.entries())
      sum.set(index, (sum.get(index) ?? 0) + weight * (values[at] as number));
  }
  const indices = Uint32Array.from(sum.keys()).sort();
  return { indices, values: Float32Array.from(indices, (index) => sum.get(index) as number) };
}
