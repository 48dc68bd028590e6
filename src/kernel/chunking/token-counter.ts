import { estimateTokens } from './token-estimate';

/** How many tokens a model makes of texts. */
export interface TokenCounter {
  /**
   * Tokens of `text`, without those that the model adds to every text. Cheap: it is asked about every sentence, and
   * about every word of those that do not fit.
   * @param most where more is all the same: of a text with more tokens, any number above it is said, sooner
   */
  count(text: string, most?: number): number;
  /** Whether the model never makes more of a text than `count` says, so that a chunk may fill its window. */
  isExact: boolean;
}

/** Where nobody can be asked. */
export const estimatedTokens: TokenCounter = { count: estimateTokens, isExact: false };
