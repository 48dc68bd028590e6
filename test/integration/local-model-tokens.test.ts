import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createLocalEmbedder } from '../../src/adapters/local-model';
import { modelFolder } from '../../src/adapters/local-model/model-files';
import { miniLmManifest } from '../../src/adapters/local-model/model-manifest';
import { loadTokenizer, type LoadedTokenizer } from '../../src/adapters/local-model/tokenizer';
import { loadEnvironment } from '../../src/config/environment';
import { storySpec } from '../../src/features/story/story.spec';
import { chunkingStrategies } from '../../src/kernel/chunking/chunking-plan';
import type { TokenCounter } from '../../src/kernel/chunking/token-counter';
import { specOf } from '../../src/kernel/embedding/embedding-reader';
import { embeddedText, renderChunks } from '../../src/kernel/embedding/rendering';
import type { Embedder } from '../../src/kernel/model/embedder';
import { atOnce } from '../../src/kernel/process/turns';
import type { Source } from '../../src/kernel/record/source';
import { startApp } from '../support/app';

const { modelCacheDir, npmExecPath } = loadEnvironment().embedder;
const STORIES = path.resolve(__dirname, '../../../shared/data/stories.jsonl');
const WINDOW = miniLmManifest.maxTokens;

let embedder: Embedder;
let counter: TokenCounter;
let tokenizer: LoadedTokenizer['tokenizer'];

beforeAll(async () => {
  embedder = createLocalEmbedder({ cacheDir: modelCacheDir, npmExecPath });
  counter = (await embedder.tokenCounter?.()) as TokenCounter;
  ({ tokenizer } = await loadTokenizer(modelFolder(modelCacheDir, miniLmManifest), miniLmManifest));
});

afterAll(async () => {
  await embedder.close();
});

/** As the model counts, without what it adds. */
const tokensOf = (text: string): number => tokenizer.encode(text, { add_special_tokens: false }).ids.length;

const words = fc.oneof(
  fc.lorem({ maxCount: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '한국어를 배우는 사람',
    '漢字とかな。',
    'สวัสดีครับ',
    'ﬁancée',
    'İstanbul',
    'a\u00adb',
    'foo\u0000bar',
    '\ufeff',
  ),
  fc.constantFrom(
    '[SEP]',
    '[MASK]s',
    '[sep]',
    "don't",
    'e\u0301',
    ' \u0301',
    '👩‍👩‍👧',
    '\ud83d',
    '\udc68',
    '½',
    '1984',
    'U.S.A.',
  ),
  fc.constantFrom(' ', '\n', '\r\n', '\t', '\u000b', '\u00a0', '\u2028', '\u3000', '\n\n', '. ', '—'),
);
const texts = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''));

describe('the local model counts tokens', () => {
  it('as its tokenizer does, of any text whose words it can read', () => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!/[^ \t\r\n]{101}/.test(text));
        expect(counter.count(text)).toBe(tokensOf(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('never lower than its tokenizer, of any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(texts, fc.constantFrom('x'.repeat(300), '한'.repeat(200))), { maxLength: 5 }),
        (parts) => {
          const text = parts.join('');
          expect(counter.count(text)).toBeGreaterThanOrEqual(tokensOf(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('up to a limit exactly, and says more than it of what has more', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 60 }), (text, most) => {
        const tokens = counter.count(text);
        const counted = counter.count(text, most);
        if (tokens <= most) expect(counted).toBe(tokens);
        else expect(counted).toBeGreaterThan(most);
      }),
      { numRuns: 500 },
    );
  });

  (existsSync(STORIES) ? it : it.skip)(
    'as its tokenizer does, of real stories (skipped where the checkout has no ../shared/data beside it)',
    () => {
      const lines = readFileSync(STORIES, 'utf8').trimEnd().split('\n').slice(0, 40);
      const paragraphs = lines.flatMap((line) => (JSON.parse(line) as { paragraphs: { text: string }[] }).paragraphs);
      for (const { text } of paragraphs) expect(counter.count(text)).toBe(tokensOf(text));
    },
  );
});

describe('a chunk for the local model', () => {
  const stories = fc.record({
    title: fc.string({ unit: 'grapheme', maxLength: 200 }),
    content: fc
      .array(
        fc.oneof(
          { weight: 4, arbitrary: texts },
          fc.constantFrom(
            'x'.repeat(900),
            '한'.repeat(400),
            '漢'.repeat(400),
            '👍🏽'.repeat(200),
            '\n\n# Title\n\n',
            '```\n',
          ),
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
    chunkingStrategy: fc.constantFrom(...chunkingStrategies),
    chunkTokens: fc.constantFrom(null, 32, 256, 8192),
    chunkOverlap: fc.constantFrom(0, 16),
    chunkContext: fc.constantFrom('none', 'title', 'headings', 'title_and_headings'),
  });

  it('never exceeds its window, with its line of context and what the model adds', () => {
    fc.assert(
      fc.property(stories, (record) => {
        const source = { record, related: {} } as unknown as Source;
        for (const chunk of atOnce(renderChunks(specOf(storySpec), source, WINDOW, counter))) {
          expect(tokenizer.encode(embeddedText(chunk.contextLine, chunk.text)).ids.length).toBeLessThanOrEqual(WINDOW);
          expect(chunk.tokenCount).toBeLessThanOrEqual(record.chunkTokens ?? WINDOW);
          expect(record.content.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('fills the window where that is asked for', () => {
    const content = 'One more sentence of a story. '.repeat(400);
    const settings = { chunkingStrategy: 'paragraph', chunkOverlap: 0, chunkContext: 'none' };
    const longest = (chunkTokens: number | null): number => {
      const source = { record: { ...settings, content, chunkTokens }, related: {} } as unknown as Source;
      const chunks = atOnce(renderChunks(specOf(storySpec), source, WINDOW, counter));
      return Math.max(...chunks.map((chunk) => chunk.tokenCount));
    };
    const sentence = counter.count('One more sentence of a story. ');
    expect(WINDOW - 2 - longest(8192)).toBeLessThan(sentence);
    expect(longest(null)).toBeLessThan(longest(8192));
  });
});

it('is stored with the tokens that the model makes of it', async () => {
  const app = await startApp({ embedder: createLocalEmbedder({ cacheDir: modelCacheDir, npmExecPath }) });
  try {
    const { errors } = await app.executeOperation(
      'mutation ($input: CreateStoryInput!) { createStory(input: $input) { syncToken } }',
      {
        input: { title: 'Tokens', content: `Antidisestablishmentarianism prevails.\n\n${'Pages of it. '.repeat(300)}` },
      },
    );
    expect(errors).toBeUndefined();
    await app.settle();
    const rows = await app.core.database.query<{ text: string; tokens: number }>(
      'SELECT text, token_count AS tokens FROM story_chunk_embeddings ORDER BY paragraph_index',
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { text, tokens } of rows) expect(tokens).toBe(tokensOf(text));
  } finally {
    await app.close();
  }
});
