/** Similarities of the points to the two examples of one context pair. */
export interface PairRows {
  positive: Float32Array;
  negative: Float32Array;
}

const EPSILON = 1.1920929e-7;

/** Squashes a similarity of any range into 0..1, keeping its order. */
const sigmoid = (x: number): number => 0.5 * (softsign(x) + 1);
const softsign = (x: number): number => x / (1 + Math.abs(x));

/** Recommend `best_score`: the best positive, or minus the best negative where that one is closer. */
export function bestScores(
  positive: readonly Float32Array[],
  negative: readonly Float32Array[],
  count: number,
): Float32Array {
  const scores = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    const bestPositive = highest(positive, at);
    const bestNegative = highest(negative, at);
    scores[at] = bestPositive > bestNegative ? sigmoid(bestPositive) : -sigmoid(bestNegative);
  }
  return scores;
}

/** Recommend `sum_scores`. */
export function sumScores(
  positive: readonly Float32Array[],
  negative: readonly Float32Array[],
  count: number,
): Float32Array {
  const scores = new Float32Array(count);
  for (const row of positive)
    for (let at = 0; at < count; at += 1) scores[at] = (scores[at] as number) + (row[at] as number);
  for (const row of negative)
    for (let at = 0; at < count; at += 1) scores[at] = (scores[at] as number) - (row[at] as number);
  return scores;
}

/** How many context pairs a point is on the right side of, then how close it is to the target. */
export function discoverScores(target: Float32Array, pairs: readonly PairRows[], count: number): Float32Array {
  const scores = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    let rank = 0;
    for (const { positive, negative } of pairs) rank += Math.sign((positive[at] as number) - (negative[at] as number));
    scores[at] = rank + sigmoid(target[at] as number);
  }
  return scores;
}

/** 0 on the right side of every pair, the more negative the deeper on the wrong side. */
export function contextScores(pairs: readonly PairRows[], count: number): Float32Array {
  const scores = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    let loss = 0;
    for (const { positive, negative } of pairs) {
      loss += softsign(Math.min((positive[at] as number) - (negative[at] as number) - EPSILON, 0));
    }
    scores[at] = loss;
  }
  return scores;
}

function highest(rows: readonly Float32Array[], at: number): number {
  let result = -Infinity;
  for (const row of rows) if ((row[at] as number) > result) result = row[at] as number;
  return result;
}
