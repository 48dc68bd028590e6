import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { chunkingSteps, chunkText } from '../../src/kernel/chunking/chunk-text';
import { chunkingStrategies } from '../../src/kernel/chunking/chunking-plan';
import { estimatedTokens, type TokenCounter } from '../../src/kernel/chunking/token-counter';
import { atOnce, inTurns, type Steps } from '../../src/kernel/process/turns';
import { plans, uncovered } from '../support/chunking';

describe('a text of five million characters', () => {
  it.each(chunkingStrategies)('is cut by %s', (strategy) => {
    const text = 'The fox ran over the hill and did not look back at the hens. '.repeat(82_000);
    const chunks = chunkText(text, { strategy, overlapTokens: 20 }, 200);
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
      const chunks = chunkText(text, { strategy }, 200);
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
