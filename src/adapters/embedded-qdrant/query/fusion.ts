import { badInput } from '../qdrant-error';
import type { Hit } from './hit';

/**
 * Reciprocal rank fusion: each list adds `1 / ((position + 1) / weight + k − 1)`, positions from 0.
 * @throws 400 when the number of weights is not the number of lists
 */
export function reciprocalRankFusion(
  lists: readonly Hit[][],
  k: number,
  weights: readonly number[] | undefined,
): Hit[] {
  if (weights !== undefined && weights.length !== lists.length) {
    throw badInput(
      `Number of weights in RRF should match number of pre-fetches: got ${weights.length}, expected ${lists.length}`,
    );
  }
  const scores = new Map<number, number>();
  for (const [at, list] of lists.entries()) {
    const weight = Math.fround(weights?.[at] ?? 1);
    for (const [position, { slot }] of list.entries()) {
      const gain = weight <= 0 ? 0 : Math.fround(1 / (Math.fround((position + 1) / weight) + k - 1));
      scores.set(slot, Math.fround((scores.get(slot) ?? 0) + gain));
    }
  }
  return ranked(scores);
}

/** Distribution-based score fusion: each list is scaled by its mean ± 3σ, then scores are summed. */
export function distributionFusion(lists: readonly Hit[][]): Hit[] {
  const scores = new Map<number, number>();
  for (const list of lists) {
    for (const { slot, score } of normalised(list)) scores.set(slot, Math.fround((scores.get(slot) ?? 0) + score));
  }
  return ranked(scores);
}

function normalised(list: readonly Hit[]): Hit[] {
  const mean = list.reduce((sum, { score }) => sum + score, 0) / list.length;
  const squares = list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = list.length < 2 ? 0 : Math.sqrt(squares / (list.length - 1));
  if (deviation === 0) return list.map(({ slot }) => ({ slot, score: 0.5 }));
  const low = mean - 3 * deviation;
  const width = 6 * deviation;
  return list.map(({ slot, score }) => ({ slot, score: Math.fround((score - low) / width) }));
}

function ranked(scores: ReadonlyMap<number, number>): Hit[] {
  return [...scores].map(([slot, score]) => ({ slot, score })).sort((a, b) => b.score - a.score);
}
