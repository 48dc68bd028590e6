import fc from 'fast-check';

import { chunkingStrategies, type Chunk } from '../../src/kernel/chunking/chunking-plan';

/** Text of every sort: words, any Unicode, line ends of every system, what is made of several code points, Markdown. */
export const texts = fc
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

export const plans = fc.record({
  strategy: fc.constantFrom(...chunkingStrategies),
  overlapTokens: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
});

/** What is outside of every chunk. */
export function uncovered(text: string, chunks: readonly Chunk[]): string {
  let end = 0;
  let rest = '';
  for (const chunk of chunks) {
    if (chunk.start > end) rest += text.slice(end, chunk.start);
    end = Math.max(end, chunk.end);
  }
  return rest + text.slice(end);
}
