import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { estimateTokens } from '../../src/kernel/chunking/token-estimate';
import { texts } from '../support/chunking';

describe('the estimate of tokens', () => {
  it('is the same whether a text is ASCII alone or not', () => {
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 200 });
    fc.assert(
      fc.property(
        fc.oneof(ascii, fc.lorem({ maxCount: 40 }), fc.stringMatching(/^[a-z]{0,50}[0-9]{0,20}$/)),
        (text) => {
          expect(estimateTokens(`${text} é`)).toBe(estimateTokens(text) + 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('counting up to a limit', () => {
  it('is exact up to it, and says more than it of what has more', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 100 }), (text, most) => {
        const tokens = estimateTokens(text);
        const counted = estimateTokens(text, most);
        if (tokens <= most) expect(counted).toBe(tokens);
        else expect(counted).toBeGreaterThan(most);
      }),
      { numRuns: 500 },
    );
  });
});
