import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { chunkText as cut } from '../../src/kernel/chunking/chunk-text';
import { chunkBudget, type Chunk, type ChunkingStrategy } from '../../src/kernel/chunking/chunking-plan';
import { estimateTokens } from '../../src/kernel/chunking/token-estimate';
import { isBlank } from '../../src/kernel/record/storable-text';
import { plans, texts, uncovered } from '../support/chunking';

const chunkText = (text: string, strategy: ChunkingStrategy, budget: number): Chunk[] =>
  cut(text, { strategy }, budget);

const budgets = fc.integer({ min: 4, max: 60 });

const splitsPair = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');

describe('chunks of any text', () => {
  it('keep a pair together that a stray low surrogate follows', () => {
    const text = '𐀀𐀀\udc68sollicitudin sit';
    for (const { start, end } of chunkText(text, 'paragraph', 4)) {
      expect([splitsPair(text, start), splitsPair(text, end)]).toEqual([false, false]);
    }
  });

  it('are exact slices of it, in order', () => {
    fc.assert(
      fc.property(texts, plans, budgets, (text, plan, budget) => {
        let previous: Chunk | undefined;
        for (const chunk of cut(text, plan, budget)) {
          expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
          expect(isBlank(chunk.text)).toBe(false);
          expect(chunk.text).toBe(plan.strategy === 'markdown' ? chunk.text.trimEnd() : chunk.text.trim());
          expect(splitsPair(text, chunk.start) || splitsPair(text, chunk.end)).toBe(false);
          if (previous) {
            expect(chunk.start).toBeGreaterThan(previous.start);
            expect(chunk.end).toBeGreaterThan(previous.end);
            if (!plan.overlapTokens) expect(chunk.start).toBeGreaterThanOrEqual(previous.end);
          }
          previous = chunk;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('lose nothing that can be seen', () => {
    fc.assert(
      fc.property(texts, plans, budgets, (text, plan, budget) => {
        const rest = uncovered(text, cut(text, plan, budget));
        const kept = plan.strategy === 'markdown' ? rest.replace(/^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/gm, '') : rest;
        expect(isBlank(kept)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('fit the budget, and know their tokens', () => {
    fc.assert(
      fc.property(texts, plans, budgets, (text, plan, budget) => {
        for (const chunk of cut(text, plan, budget)) {
          expect(chunk.tokens).toBe(estimateTokens(chunk.text));
          expect(chunk.tokens).toBeLessThanOrEqual(budget);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('begin and end between what a reader calls characters', () => {
    const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const characters = fc
      .array(fc.constantFrom('👩‍👩‍👧', '🇳🇴', '👍🏽', 'e\u0301', 'ก็', 'né', 'x', ' ', '. ', '\r\n', '\r\n\r\n', '한국'), {
        maxLength: 200,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(characters, plans, fc.integer({ min: 16, max: 60 }), (text, plan, budget) => {
        const starts = new Set(Array.from(graphemes.segment(text), ({ index }) => index)).add(text.length);
        for (const { start, end } of cut(text, plan, budget))
          expect([start, end].every((at) => starts.has(at))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

const sentence = (i: number): string => `This is sentence number ${i} of the text.`;
const sentences = (count: number): string => Array.from({ length: count }, (_, i) => sentence(i)).join(' ');

describe('sentence chunks', () => {
  it('are one for a text that fits', () => {
    expect(chunkText('  A short text.\n', 'sentence', 50)).toEqual([
      { text: 'A short text.', start: 2, end: 15, tokens: 4, headingPath: [], ownHeadings: 0 },
    ]);
  });

  it('end where sentences end', () => {
    const chunks = chunkText(sentences(30), 'sentence', 40);
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) expect(chunk.text).toMatch(/^This is .*\.$/s);
  });

  it('have no tiny tail', () => {
    const budget = 40;
    for (let count = 8; count < 30; count++) {
      const chunks = chunkText(sentences(count), 'sentence', budget);
      const last = chunks[chunks.length - 1]?.text ?? '';
      if (chunks.length > 1) expect(estimateTokens(last)).toBeGreaterThanOrEqual(budget / 4);
    }
  });

  it('keep their first chunks when something is added at the end', () => {
    const before = chunkText(sentences(60), 'sentence', 40);
    const after = chunkText(`${sentences(60)} And one more.`, 'sentence', 40);
    expect(after.slice(0, before.length - 2)).toEqual(before.slice(0, before.length - 2));
  });

  it('cut a word that is too long for any', () => {
    const chunks = chunkText('x'.repeat(1000), 'sentence', 50);
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('x'.repeat(1000));
  });

  it('are none for blank text', () => {
    expect(chunkText(' \n\t\n', 'sentence', 50)).toEqual([]);
  });
});

describe('paragraph chunks', () => {
  it('are one a paragraph, however lines end', () => {
    const chunks = chunkText('One.\nStill one.\r\n\r\nTwo.\n \t \n\n\nThree.\r\rFour.\n', 'paragraph', 50);
    expect(chunks.map((chunk) => chunk.text)).toEqual(['One.\nStill one.', 'Two.', 'Three.', 'Four.']);
  });

  it.each(['\n', '\r\n', '\r'])('are not divided by a line break alone, such as %j', (lineEnd) => {
    const text = ['One,', 'still one.', '', 'Two,  ', '  still two.', ' ', '', 'Three.', ''].join(lineEnd);
    expect(chunkText(text, 'paragraph', 50).map((chunk) => chunk.text.split(/\s*[\r\n]+\s*/))).toEqual([
      ['One,', 'still one.'],
      ['Two,', 'still two.'],
      ['Three.'],
    ]);
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

describe('overlapping chunks', () => {
  const text = sentences(40);

  it('share whole sentences, about as much as asked', () => {
    const chunks = cut(text, { strategy: 'sentence', overlapTokens: 20 }, 60);
    expect(chunks.length).toBeGreaterThan(3);
    chunks.slice(1).forEach((chunk, i) => {
      const before = chunks[i] as Chunk;
      const shared = text.slice(chunk.start, before.end);
      expect(shared).toMatch(/^This is .*\.$/s);
      expect(estimateTokens(shared)).toBeLessThanOrEqual(20);
    });
  });

  it('are windows of words where the strategy says so', () => {
    const chunks = cut(text, { strategy: 'token', overlapTokens: 10 }, 30);
    for (const chunk of chunks.slice(0, -1)) expect(chunk.tokens).toBeGreaterThanOrEqual(29);
    chunks.slice(1).forEach((chunk, i) => {
      const shared = estimateTokens(text.slice(chunk.start, chunks[i]?.end));
      expect(shared).toBeGreaterThanOrEqual(9);
      expect(shared).toBeLessThanOrEqual(10);
    });
  });

  it('share at most half of a chunk, whatever is asked', () => {
    const chunks = cut(text, { strategy: 'token', overlapTokens: 1000 }, 30);
    chunks.slice(1).forEach((chunk, i) => {
      expect(estimateTokens(text.slice(chunk.start, chunks[i]?.end))).toBeLessThanOrEqual(15);
    });
  });
});

describe('markdown chunks', () => {
  const blocks = (text: string, budget = 60) =>
    chunkText(text, 'markdown', budget).map(({ text: chunk, headingPath, ownHeadings }) => ({
      chunk,
      path: headingPath.join(' / '),
      own: ownHeadings,
    }));

  it('know the headings above them, and begin with their own', () => {
    const text = '# The Fox\n\nOnce.\n\n## One\n\n### Dawn\n\nA hen.\n\nA fox.\n\nTwo\n---\nAn end.\n';
    expect(blocks(text)).toEqual([
      { chunk: '# The Fox\n\nOnce.', path: '', own: 0 },
      { chunk: '## One\n\n### Dawn\n\nA hen.', path: 'One / Dawn', own: 2 },
      { chunk: 'A fox.', path: 'One / Dawn', own: 0 },
      { chunk: 'Two\n---\nAn end.', path: 'Two', own: 1 },
    ]);
  });

  it('count a first heading among its equals as a chapter, not as the title', () => {
    expect(blocks('# One\n\nA.\n\n# Two\n\nB.')).toEqual([
      { chunk: '# One\n\nA.', path: 'One', own: 1 },
      { chunk: '# Two\n\nB.', path: 'Two', own: 1 },
    ]);
    expect(blocks('# Only\n\nA.\n\nB.').map(({ path }) => path)).toEqual(['Only', 'Only']);
  });

  it('have headings without a text as chunks of their own', () => {
    expect(blocks('## A\n\n## B\n\nText.\n\n## C').map(({ chunk, path }) => [chunk, path])).toEqual([
      ['## A', 'A'],
      ['## B\n\nText.', 'B'],
      ['## C', 'C'],
    ]);
  });

  it('keep code whole, with its blank lines, headings and indentation', () => {
    const text =
      'Before.\n\n```sh\n# no heading\n\necho 1\n```\n\n    indented\n\n      more\n\nAfter.\n\n~~~\nnever closed\n\n# still code';
    expect(blocks(text).map(({ chunk }) => chunk)).toEqual([
      'Before.',
      '```sh\n# no heading\n\necho 1\n```',
      '    indented\n\n      more',
      'After.',
      '~~~\nnever closed\n\n# still code',
    ]);
  });

  it('keep lists whole, with the line that introduces them', () => {
    const text =
      'You need:\n- flour\n- salt,\n  ground\n\n- water\n\n      code of water\n\nThen bake.\n\n1. Rise\n2. Rest\n\n***\n\n* * *\n';
    expect(blocks(text).map(({ chunk }) => chunk)).toEqual([
      'You need:\n- flour\n- salt,\n  ground\n\n- water\n\n      code of water',
      'Then bake.',
      '1. Rise\n2. Rest',
    ]);
  });

  it('cut code that is too long between lines, and keep it whole rather than with its heading', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `call(${i});`);
    const cutCode = chunkText(['```', ...lines, '```'].join('\n'), 'markdown', 60);
    expect(cutCode.length).toBeGreaterThan(2);
    for (const { text } of cutCode) for (const line of text.split('\n')) expect(['```', ...lines]).toContain(line);
    const code = ['```', ...lines.slice(0, 8), '```'].join('\n');
    const headed = chunkText(
      `## A heading of several words before the code\n\n${code}`,
      'markdown',
      estimateTokens(code),
    );
    expect(headed.map(({ text }) => text)).toEqual(['## A heading of several words before the code', code]);
    expect(headed.map(({ ownHeadings }) => ownHeadings)).toEqual([1, 0]);
  });

  it('keep tables whole, and cut those that are too long between rows', () => {
    const rows = Array.from({ length: 30 }, (_, i) => `| Hen ${i}. It laid. | An egg! So round. |`);
    const table = ['| Who? Where? | What |', '|:--|--:|', ...rows];
    const chunks = chunkText(`Before.\n\nEggs:\n${table.join('\n')}\n\nAfter.`, 'markdown', 60).map(({ text }) => text);
    expect([chunks[0], chunks[chunks.length - 1]]).toEqual(['Before.', 'After.']);
    expect(chunks.slice(1, -1).join('\n')).toBe(['Eggs:', ...table].join('\n'));
    expect(chunks.length).toBeGreaterThan(5);
    const short = table.slice(0, 4).join('\n');
    expect(chunkText(`## Eggs\n\n${short}`, 'markdown', 100).map(({ text }) => text)).toEqual([`## Eggs\n\n${short}`]);
  });

  it('have plain headings, whatever is marked in them', () => {
    expect(blocks('## *The* **old** `fox` and [the hen](http://hen.example) ##\n\nText.')[0]?.path).toBe(
      'The old fox and the hen',
    );
  });
});

describe('the budget of a chunk', () => {
  it('leaves room for special tokens and the context line', () => {
    expect(chunkBudget(256)).toBeLessThan(256);
    expect(chunkBudget(256, { contextTokens: 20 })).toBe(chunkBudget(256) - 20);
  });

  it('does not fill a very large window', () => {
    expect(chunkBudget(8191)).toBeLessThanOrEqual(450);
  });

  it('stays usable for a tiny window', () => {
    expect(chunkBudget(8, { contextTokens: 100 })).toBeGreaterThan(0);
  });
});
