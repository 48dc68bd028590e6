/** A score that a person has judged. */
export interface Judged {
  /** Cosine. */
  score: number;
  isAccepted: boolean;
}

/** P(accepted | score) = 1 / (1 + exp(−(slope × score + intercept))). */
export interface Calibration {
  slope: number;
  intercept: number;
}

const MAX_ITERATIONS = 100;
const MIN_STEP = 1e-10;
const RIDGE = 1e-12;
const TOLERANCE = 1e-6;

export function probabilityOf({ slope, intercept }: Calibration, score: number): number {
  const x = slope * score + intercept;
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/**
 * Platt scaling: a logistic curve through judged scores, by Newton's method with backtracking after Lin, Lin and Weng
 * (2007). Targets are Platt's, (n⁺ + 1) / (n⁺ + 2) and 1 / (n⁻ + 2), so that a few judgements, or judgements that all
 * agree, do not make it certain.
 * @returns undefined without any judgement
 */
export function plattScaling(judged: readonly Judged[]): Calibration | undefined {
  if (judged.length === 0) return undefined;
  const accepted = judged.filter((one) => one.isAccepted).length;
  const rejected = judged.length - accepted;
  const high = (accepted + 1) / (accepted + 2);
  const low = 1 / (rejected + 2);
  const targets = judged.map((one) => (one.isAccepted ? high : low));
  let fit: Calibration = { slope: 0, intercept: Math.log((accepted + 1) / (rejected + 1)) };
  let loss = lossOf(fit, judged, targets);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, direction } = newtonStep(fit, judged, targets);
    if (Math.abs(gradient[0]) < TOLERANCE && Math.abs(gradient[1]) < TOLERANCE) break;
    const descent = gradient[0] * direction[0] + gradient[1] * direction[1];
    let step = 1;
    for (; step >= MIN_STEP; step /= 2) {
      const next = { slope: fit.slope + step * direction[0], intercept: fit.intercept + step * direction[1] };
      const nextLoss = lossOf(next, judged, targets);
      if (nextLoss < loss + 1e-4 * step * descent) {
        fit = next;
        loss = nextLoss;
        break;
      }
    }
    if (step < MIN_STEP) break;
  }
  return fit;
}

type Pair = readonly [slope: number, intercept: number];

function newtonStep(
  fit: Calibration,
  judged: readonly Judged[],
  targets: readonly number[],
): { gradient: Pair; direction: Pair } {
  let [h11, h22, h21, g1, g2] = [RIDGE, RIDGE, 0, 0, 0];
  for (const [i, { score }] of judged.entries()) {
    const p = probabilityOf(fit, score);
    const weight = p * (1 - p);
    const error = p - (targets[i] as number);
    h11 += score * score * weight;
    h22 += weight;
    h21 += score * weight;
    g1 += score * error;
    g2 += error;
  }
  const determinant = h11 * h22 - h21 * h21;
  const direction: Pair = [-(h22 * g1 - h21 * g2) / determinant, -(-h21 * g1 + h11 * g2) / determinant];
  return { gradient: [g1, g2], direction };
}

/** Cross-entropy, written so that it neither overflows nor loses small values. */
function lossOf({ slope, intercept }: Calibration, judged: readonly Judged[], targets: readonly number[]): number {
  return judged.reduce((sum, { score }, i) => {
    const x = slope * score + intercept;
    const target = targets[i] as number;
    return sum + (x >= 0 ? (1 - target) * x + Math.log1p(Math.exp(-x)) : -target * x + Math.log1p(Math.exp(x)));
  }, 0);
}
