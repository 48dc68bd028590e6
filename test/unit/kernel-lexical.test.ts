import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { documentVector, queryVector, termIndex, termsOf } from '../../src/kernel/embedding/lexical';
import type { SparseVector } from '../../src/kernel/vector/vector-store';

function dot(a: SparseVector, b: SparseVector): number {
  const weights = new Map(a.indices.map((index, i) => [index, a.values[i] ?? 0]));
  return b.indices.reduce((sum, index, i) => sum + (weights.get(index) ?? 0) * (b.values[i] ?? 0), 0);
}

describe('the terms of a text', () => {
  it.each([
    ['The engineers’ engineering, engineered.', ['engin', 'engin', 'engin']],
    ['Café NAÏVE Ünïcödé', ['cafe', 'naiv', 'unicod']],
    ['C, C++ and C# are languages', ['c', 'c++', 'c#', 'languag']],
    ['IT manager: it is he', ['it', 'manag']],
    ["don't we", []],
    ['ＦＵＬＬ　ｗｉｄｔｈ', ['full', 'width']],
    ['東京都', ['東京', '京都']],
    ['Straße 2024', ['straße', '2024']],
    ['!?…', []],
  ])('%j', (text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });
});

describe('lexical vectors', () => {
  it('are empty for text without words', () => {
    expect(documentVector('', 10)).toEqual({ indices: [], values: [] });
    expect(queryVector(' — ')).toEqual({ indices: [], values: [] });
  });

  it('have ascending unique indices of 32 bits and positive finite weights, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (text, mean) => {
        for (const vector of [documentVector(text, mean), queryVector(text)]) {
          expect(vector.values).toHaveLength(vector.indices.length);
          vector.indices.forEach((index, i) => {
            expect(index).toBe(index >>> 0);
            if (i > 0) expect(index).toBeGreaterThan(vector.indices[i - 1] ?? 0);
          });
          for (const value of vector.values) expect(value > 0 && Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });

  it('score by BM25 without the inverse document frequency', () => {
    const document = 'cat cat dog';
    const [k1, b, mean] = [1.2, 0.75, 6];
    const norm = k1 * (1 - b + (b * 3) / mean);
    expect(dot(documentVector(document, mean), queryVector('cats'))).toBeCloseTo((2 * (k1 + 1)) / (2 + norm), 10);
    expect(dot(documentVector(document, mean), queryVector('a dog'))).toBeCloseTo((k1 + 1) / (1 + norm), 10);
    expect(dot(documentVector(document, mean), queryVector('bird'))).toBe(0);
  });

  it('favour the shorter of two texts with the same word', () => {
    const query = queryVector('anchor');
    const short = dot(documentVector('anchor rope', 10), query);
    const long = dot(documentVector('anchor rope sail mast hull deck keel stern bow rudder helm', 10), query);
    expect(short).toBeGreaterThan(long);
  });

  it('put each term where stored vectors have it', () => {
    // Were these to change, every stored lexical vector would be wrong.
    expect([termIndex('cat'), termIndex('c++'), termIndex('東京')]).toEqual([4028485276, 1798509737, 745305631]);
  });
});
