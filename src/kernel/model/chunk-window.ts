import type { TokenCounter } from '../chunking/token-counter';

/** What chunks have to fit into. */
export interface ChunkWindow {
  /** The longest chunk of a kind, in tokens, that every model which embeds it takes whole. */
  maxTokens(kind: string): number;
  /** How the live model counts. */
  counter: TokenCounter;
}
