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

const BLANK_LINES = /(?:\r\n|\n|\r)(?:[^\S\r\n]*(?:\r\n|\n|\r))+/g;
const WORDS_WITH_SPACE = /\s*\S+\s*/gu;

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
  for (const { segment, index } of sentences.segment(text.slice(start, end))) {
    const tokens = estimateTokens(segment);
    const from = start + index;
    if (tokens <= budget) found.push({ start: from, end: from + segment.length, tokens });
    else found.push(...cutSentence(segment, from, budget));
  }
  return found;
}

function cutSentence(sentence: string, start: number, budget: number): Span[] {
  const found: Span[] = [];
  let current: Span | undefined;
  const add = (from: number, to: number, tokens: number): void => {
    if (current && current.tokens + tokens <= budget) {
      current.end = to;
      current.tokens += tokens;
      return;
    }
    current = { start: from, end: to, tokens };
    found.push(current);
  };
  for (const { 0: word, index } of sentence.matchAll(WORDS_WITH_SPACE)) {
    const tokens = estimateTokens(word);
    if (tokens <= budget) {
      add(start + index, start + index + word.length, tokens);
      continue;
    }
    for (const { segment, index: offset } of graphemes.segment(word)) {
      // One character can carry any number of marks.
      const parts = estimateTokens(segment) <= budget ? [segment] : Array.from(segment);
      let from = start + index + offset;
      for (const part of parts) {
        // Alone a character counts for at least as much as within its word.
        add(from, from + part.length, Math.max(1, estimateTokens(part)));
        from += part.length;
      }
    }
  }
  return found;
}

function trimmed(text: string, start: number, end: number): Chunk | undefined {
  const slice = text.slice(start, end);
  const content = slice.trim();
  if (content === '') return undefined;
  const from = start + slice.indexOf(content);
  return { text: content, start: from, end: from + content.length };
}
