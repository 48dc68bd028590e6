import type { TokenCounter } from '../../kernel/chunking/token-counter';
import type { LoadedTokenizer } from './tokenizer';

/** Words that are remembered; a language has fewer that recur. */
const MOST_WORDS = 50_000;
const LONGEST_REMEMBERED = 40;
/** Longer words are one unknown token to the model. To be cut into parts they count as what they would be. */
const LONGEST_WORD = 100;
const UNREADABLE_CHARACTERS_PER_TOKEN = 2.5;
/** What is longer fits no window of this model, so nobody needs to know by how much. */
const LONGEST_COUNTED = 1024;
/** Syllables of Korean are taken apart. */
const MOST_TOKENS_PER_CHARACTER = 3;

/**
 * Counts as a BERT tokenizer does. It parts texts at white space, ASCII punctuation and Chinese characters, whatever
 * stands beside them, so what lies between is counted once and remembered: about ten times as fast as tokenising the
 * whole (80 µs a paragraph of stories). Exact, but for words of more than a hundred characters, of which it says more than the model makes of them.
 */
export class WordTokenCounter implements TokenCounter {
  readonly isExact = true;
  private readonly known = new Map<string, number>();
  /** Asked about several times in a row while a text is cut. */
  private lastLong = { piece: '', tokens: 0 };
  private readonly pieces: RegExp;
  private readonly specialTexts: ReadonlySet<string>;

  constructor(private readonly loaded: LoadedTokenizer) {
    this.specialTexts = new Set(loaded.specialTexts);
    const special = loaded.specialTexts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    this.pieces = new RegExp([...special, PUNCTUATION_OR_CHINESE, WORD].join('|'), 'g');
  }

  count(text: string): number {
    let tokens = 0;
    for (const [piece] of text.matchAll(this.pieces)) tokens += this.tokensOf(piece);
    return tokens;
  }

  private tokensOf(piece: string): number {
    if (piece.length === 1 && IS_ONE.test(piece)) return 1;
    const known = this.known.get(piece);
    if (known !== undefined) return known;
    if (this.specialTexts.has(piece)) return 1;
    if (piece.length > LONGEST_COUNTED) return piece.length * MOST_TOKENS_PER_CHARACTER;
    if (piece === this.lastLong.piece) return this.lastLong.tokens;
    const tokens = this.tokenise(piece);
    if (piece.length > LONGEST_REMEMBERED) {
      this.lastLong = { piece, tokens };
    } else {
      if (this.known.size >= MOST_WORDS) this.known.clear();
      this.known.set(piece, tokens);
    }
    return tokens;
  }

  private tokenise(piece: string): number {
    const made = this.loaded.tokenizer.encode(piece, { add_special_tokens: false }).ids.length;
    if (piece.length <= LONGEST_WORD) return made;
    return Math.max(made, Math.ceil(piece.length / UNREADABLE_CHARACTERS_PER_TOKEN));
  }
}

const PUNCTUATION = '!-/:-@\\[-`{-~';
const CHINESE = '\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff';
const PUNCTUATION_OR_CHINESE = `[${PUNCTUATION}${CHINESE}]`;
const WORD = `[^ \\t\\r\\n${PUNCTUATION}${CHINESE}]+`;
const IS_ONE = new RegExp(PUNCTUATION_OR_CHINESE);
