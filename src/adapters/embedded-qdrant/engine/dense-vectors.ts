import type { VectorMemory } from '../simd/vector-memory';
import { preprocess, type Distance } from './distance';

const TARGET_BLOCK_BYTES = 262_144;

/**
 * The dense vectors of one name in one collection, by slot, in blocks of contiguous memory.
 * A block fits the processor's second-level cache, so that several queries can share one pass over memory.
 */
export class DenseVectors {
  readonly strideBytes: number;
  private readonly rowsPerBlock: number;
  private readonly rowShift: number;
  private readonly blockBytes: number;
  private readonly blocks: number[] = [];
  private isPresent = new Uint8Array(0);
  count = 0;

  constructor(
    private readonly memory: VectorMemory,
    readonly size: number,
    readonly distance: Distance,
  ) {
    this.strideBytes = Math.ceil(size / 4) * 16;
    this.rowShift = Math.max(0, Math.floor(Math.log2(TARGET_BLOCK_BYTES / this.strideBytes)));
    this.rowsPerBlock = 2 ** this.rowShift;
    this.blockBytes = this.rowsPerBlock * this.strideBytes;
  }

  /** Which slots hold a vector, one byte a slot; slots beyond its end hold none. */
  get presence(): Uint8Array {
    return this.isPresent;
  }

  has(slot: number): boolean {
    return this.isPresent[slot] === 1;
  }

  /** @param vector as stored, see `preprocess` */
  set(slot: number, vector: Float32Array): void {
    this.reserve(slot);
    const start = this.address(slot) / 4;
    const { floats } = this.memory;
    floats.set(vector, start);
    floats.fill(0, start + this.size, start + this.strideBytes / 4);
    if (this.isPresent[slot] === 0) this.count += 1;
    this.isPresent[slot] = 1;
  }

  remove(slot: number): void {
    if (!this.has(slot)) return;
    this.isPresent[slot] = 0;
    this.count -= 1;
  }

  /** A copy, or `undefined` when the slot holds none. */
  get(slot: number): Float32Array | undefined {
    if (!this.has(slot)) return undefined;
    const start = this.address(slot) / 4;
    return this.memory.floats.slice(start, start + this.size);
  }

  /** Similarities of each query to every slot below `slots`; those of slots without a vector are meaningless. */
  scoreAll(queries: readonly ArrayLike<number>[], slots: number): Float32Array[] {
    const out = this.memory.scratchBlock('scores', Math.max(4, queries.length * slots * 4));
    const query = this.placeQueries(queries);
    const kernel = this.rangeKernel();
    const { strideBytes: bytes } = this;
    for (const [block, base] of this.blocks.entries()) {
      const first = block * this.rowsPerBlock;
      if (first >= slots) break;
      const rows = Math.min(this.rowsPerBlock, slots - first);
      for (let at = 0; at < queries.length; at += 1) {
        kernel(query + at * bytes, base, bytes, rows, out + (at * slots + first) * 4);
      }
    }
    return this.copyScores(out, queries.length, slots);
  }

  /** Similarities of each query to each of `slots`, in their order. Every slot must hold a vector. */
  scoreSome(queries: readonly ArrayLike<number>[], slots: ArrayLike<number>): Float32Array[] {
    const count = slots.length;
    const out = this.memory.scratchBlock('scores', Math.max(4, queries.length * count * 4));
    const addresses = this.memory.scratchBlock('addresses', Math.max(4, count * 4));
    const query = this.placeQueries(queries);
    const { words } = this.memory;
    for (let at = 0; at < count; at += 1) words[addresses / 4 + at] = this.address(slots[at] as number);
    const kernel = this.listKernel();
    for (let at = 0; at < queries.length; at += 1) {
      kernel(query + at * this.strideBytes, addresses, this.strideBytes, count, out + at * count * 4);
    }
    return this.copyScores(out, queries.length, count);
  }

  /** The query as the kernels want it: normalised for cosine. */
  prepare(query: ArrayLike<number>): Float32Array {
    return preprocess(query, this.distance);
  }

  release(): void {
    for (const base of this.blocks) this.memory.free(base, this.blockBytes);
    this.blocks.length = 0;
    this.isPresent = new Uint8Array(0);
    this.count = 0;
  }

  private address(slot: number): number {
    const base = this.blocks[slot >>> this.rowShift] as number;
    return base + (slot & (this.rowsPerBlock - 1)) * this.strideBytes;
  }

  private reserve(slot: number): void {
    while (this.blocks.length * this.rowsPerBlock <= slot) this.blocks.push(this.memory.allocate(this.blockBytes));
    if (slot < this.isPresent.length) return;
    const grown = new Uint8Array(Math.max(64, slot + 1, Math.ceil(this.isPresent.length * 1.5)));
    grown.set(this.isPresent);
    this.isPresent = grown;
  }

  private placeQueries(queries: readonly ArrayLike<number>[]): number {
    const address = this.memory.scratchBlock('query', Math.max(4, queries.length * this.strideBytes));
    const { floats } = this.memory;
    for (const [at, query] of queries.entries()) {
      const start = (address + at * this.strideBytes) / 4;
      floats.set(query, start);
      floats.fill(0, start + this.size, start + this.strideBytes / 4);
    }
    return address;
  }

  private copyScores(address: number, queries: number, count: number): Float32Array[] {
    const { floats } = this.memory;
    return Array.from({ length: queries }, (_, at) => {
      const start = address / 4 + at * count;
      return floats.slice(start, start + count);
    });
  }

  private rangeKernel() {
    const { dotRange, euclidRange, manhattanRange } = this.memory.kernels;
    if (this.distance === 'Euclid') return euclidRange;
    return this.distance === 'Manhattan' ? manhattanRange : dotRange;
  }

  private listKernel() {
    const { dotList, euclidList, manhattanList } = this.memory.kernels;
    if (this.distance === 'Euclid') return euclidList;
    return this.distance === 'Manhattan' ? manhattanList : dotList;
  }
}
