import type { Collection } from '../engine/collection';
import { applyFilter } from '../engine/filter-mask';
import type { Filter } from '../filter/filter';

/**
 * The points that a query may return: those a filter lets through, or those its prefetches found.
 * Evaluated once, however many queries of a batch share it.
 */
export class Candidates {
  private list: Uint32Array | undefined;

  /** @param mask one byte a slot; `undefined` lets every point through */
  private constructor(
    private readonly collection: Collection,
    private readonly mask: Uint8Array | undefined,
  ) {}

  static matching(collection: Collection, filter: Filter | undefined): Candidates {
    if (filter === undefined) return new Candidates(collection, undefined);
    const mask = collection.aliveMask();
    applyFilter(filter, mask, collection);
    return new Candidates(collection, mask);
  }

  static of(collection: Collection, slots: Iterable<number>): Candidates {
    const mask = new Uint8Array(collection.slotCount);
    for (const slot of slots) mask[slot] = 1;
    return new Candidates(collection, mask);
  }

  /** One byte a slot: candidates that are also present in `presence`, by default simply alive. */
  among(presence?: Uint8Array): Uint8Array {
    if (this.mask === undefined) return presence ?? this.collection.aliveMask();
    if (presence === undefined) return this.mask;
    const result = this.mask.slice();
    const length = Math.min(result.length, presence.length);
    for (let slot = 0; slot < length; slot += 1) result[slot] = (result[slot] as number) & (presence[slot] as number);
    result.fill(0, length);
    return result;
  }

  /** Slots in ascending order. */
  slots(): Uint32Array {
    return (this.list ??= slotsOf(this.among()));
  }

  has(slot: number): boolean {
    return this.mask === undefined ? this.collection.ids[slot] !== undefined : this.mask[slot] === 1;
  }

  get isEverything(): boolean {
    return this.mask === undefined;
  }
}

export function slotsOf(mask: Uint8Array): Uint32Array {
  let count = 0;
  for (let slot = 0; slot < mask.length; slot += 1) count += mask[slot] as number;
  const slots = new Uint32Array(count);
  let at = 0;
  for (let slot = 0; slot < mask.length; slot += 1) if (mask[slot] === 1) slots[at++] = slot;
  return slots;
}
