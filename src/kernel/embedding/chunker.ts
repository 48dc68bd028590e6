import type { ChunkingName } from './embedding-spec';
import { estimateTokens } from './token-estimate';

/** A part of a text: `text.slice(start, end)` is `chunk.text`, in UTF-16 units, without white space at either end. */
export interface Chunk {
  text: string;
  start: number;
  end: number;
}

/** A stretch of the text that is being cut, with its estimated tokens. */
interface Span {
  start: number;
  end: number;
  tokens: number;
}

/** Larger windows are not filled: a chunk about one thing is found more precisely than one about ten. */
const LARGEST_CHUNK_TOKENS = 450;
/** [CLS] and [SEP], or their like. */
const SPECIAL_TOKENS = 2;
/** Below the whole window, because tokens are estimated: 99 of 100 full chunks then really fit. */
const WINDOW_SHARE = 0.92;
const SMALLEST_BUDGET_TOKENS = 16;
/** A last chunk smaller than this share of the budget is evened out with the one before it. */
const TINY_TAIL_SHARE = 0.25;

/** A segmenter takes time for the whole text at every step: 10 s for 100,000 characters at once, 0.1 s in stretches. */
const SEGMENTED_STRETCH = 2048;

const BLANK_LINES = /(?:\r\n|\n|\r)(?:[^\S\r\n]*(?:\r\n|\n|\r))+/g;
const WORDS_WITH_SPACE = /\s*\S+\s*/gu;
/** Has characters that consist of several code points. */
const COMPOSED = /[\p{M}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d]/u;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * How many tokens of text one chunk may have, for a model that takes `maxTokens` and a context line of
 * `contextTokens` before each chunk.
 */
export function chunkBudget(maxTokens: number, contextTokens = 0): number {
  const window = Math.min(maxTokens, LARGEST_CHUNK_TOKENS) - SPECIAL_TOKENS;
  return Math.max(SMALLEST_BUDGET_TOKENS, Math.floor(window * WINDOW_SHARE) - contextTokens);
}

/**
 * Cuts `text` into chunks of at most `budget` estimated tokens, in order; blank text has none.
 * `window` packs whole sentences as long as they fit. `paragraph` makes one chunk of each paragraph (paragraphs are
 * separated by blank lines) and packs the sentences of one that is too long. A sentence that does not fit is cut
 * between words, a word that does not fit between characters.
 */
export function chunkText(text: string, chunking: ChunkingName, budget: number): Chunk[] {
  const parts = chunking === 'paragraph' ? paragraphs(text) : [{ start: 0, end: text.length }];
  return parts.flatMap(({ start, end }) => pack(text, start, end, budget));
}

function paragraphs(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = 0;
  for (const gap of text.matchAll(BLANK_LINES)) {
    found.push({ start, end: gap.index });
    start = gap.index + gap[0].length;
  }
  found.push({ start, end: text.length });
  return found;
}

function pack(text: string, start: number, end: number, budget: number): Chunk[] {
  const whole = trimmed(text, start, end);
  if (!whole) return [];
  if (estimateTokens(whole.text) <= budget) return [whole];
  const spans = pieces(text, start, end, budget);
  const groups: Span[][] = [[]];
  let used = 0;
  for (const span of spans) {
    if (used > 0 && used + span.tokens > budget) {
      groups.push([]);
      used = 0;
    }
    (groups[groups.length - 1] as Span[]).push(span);
    used += span.tokens;
  }
  evenOutTail(groups, budget);
  return groups.flatMap((group) => {
    const first = group[0];
    const last = group[group.length - 1];
    const chunk = first && last && trimmed(text, first.start, last.end);
    return chunk ? [chunk] : [];
  });
}

/** Moves spans from the second last group to a tiny last one until the two are about equal. */
function evenOutTail(groups: Span[][], budget: number): void {
  const last = groups[groups.length - 1];
  const previous = groups[groups.length - 2];
  if (!last || !previous) return;
  let tail = total(last);
  let head = total(previous);
  if (tail >= budget * TINY_TAIL_SHARE) return;
  while (previous.length > 1) {
    const moved = previous[previous.length - 1] as Span;
    if (tail + moved.tokens > Math.min(budget, head)) return;
    previous.pop();
    last.unshift(moved);
    tail += moved.tokens;
    head -= moved.tokens;
  }
}

const total = (spans: readonly Span[]): number => spans.reduce((sum, span) => sum + span.tokens, 0);

/** Sentences, or parts of those that do not fit; together they cover `start` to `end`. */
function pieces(text: string, start: number, end: number, budget: number): Span[] {
  const found: Span[] = [];
  let from = start;
  for (const sentence of sentencesOf(text, start, end)) {
    const tokens = estimateTokens(sentence);
    if (tokens <= budget) found.push({ start: from, end: from + sentence.length, tokens });
    else found.push(...cutSentence(sentence, from, budget));
    from += sentence.length;
  }
  return found;
}

/** Segments a stretch at a time. A sentence that fills a whole stretch is cut: it fits no chunk anyway. */
function* sentencesOf(text: string, start: number, end: number): Generator<string> {
  for (let from = start; from < end;) {
    const to = characterStart(text, Math.min(end, from + SEGMENTED_STRETCH), end);
    const found = Array.from(sentences.segment(text.slice(from, to)), ({ segment }) => segment);
    // The last one may go on behind the stretch.
    if (to < end && found.length > 1) found.pop();
    for (const sentence of found) {
      yield sentence;
      from += sentence.length;
    }
  }
}

/** Its words, and parts of those that do not fit. */
function cutSentence(sentence: string, start: number, budget: number): Span[] {
  const found: Span[] = [];
  for (const { 0: word, index } of sentence.matchAll(WORDS_WITH_SPACE)) {
    const tokens = estimateTokens(word);
    let from = start + index;
    if (tokens <= budget) {
      found.push({ start: from, end: from + word.length, tokens });
      continue;
    }
    for (const part of COMPOSED.test(word) ? characters(word, budget) : stretches(word, budget)) {
      // Parts of a word may make more tokens together than each alone, but never more than their length.
      found.push({ start: from, end: from + part.length, tokens: part.length });
      from += part.length;
    }
  }
  return found;
}

/** Parts of at most `budget` UTF-16 units, none of which is more than one token. */
function* stretches(word: string, budget: number): Generator<string> {
  for (let from = 0; from < word.length;) {
    const to = characterStart(word, Math.min(word.length, from + budget), word.length);
    yield word.slice(from, to);
    from = to;
  }
}

/** What a reader calls a character, as long as it fits the budget: one can carry any number of marks. */
function* characters(word: string, budget: number): Generator<string> {
  for (let from = 0; from < word.length;) {
    const to = characterStart(word, Math.min(word.length, from + SEGMENTED_STRETCH), word.length);
    for (const { segment } of graphemes.segment(word.slice(from, to))) {
      if (estimateTokens(segment) <= budget) yield segment;
      else yield* segment;
    }
    from = to;
  }
}

/** `index`, or the one before when `index` is in the middle of a surrogate pair. */
function characterStart(text: string, index: number, end: number): number {
  if (index === end) return end;
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff ? index - 1 : index;
}

function trimmed(text: string, start: number, end: number): Chunk | undefined {
  const slice = text.slice(start, end);
  const content = slice.trim();
  if (content === '') return undefined;
  const from = start + slice.indexOf(content);
  return { text: content, start: from, end: from + content.length };
}
