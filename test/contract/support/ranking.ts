import { expect } from '@jest/globals';
import type { Id } from './points';

export interface Scored {
  id: Id;
  score: number;
}

const TOLERANCE = 1e-5;

function areClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Orders a reference ranking as Qdrant reports it: best first. */
export function ranked(scores: readonly Scored[], order: 'descending' | 'ascending' = 'descending'): Scored[] {
  const sign = order === 'descending' ? -1 : 1;
  return [...scores].sort((a, b) => sign * (a.score - b.score));
}

/**
 * Expects the hits to be the first `limit` of the reference ranking: the same scores within 1e-5 in the same order,
 * where points of one score may come in any order and a tie at the end may be cut anywhere.
 */
export function expectRanking(hits: readonly Scored[], reference: readonly Scored[], limit = reference.length): void {
  const expected = reference.slice(0, limit);
  expect(hits.map(({ score }) => round(score))).toHaveLength(expected.length);
  for (const [position, hit] of hits.entries()) {
    const isSameScore = areClose(hit.score, expected[position]!.score);
    if (!isSameScore) expect({ position, ...hit }).toEqual({ position, ...expected[position] });
    const tied = reference.filter(({ score }) => areClose(score, hit.score)).map(({ id }) => id);
    expect(tied).toContain(hit.id);
  }
  expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
}

function round(score: number): number {
  return Math.round(score * 1e5) / 1e5;
}
