import type { Hit } from './hit';

/** `limit` of the slots at random, each at most once. */
export function sampled(slots: ArrayLike<number>, limit: number): Hit[] {
  const pool = Uint32Array.from(slots);
  const count = Math.min(limit, pool.length);
  for (let at = 0; at < count; at += 1) {
    const other = at + Math.floor(Math.random() * (pool.length - at));
    [pool[at], pool[other]] = [pool[other] as number, pool[at] as number];
  }
  return Array.from(pool.subarray(0, count), (slot) => ({ slot, score: 1 }));
}
