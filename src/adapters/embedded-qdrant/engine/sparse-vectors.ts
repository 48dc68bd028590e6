import type { SparseLoad } from './sparse-load';
import type { SparseVector } from './sparse-vector';

export type { SparseVector } from './sparse-vector';

/** The points that have one term, by ascending slot, with the term's weight in each. */
class Posting {
  constructor(
    private slots: Uint32Array = new Uint32Array(4),
    private weights: Float32Array = new Float32Array(4),
    public length = 0,
  ) {}

  add(slot: number, weight: number): void {
    const at = this.length > 0 && (this.slots[this.length - 1] as number) < slot ? this.length : this.find(slot);
    if (this.length === this.slots.length) this.resize(Math.ceil(this.length * 1.5));
    if (at < this.length) {
      this.slots.copyWithin(at + 1, at, this.length);
      this.weights.copyWithin(at + 1, at, this.length);
    }
    this.slots[at] = slot;
    this.weights[at] = weight;
    this.length += 1;
  }

  remove(slot: number): void {
    const at = this.find(slot);
    if (this.slots[at] !== slot || at >= this.length) return;
    this.slots.copyWithin(at, at + 1, this.length);
    this.weights.copyWithin(at, at + 1, this.length);
    this.length -= 1;
    if (this.length >= 8 && this.length < this.slots.length / 3) this.resize(this.length + 4);
  }

  addScores(weight: number, scores: Float32Array, isTouched: Uint8Array): void {
    const { slots, weights, length } = this;
    for (let at = 0; at < length; at += 1) {
      const slot = slots[at] as number;
      scores[slot] = (scores[slot] as number) + weight * (weights[at] as number);
      isTouched[slot] = 1;
    }
  }

  private find(slot: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.slots[middle] as number) < slot) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private resize(capacity: number): void {
    const slots = new Uint32Array(capacity);
    const weights = new Float32Array(capacity);
    slots.set(this.slots.subarray(0, this.length));
    weights.set(this.weights.subarray(0, this.length));
    this.slots = slots;
    this.weights = weights;
  }
}

/**
 * The sparse vectors of one name in one collection, as an inverted index. The vectors themselves are read back from the
 * store when one is asked for, which halves the memory.
 */
export class SparseVectors {
  private readonly postings = new Map<number, Posting>();
  private isPresent = new Uint8Array(0);
  count = 0;

  constructor(public hasIdf: boolean) {}

  get presence(): Uint8Array {
    return this.isPresent;
  }

  has(slot: number): boolean {
    return this.isPresent[slot] === 1;
  }

  add(slot: number, { indices, values }: SparseVector): void {
    this.markPresent(slot);
    for (const [at, index] of indices.entries()) {
      let posting = this.postings.get(index);
      if (posting === undefined) this.postings.set(index, (posting = new Posting()));
      posting.add(slot, values[at] as number);
    }
  }

  /** Takes in what was collected; there must be nothing yet. */
  fill(loaded: SparseLoad): void {
    for (const [slot] of loaded.vectors()) this.markPresent(slot);
    for (const { index, slots, weights } of loaded.byIndex()) {
      this.postings.set(index, new Posting(slots, weights, slots.length));
    }
  }

  /** @param vector what the slot holds */
  remove(slot: number, vector: SparseVector): void {
    if (!this.has(slot)) return;
    this.isPresent[slot] = 0;
    this.count -= 1;
    for (const index of vector.indices) {
      const posting = this.postings.get(index);
      posting?.remove(slot);
      if (posting?.length === 0) this.postings.delete(index);
    }
  }

  private markPresent(slot: number): void {
    if (slot >= this.isPresent.length) {
      const grown = new Uint8Array(Math.max(64, slot + 1, Math.ceil(this.isPresent.length * 1.5)));
      grown.set(this.isPresent);
      this.isPresent = grown;
    }
    this.isPresent[slot] = 1;
    this.count += 1;
  }

  /** The query with each weight multiplied by its term's inverse document frequency, where the collection wants it. */
  weigh(query: SparseVector): SparseVector {
    if (!this.hasIdf) return query;
    const values = query.values.map((value, at) => {
      const df = this.postings.get(query.indices[at] as number)?.length ?? 0;
      return value * Math.fround(Math.log((this.count - df + 0.5) / (df + 0.5) + 1));
    });
    return { indices: query.indices, values };
  }

  /** Dot products with an already weighed query, by slot, and which slots share an index with it. */
  scoreAll(query: SparseVector, slots: number): { scores: Float32Array; isTouched: Uint8Array } {
    const scores = new Float32Array(slots);
    const isTouched = new Uint8Array(slots);
    for (const [at, index] of query.indices.entries()) {
      this.postings.get(index)?.addScores(query.values[at] as number, scores, isTouched);
    }
    return { scores, isTouched };
  }
}

export function sparseDot(a: SparseVector, b: SparseVector): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.indices.length && j < b.indices.length;) {
    const left = a.indices[i] as number;
    const right = b.indices[j] as number;
    if (left === right) sum += (a.values[i] as number) * (b.values[j] as number);
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return Math.fround(sum);
}
