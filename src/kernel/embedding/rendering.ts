import { createHash } from 'node:crypto';

import { chunkingSteps, chunkText } from '../chunking/chunk-text';
import { chunkBudget, type Chunk, type ChunkingPlan } from '../chunking/chunking-plan';
import { estimatedTokens, type TokenCounter } from '../chunking/token-counter';
import { DomainError } from '../errors/domain-error';
import type { Steps } from '../process/turns';
import type { Source } from '../record/source';
import type { EmbeddingSpec, EmbeddingTypeSpec } from './embedding-spec';

/** One embedding row as it should be. */
export interface RenderedChunk {
  embeddingType: string;
  chunkIndex: number;
  text: string;
  contextLine: string | null;
  startOffset: number;
  endOffset: number;
  /** Of the text, by the counter. */
  tokenCount: number;
  /** Headings above and in it, the outermost first. */
  headingPath: readonly string[];
  /** The same as the database computes for the row. */
  contentHash: string;
}

/** All of a record's chunks are compared and written at once. */
const MAX_CHUNKS = 20_000;
const LARGEST_CONTEXT_SHARE = 0.25;
const WHITE_SPACE = /\s+/g;

/**
 * All chunks that a record should have: per embedding type its text, cut to the window of a model that takes
 * `maxTokens`. Types in the spec's order, chunks in the text's. A text of megabytes takes seconds.
 * @throws TOO_MANY_CHUNKS
 */
export function* renderChunks(
  spec: EmbeddingSpec,
  source: Source,
  maxTokens: number,
  counter: TokenCounter = estimatedTokens,
): Steps<RenderedChunk[]> {
  const window = { maxTokens, counter };
  const rendered: RenderedChunk[] = [];
  for (const [type, typeSpec] of Object.entries(spec.types)) {
    for (const chunk of yield* renderType(type, typeSpec, source, window)) rendered.push(chunk);
  }
  return rendered;
}

function* renderType(
  embeddingType: string,
  typeSpec: EmbeddingTypeSpec,
  source: Source,
  window: Window,
): Steps<RenderedChunk[]> {
  const { maxTokens, counter } = window;
  const plan: ChunkingPlan = typeSpec.chunkingOf?.(source) ?? { strategy: typeSpec.chunking };
  const contexts = new ContextLines((path) => typeSpec.context?.(source, path), window);
  const budget = (path: readonly string[], ownHeadings: number): number =>
    chunkBudget(maxTokens, {
      contextTokens: contexts.above(path, ownHeadings).tokens,
      wanted: plan.maxTokens,
      isExact: counter.isExact,
    });
  const chunks = yield* chunkingSteps(typeSpec.text(source), plan, { budget, counter, mostChunks: MAX_CHUNKS });
  if (chunks.length > MAX_CHUNKS) {
    throw new DomainError(
      'TOO_MANY_CHUNKS',
      `${embeddingType}: the text makes more than ${MAX_CHUNKS} chunks, which is the most that a record may have.`,
      { details: { max: MAX_CHUNKS } },
    );
  }
  const rendered: RenderedChunk[] = [];
  for (const [chunkIndex, chunk] of chunks.entries()) {
    const contextLine = contexts.of(chunk);
    rendered.push({
      embeddingType,
      chunkIndex,
      text: chunk.text,
      contextLine,
      startOffset: chunk.start,
      endOffset: chunk.end,
      tokenCount: chunk.tokens,
      headingPath: chunk.headingPath,
      contentHash: contentHash(contextLine, chunk.text),
    });
    yield;
  }
  return rendered;
}

/** What a chunk has to fit into. */
interface Window {
  maxTokens: number;
  counter: TokenCounter;
}

interface ContextLine {
  line: string | null;
  tokens: number;
}

/** The context lines of one text: one for all its chunks, or one for each section. */
class ContextLines {
  private readonly known = new Map<string, ContextLine>();

  constructor(
    private readonly lineFor: (headingPath: readonly string[]) => string | undefined,
    private readonly window: Window,
  ) {}

  above(headingPath: readonly string[], ownHeadings: number): ContextLine {
    const path = headingPath.slice(0, headingPath.length - ownHeadings);
    const key = path.join('\n');
    let found = this.known.get(key);
    if (!found) {
      const line = this.shortened(this.lineFor(path));
      this.known.set(key, (found = { line, tokens: line === null ? 0 : this.window.counter.count(line) }));
    }
    return found;
  }

  /** A chunk that begins with the line needs it no second time. */
  of(chunk: Chunk): string | null {
    const { line } = this.above(chunk.headingPath, chunk.ownHeadings);
    return line !== null && chunk.text.startsWith(line) ? null : line;
  }

  /** One line, at most a quarter of the window. */
  private shortened(context: string | undefined): string | null {
    const line = context?.replace(WHITE_SPACE, ' ').trim() ?? '';
    if (line === '') return null;
    const { maxTokens, counter } = this.window;
    const budget = Math.floor(chunkBudget(maxTokens, { isExact: counter.isExact }) * LARGEST_CONTEXT_SHARE);
    return chunkText(line, { strategy: 'sentence' }, budget, counter)[0]?.text ?? null;
  }
}

/** What is embedded for a row. */
export function embeddedText(contextLine: string | null, text: string): string {
  return contextLine === null ? text : `${contextLine}\n${text}`;
}

export function contentHash(contextLine: string | null, text: string): string {
  return createHash('sha256').update(embeddedText(contextLine, text), 'utf8').digest('hex');
}
