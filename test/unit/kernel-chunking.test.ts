import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { chunkingSteps, chunkText as cut } from '../../src/kernel/chunking/chunk-text';
import {
  chunkBudget,
  chunkingStrategies,
  type Chunk,
  type ChunkingStrategy,
} from '../../src/kernel/chunking/chunking-plan';
import { atOnce, inTurns, type Steps } from '../../src/kernel/process/turns';
import { isBlank } from '../../src/kernel/record/storable-text';
import { estimatedTokens, type TokenCounter } from '../../src/kernel/chunking/token-counter';
import { estimateTokens } from '../../src/kernel/chunking/token-estimate';

const chunkText = (text: string, strategy: ChunkingStrategy, budget: number): Chunk[] =>
  cut(text, { strategy }, budget);

/** Text of every sort: words, any Unicode, line ends of every system, what is made of several code points, Markdown. */
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.lorem({ maxCount: 12 }),
      fc.constantFrom('\n\n', '\r\n\r\n', '\n \t\n', '\n', '\r\n', '\r', ' ', '. ', '。', '\u0000', '\u0007', '\u200b'),
      fc.constantFrom('🏔️', '👩‍👩‍👧', '🇳🇴', '👍🏽', 'e\u0301', ' \u0301', 'ก็', '\ud83d', '\udc68', 'x'.repeat(900)),
      fc.constantFrom(
        '# Title\n',
        '\n## One\n\n',
        '### Two ###\r\n',
        '\nHead\n====\n',
        '\n---\n',
        '- item\n',
        '\n12. item\n\n  more\n',
      ),
      fc.constantFrom('```js\n', '\n~~~\n', '\n    code\n\n    more\n', '> quote\n', '| a | b |\n'),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

const budgets = fc.integer({ min: 4, max: 60 });
const plans = fc.record({
  strategy: fc.constantFrom(...chunkingStrategies),
  overlapTokens: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
});

const splitsPair = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');

/** What is outside of every chunk. */
function uncovered(text: string, chunks: readonly Chunk[]): string {
  let end = 0;
  let rest = '';
  for (const chunk of chunks) {
    if (chunk.start > end) rest += text.slice(end, chunk.start);
    end = Math.max(end, chunk.end);
  }
  return rest + text.slice(end);
}

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

describe('a text of five million characters', () => {
  it.each(chunkingStrategies)('is cut by %s', (strategy) => {
    const text = 'The fox ran over the hill and did not look back at the hens. '.repeat(82_000);
    const chunks = cut(text, { strategy, overlapTokens: 20 }, 200);
    expect(uncovered(text, chunks).trim()).toBe('');
    expect(chunks.length).toBeGreaterThan(5_000);
  });

  const units = [
    'x',
    ' ',
    '# ',
    '- ',
    '[',
    '`',
    '\u0301',
    ' \u0301',
    '👩‍',
    '\ud83d',
    '漢',
    '\n',
    '# #\n',
    '```\n',
    '\n \n',
    '\u0007',
  ];

  it.each(units)('of nothing but %j is cut in linear time', (unit) => {
    const text = unit.repeat(Math.floor(500_000 / unit.length));
    for (const strategy of chunkingStrategies) {
      const chunks = cut(text, { strategy }, 200);
      expect(chunks.find((chunk) => text.slice(chunk.start, chunk.end) !== chunk.text)).toBeUndefined();
    }
  });

  it.each(['\n', '\r\n', '- ', '    code\n\n', ' \u0301', 'a\n', 'e\u0301', '𝟗'])(
    'of nothing but %j has no piece too long for an expression',
    (unit) => {
      const text = unit.repeat(Math.floor(5_000_000 / unit.length));
      for (const strategy of chunkingStrategies) {
        expect(() => atOnce(chunkingSteps(text, { strategy }, { budget: 200, mostChunks: 100 }))).not.toThrow();
      }
    },
  );
});

describe('chunking in steps', () => {
  const shapes = fc.constantFrom(
    'The fox ran. ',
    '😀',
    'e\u0301',
    'x',
    '漢',
    'a\n',
    '- item\n',
    '| a | b |\n',
    'call();\n',
    '한국 ',
    '.',
    '## H\n\n',
  );

  it('asks for few counts between two of them, of any text', () => {
    fc.assert(
      fc.property(fc.array(shapes, { minLength: 1, maxLength: 3 }), plans, (parts, plan) => {
        const budget = 100;
        const unit = parts.join('');
        let counts = 0;
        let most = 0;
        const counter: TokenCounter = {
          isExact: false,
          count: (text, limit) => {
            counts += 1;
            return estimatedTokens.count(text, limit);
          },
        };
        const steps = chunkingSteps(unit.repeat(Math.ceil(100_000 / unit.length)), plan, { budget, counter });
        for (let step = steps.next(); !step.done; step = steps.next()) {
          most = Math.max(most, counts);
          counts = 0;
        }
        // Each of a chunk's words, its characters, and halves of what does not fit.
        expect(most).toBeLessThanOrEqual(10 * budget);
      }),
      { numRuns: 60 },
    );
  });

  it('ends once there are more chunks than are wanted', () => {
    const chunks = atOnce(
      chunkingSteps('One.\n\n'.repeat(1000), { strategy: 'paragraph' }, { budget: 50, mostChunks: 10 }),
    );
    expect(chunks).toHaveLength(11);
  });

  function* work(done: { steps: number }): Steps<string> {
    for (; done.steps < 20; done.steps++) yield;
    return 'done';
  }

  it('lets others have their turn at every one where turns are short', async () => {
    const done = { steps: 0 };
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (done.steps < 20) setImmediate(count);
    };
    setImmediate(count);
    await expect(inTurns(work(done), { turnMs: 0 })).resolves.toBe('done');
    expect(turns).toBeGreaterThanOrEqual(19);
  });

  it('ends between two of them when it is told to', async () => {
    const done = { steps: 0 };
    const ending = new AbortController();
    const working = inTurns(work(done), { turnMs: 0, signal: ending.signal });
    ending.abort(new Error('enough'));
    await expect(working).rejects.toThrow('enough');
    expect(done.steps).toBeLessThan(20);
  });
});

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
