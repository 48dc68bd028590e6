import { createHash } from 'node:crypto';

import type { Source } from '../record/source';
import { chunkBudget, chunkText } from './chunker';
import type { EmbeddingSpec, EmbeddingTypeSpec } from './embedding-spec';
import { estimateTokens } from './token-estimate';

/** One embedding row as it should be. */
export interface RenderedChunk {
  embeddingType: string;
  chunkIndex: number;
  text: string;
  contextLine: string | null;
  startOffset: number;
  endOffset: number;
  /** The same as the database computes for the row. */
  contentHash: string;
}

const LARGEST_CONTEXT_SHARE = 0.25;
const WHITE_SPACE = /\s+/g;

/**
 * All chunks that a record should have: per embedding type its text, cut to the window of a model that takes
 * `maxTokens`. Types in the spec's order, chunks in the text's.
 */
export function renderChunks(spec: EmbeddingSpec, source: Source, maxTokens: number): RenderedChunk[] {
  return Object.entries(spec.types).flatMap(([type, typeSpec]) => renderType(type, typeSpec, source, maxTokens));
}

function renderType(
  embeddingType: string,
  typeSpec: EmbeddingTypeSpec,
  source: Source,
  maxTokens: number,
): RenderedChunk[] {
  const text = typeSpec.text(source);
  const context = contextLineOf(typeSpec.context?.(source), maxTokens);
  const budget = chunkBudget(maxTokens, context === null ? 0 : estimateTokens(context));
  return chunkText(text, typeSpec.chunking, budget).map((chunk, chunkIndex) => {
    // A chunk that begins with the line needs it no second time.
    const contextLine = context !== null && chunk.text.startsWith(context) ? null : context;
    return {
      embeddingType,
      chunkIndex,
      text: chunk.text,
      contextLine,
      startOffset: chunk.start,
      endOffset: chunk.end,
      contentHash: contentHash(contextLine, chunk.text),
    };
  });
}

/** One line, at most a quarter of the window. */
function contextLineOf(context: string | undefined, maxTokens: number): string | null {
  const line = context?.replace(WHITE_SPACE, ' ').trim() ?? '';
  if (line === '') return null;
  const budget = Math.floor(chunkBudget(maxTokens) * LARGEST_CONTEXT_SHARE);
  return chunkText(line, 'window', budget)[0]?.text ?? null;
}

/** What is embedded for a row. */
export function embeddedText(contextLine: string | null, text: string): string {
  return contextLine === null ? text : `${contextLine}\n${text}`;
}

export function contentHash(contextLine: string | null, text: string): string {
  return createHash('sha256').update(embeddedText(contextLine, text), 'utf8').digest('hex');
}
