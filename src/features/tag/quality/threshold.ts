import type { Judged } from './platt';

/** How well a threshold parts judged pairs: those above it are taken for right. */
export interface ThresholdOutcome {
  threshold: number;
  /** Of the pairs above it, the accepted ones; 1 where there is none above. */
  precision: number;
  /** Of the accepted pairs, those above it; 1 where there is none. */
  recall: number;
  f1: number;
}

export function outcomeAt(threshold: number, judged: readonly Judged[]): ThresholdOutcome {
  let [above, right, accepted] = [0, 0, 0];
  for (const { score, isAccepted } of judged) {
    if (isAccepted) accepted++;
    if (score <= threshold) continue;
    above++;
    if (isAccepted) right++;
  }
  return outcome(threshold, above, right, accepted);
}

function outcome(threshold: number, above: number, right: number, accepted: number): ThresholdOutcome {
  const precision = above === 0 ? 1 : right / above;
  const recall = accepted === 0 ? 1 : right / accepted;
  const f1 = above + accepted === 0 ? 0 : (2 * right) / (above + accepted);
  return { threshold, precision, recall, f1 };
}

/**
 * The threshold with the best F1 on judged pairs; with `minPrecision` the one of those at least that precise that finds
 * most. Thresholds are tried half-way between neighbouring scores. Where all were accepted it lies below the least
 * score, where none was above the greatest.
 * @returns undefined without any judged pair, or where no threshold is precise enough
 */
export function bestThreshold(judged: readonly Judged[], minPrecision?: number): ThresholdOutcome | undefined {
  const sorted = [...judged].sort((a, b) => b.score - a.score);
  const [first] = sorted;
  if (!first) return undefined;
  const accepted = sorted.filter((one) => one.isAccepted).length;
  const isEnough = (candidate: ThresholdOutcome): boolean =>
    minPrecision === undefined || candidate.precision >= minPrecision;
  const value = (candidate: ThresholdOutcome): number => (minPrecision === undefined ? candidate.f1 : candidate.recall);
  let best: ThresholdOutcome | undefined;
  let right = 0;
  const consider = (candidate: ThresholdOutcome): void => {
    if (!isEnough(candidate)) return;
    // Of equals the higher threshold: fewer suggestions to look at.
    if (!best || value(candidate) > value(best)) best = candidate;
  };
  consider(outcome(clamp(first.score + MARGIN), 0, 0, accepted));
  for (const [i, one] of sorted.entries()) {
    if (one.isAccepted) right++;
    const next = sorted[i + 1];
    if (next?.score === one.score) continue;
    consider(outcome(clamp(next ? (one.score + next.score) / 2 : one.score - MARGIN), i + 1, right, accepted));
  }
  return best;
}

const MARGIN = 0.01;
const clamp = (value: number): number => Math.min(1, Math.max(-1, value));
