import { comparePointIds, type PointId } from '../point-id';

/**
 * Slots in the order of their ids. Sorted when first asked for; later additions and removals are merged in when it is
 * asked for again, so that neither bulk writes nor a long scroll between writes sort everything anew.
 */
export class PointOrder {
  private sorted: number[] | undefined;
  private added: number[] = [];
  private readonly removed = new Set<number>();

  constructor(private readonly ids: readonly (PointId | undefined)[]) {}

  add(slot: number): void {
    if (this.sorted === undefined) return;
    // A slot reused since the last merge still stands where its old id stood.
    if (this.removed.has(slot)) this.settleRemovals();
    this.added.push(slot);
  }

  /** Call before the slot's id is cleared or reused. */
  remove(slot: number): void {
    if (this.sorted === undefined) return;
    const at = this.added.indexOf(slot);
    if (at >= 0) this.added.splice(at, 1);
    else this.removed.add(slot);
  }

  slots(): readonly number[] {
    if (this.sorted === undefined) {
      this.sorted = [];
      for (let slot = 0; slot < this.ids.length; slot += 1) if (this.ids[slot] !== undefined) this.sorted.push(slot);
      this.sorted.sort(this.compare);
    } else if (this.added.length > 0 || this.removed.size > 0) {
      this.merge(this.sorted);
    }
    return this.sorted;
  }

  /** Position of the first id that is not before `id`. */
  firstFrom(id: PointId): number {
    const slots = this.slots();
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePointIds(this.ids[slots[middle] as number] as PointId, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private settleRemovals(): void {
    this.sorted = this.sorted?.filter((slot) => !this.removed.has(slot));
    this.removed.clear();
  }

  private merge(sorted: readonly number[]): void {
    const added = this.added.sort(this.compare);
    const kept = sorted.filter((slot) => !this.removed.has(slot));
    const merged: number[] = [];
    let next = 0;
    for (const slot of kept) {
      while (next < added.length && this.compare(added[next] as number, slot) < 0) merged.push(added[next++] as number);
      merged.push(slot);
    }
    while (next < added.length) merged.push(added[next++] as number);
    this.sorted = merged;
    this.added = [];
    this.removed.clear();
  }

  private readonly compare = (a: number, b: number): number =>
    comparePointIds(this.ids[a] as PointId, this.ids[b] as PointId);
}
