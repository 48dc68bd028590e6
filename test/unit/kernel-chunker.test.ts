import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { chunkBudget, chunkText } from '../../src/kernel/embedding/chunker';
import { estimateTokens } from '../../src/kernel/embedding/token-estimate';

const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.lorem({ maxCount: 12 }),
      fc.constantFrom(
        '\n\n',
        '\r\n\r\n',
        '\n \t\n',
        ' ',
        '. ',
        '\r',
        '🏔️',
        '👩‍👩‍👧',
        'e\u0301',
        '。',
        '\ud83d',
        'x'.repeat(900),
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

const budgets = fc.integer({ min: 4, max: 60 });

const splitsPair = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');

describe.each(['window', 'paragraph'] as const)('%s chunks of any text', (chunking) => {
  it('are exact slices in order that lose nothing but white space', () => {
    fc.assert(
      fc.property(texts, budgets, (text, budget) => {
        let end = 0;
        for (const chunk of chunkText(text, chunking, budget)) {
          expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
          expect(chunk.text).toBe(chunk.text.trim());
          expect(chunk.text).not.toBe('');
          expect(text.slice(end, chunk.start).trim()).toBe('');
          expect(splitsPair(text, chunk.start) || splitsPair(text, chunk.end)).toBe(false);
          end = chunk.end;
        }
        expect(text.slice(end).trim()).toBe('');
      }),
      { numRuns: 300 },
    );
  });

  it('fit the budget', () => {
    fc.assert(
      fc.property(texts, budgets, (text, budget) => {
        for (const chunk of chunkText(text, chunking, budget))
          expect(estimateTokens(chunk.text)).toBeLessThanOrEqual(budget);
      }),
      { numRuns: 300 },
    );
  });
});

const sentence = (i: number): string => `This is sentence number ${i} of the text.`;
const sentences = (count: number): string => Array.from({ length: count }, (_, i) => sentence(i)).join(' ');

describe('window chunks', () => {
  it('are one for a text that fits', () => {
    expect(chunkText('  A short text.\n', 'window', 50)).toEqual([{ text: 'A short text.', start: 2, end: 15 }]);
  });

  it('end where sentences end', () => {
    const chunks = chunkText(sentences(30), 'window', 40);
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) expect(chunk.text).toMatch(/^This is .*\.$/s);
  });

  it('have no tiny tail', () => {
    const budget = 40;
    for (let count = 8; count < 30; count++) {
      const chunks = chunkText(sentences(count), 'window', budget);
      const last = chunks[chunks.length - 1]?.text ?? '';
      if (chunks.length > 1) expect(estimateTokens(last)).toBeGreaterThanOrEqual(budget / 4);
    }
  });

  it('keep their first chunks when something is added at the end', () => {
    const before = chunkText(sentences(60), 'window', 40);
    const after = chunkText(`${sentences(60)} And one more.`, 'window', 40);
    expect(after.slice(0, before.length - 2)).toEqual(before.slice(0, before.length - 2));
  });

  it('cut a word that is too long for any', () => {
    const chunks = chunkText('x'.repeat(1000), 'window', 50);
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('x'.repeat(1000));
  });

  it('are none for blank text', () => {
    expect(chunkText(' \n\t\n', 'window', 50)).toEqual([]);
  });
});

describe('paragraph chunks', () => {
  it('are one a paragraph, however lines end', () => {
    const chunks = chunkText('One.\nStill one.\r\n\r\nTwo.\n \t \n\n\nThree.\r\rFour.\n', 'paragraph', 50);
    expect(chunks.map((chunk) => chunk.text)).toEqual(['One.\nStill one.', 'Two.', 'Three.', 'Four.']);
  });

  it('cut a long paragraph between its sentences, and only that one', () => {
    const text = `Short one.\n\n${sentences(20)}\n\nShort two.`;
    const chunks = chunkText(text, 'paragraph', 60).map((chunk) => chunk.text);
    expect(chunks[0]).toBe('Short one.');
    expect(chunks[chunks.length - 1]).toBe('Short two.');
    expect(chunks.slice(1, -1).length).toBeGreaterThan(1);
    expect(chunks.slice(1, -1).join(' ')).toBe(sentences(20));
  });
});

describe('the budget of a chunk', () => {
  it('leaves room for special tokens and the context line', () => {
    expect(chunkBudget(256)).toBeLessThan(256);
    expect(chunkBudget(256, 20)).toBe(chunkBudget(256) - 20);
  });

  it('does not fill a very large window', () => {
    expect(chunkBudget(8191)).toBeLessThanOrEqual(450);
  });

  it('stays usable for a tiny window', () => {
    expect(chunkBudget(8, 100)).toBeGreaterThan(0);
  });
});
