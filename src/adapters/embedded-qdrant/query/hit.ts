/** A point in a ranked list, best first. */
export interface Hit {
  slot: number;
  /** What the client sees: for Euclid and Manhattan a distance. */
  score: number;
  /** Set by `order_by`. */
  orderValue?: number;
}

/**
 * The `limit` candidates with the highest values, best first. A binary heap of the best so far: most candidates cost
 * one comparison.
 * @param slots slot of each value; `undefined` when the position is the slot
 * @param mask one byte a slot; `undefined` when every value counts
 * @param above only higher values count; NaN lets all of them through
 */
export function best(
  values: Float32Array,
  limit: number,
  slots: ArrayLike<number> | undefined,
  mask: Uint8Array | undefined,
  above = NaN,
): Hit[] {
  const size = Math.min(limit, values.length);
  if (size === 0) return [];
  const heapScores = new Float32Array(size);
  const heapAt = new Uint32Array(size);
  let count = 0;
  let floor = -Infinity;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    if (value <= above || (count === size && value <= floor)) continue;
    if (mask !== undefined && mask[at] !== 1) continue;
    if (count < size) {
      siftUp(heapScores, heapAt, count, value, at);
      count += 1;
    } else {
      siftDown(heapScores, heapAt, size, value, at);
    }
    floor = heapScores[0] as number;
  }
  const order = Array.from({ length: count }, (_, position) => position);
  order.sort((a, b) => (heapScores[b] as number) - (heapScores[a] as number));
  return order.map((position) => {
    const at = heapAt[position] as number;
    return { slot: slots === undefined ? at : (slots[at] as number), score: heapScores[position] as number };
  });
}

function siftUp(scores: Float32Array, items: Uint32Array, from: number, score: number, item: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((scores[parent] as number) <= score) break;
    scores[at] = scores[parent] as number;
    items[at] = items[parent] as number;
    at = parent;
  }
  scores[at] = score;
  items[at] = item;
}

/** Replaces the smallest, at the root. */
function siftDown(scores: Float32Array, items: Uint32Array, size: number, score: number, item: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && (scores[child + 1] as number) < (scores[child] as number)) child += 1;
    if ((scores[child] as number) >= score) break;
    scores[at] = scores[child] as number;
    items[at] = items[child] as number;
    at = child;
  }
  scores[at] = score;
  items[at] = item;
}
