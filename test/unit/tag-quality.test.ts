import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { clusterNeighbours } from '../../src/features/tag/hygiene/cluster';
import { plattScaling, probabilityOf, type Judged } from '../../src/features/tag/quality/platt';
import { bestThreshold, outcomeAt } from '../../src/features/tag/quality/threshold';

const judged = (scores: readonly number[], isAccepted: boolean): Judged[] =>
  scores.map((score) => ({ score, isAccepted }));

const anyJudged = fc.array(
  fc.record({ score: fc.double({ min: -1, max: 1, noNaN: true }), isAccepted: fc.boolean() }),
  { minLength: 1, maxLength: 60 },
);

describe('Platt scaling', () => {
  it('finds the curve that decisions were drawn from', () => {
    const slope = 12;
    const intercept = -5;
    const drawn: Judged[] = [];
    for (let i = 0; i < 200; i++) {
      const score = i / 200;
      const accepted = Math.round(100 * probabilityOf({ slope, intercept }, score));
      for (let n = 0; n < 100; n++) drawn.push({ score, isAccepted: n < accepted });
    }
    const fit = plattScaling(drawn);
    expect(fit?.slope).toBeCloseTo(slope, 0);
    expect(fit?.intercept).toBeCloseTo(intercept, 0);
  });

  it('is not certain from a few decisions, or from such as all agree', () => {
    const fit = plattScaling(judged([0.5, 0.6], true));
    expect(fit).toBeDefined();
    const probability = probabilityOf(fit ?? { slope: 0, intercept: 0 }, 0.6);
    expect(probability).toBeGreaterThan(0.5);
    expect(probability).toBeLessThan(0.9);
  });

  it('has no curve without a decision', () => {
    expect(plattScaling([])).toBeUndefined();
  });

  it('always gives probabilities', () => {
    fc.assert(
      fc.property(anyJudged, fc.double({ min: -1, max: 1, noNaN: true }), (pairs, score) => {
        const probability = probabilityOf(plattScaling(pairs) ?? { slope: NaN, intercept: NaN }, score);
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the best threshold', () => {
  it('parts what can be parted', () => {
    const best = bestThreshold([...judged([0.9, 0.8, 0.7], true), ...judged([0.3, 0.2], false)]);
    expect(best).toEqual({ threshold: 0.5, precision: 1, recall: 1, f1: 1 });
  });

  it('finds most at the precision that is asked for', () => {
    const pairs = [...judged([0.9, 0.5, 0.4], true), ...judged([0.6, 0.1], false)];
    expect(bestThreshold(pairs, 0.7)).toMatchObject({ threshold: 0.25, precision: 0.75, recall: 1 });
    expect(bestThreshold(pairs, 0.8)).toMatchObject({ threshold: 0.75, precision: 1, recall: 1 / 3 });
  });

  it('lies above everything where nothing was accepted', () => {
    expect(bestThreshold(judged([0.4, 0.6], false))).toMatchObject({ threshold: 0.61, precision: 1, recall: 1, f1: 0 });
  });

  it('is as good as any threshold, and says what it does', () => {
    fc.assert(
      fc.property(anyJudged, fc.double({ min: -1, max: 1, noNaN: true }), (pairs, other) => {
        const best = bestThreshold(pairs);
        expect(best).toBeDefined();
        if (!best) return;
        // The lowest and highest of scores cannot be passed within −1 and 1.
        fc.pre(pairs.every(({ score }) => Math.abs(score) < 0.98));
        fc.pre(new Set(pairs.map(({ score }) => score.toFixed(9))).size === pairs.length);
        expect(best).toEqual(outcomeAt(best.threshold, pairs));
        expect(best.f1).toBeGreaterThanOrEqual(outcomeAt(other, pairs).f1 - 1e-12);
      }),
    );
  });
});

describe('clusters', () => {
  it('gather what is near, around the one with most neighbours', () => {
    const near = (...ids: number[]): { id: number; score: number }[] =>
      ids.map((id, i) => ({ id, score: 0.9 - i / 10 }));
    const clusters = clusterNeighbours(
      new Map([
        [1, near(2)],
        [2, near(3, 1)],
        [3, near(2)],
        [4, near(5)],
        [6, near()],
      ]),
    );
    expect(clusters.map(({ members }) => members)).toEqual([
      [2, 3, 1],
      [4, 5],
    ]);
    expect(clusters[0]?.cohesion).toBeCloseTo(0.85);
  });
});
