import type { TokenCounter } from './token-counter';

/** A stretch of the text that is being cut, with its tokens. */
export interface Span {
  start: number;
  end: number;
  tokens: number;
}

/** Parts of a text that together are all of it, in order. */
export type Segmentation = (text: string, start: number, end: number) => Iterable<string>;

/** A segmenter takes time for the whole text at every step: 10 s for 100,000 characters at once, 0.1 s in stretches. */
const SEGMENTED_STRETCH = 2048;

/** The space between words. A mark after a space belongs to that space, so no word begins with it. */
const BETWEEN_WORDS = /\S\s+(?=[^\s\p{M}\u200d])/gu;
const LINES = /[^\r\n]*(?:\r\n|\n|\r|$)/gy;
/** Has characters that consist of several code points. */
const COMPOSED = /[\p{M}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d]/u;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The parts of a segmentation; of one that exceeds the budget its words, and of such a word its characters. */
export function* spansOf(
  text: string,
  range: { start: number; end: number },
  budget: number,
  segment: Segmentation,
  counter: TokenCounter,
): Generator<Span> {
  let from = range.start;
  for (const part of segment(text, range.start, range.end)) {
    const tokens = counter.count(part, budget);
    if (tokens <= budget) yield { start: from, end: from + part.length, tokens };
    else yield* wordSpans(part, from, budget, counter);
    from += part.length;
  }
}

/** Segments a stretch at a time. A sentence that fills a whole stretch is cut: it fits no chunk anyway. */
export function* sentencesOf(text: string, start: number, end: number): Generator<string> {
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

/** Lines with their ends. */
export function* linesOf(text: string, start: number, end: number): Generator<string> {
  for (const [line] of text.slice(start, end).matchAll(LINES)) if (line !== '') yield line;
}

/** All of it at once, to be cut into words where it does not fit. */
export const wholeOf: Segmentation = (text, start, end) => [text.slice(start, end)];

/** Words, and parts of those that do not fit. */
function* wordSpans(text: string, start: number, budget: number, counter: TokenCounter): Generator<Span> {
  let from = start;
  for (const word of wordsOf(text)) {
    const tokens = counter.count(word, budget);
    if (tokens <= budget) {
      yield { start: from, end: from + word.length, tokens };
      from += word.length;
      continue;
    }
    for (const part of COMPOSED.test(word) ? characters(word, budget, counter) : stretches(word, budget, counter)) {
      // Parts of a word may make more tokens together than each alone, but hardly more than their length.
      const tokens = counter.isExact ? Math.max(part.length, counter.count(part)) : part.length;
      yield { start: from, end: from + part.length, tokens };
      from += part.length;
    }
  }
}

/** Words with the white space around them. */
function* wordsOf(text: string): Generator<string> {
  let from = 0;
  for (const { 0: space, index } of text.matchAll(BETWEEN_WORDS)) {
    yield text.slice(from, index + space.length);
    from = index + space.length;
  }
  yield text.slice(from);
}

/** Parts of at most `budget` UTF-16 units, shorter where units are more than one token, as those of Korean are. */
function* stretches(word: string, budget: number, counter: TokenCounter): Generator<string> {
  for (let from = 0; from < word.length;) {
    let to = characterStart(word, Math.min(word.length, from + budget), word.length);
    while (to - from > 2 && counter.count(word.slice(from, to), budget) > budget) {
      to = characterStart(word, from + Math.ceil((to - from) / 2), word.length);
    }
    yield word.slice(from, to);
    from = to;
  }
}

/** What a reader calls a character, as long as it fits the budget: one can carry any number of marks. */
function* characters(word: string, budget: number, counter: TokenCounter): Generator<string> {
  for (let from = 0; from < word.length;) {
    const to = characterStart(word, Math.min(word.length, from + SEGMENTED_STRETCH), word.length);
    for (const { segment } of graphemes.segment(word.slice(from, to))) {
      if (counter.count(segment, budget) <= budget) yield segment;
      else yield* segment;
    }
    from = to;
  }
}

/** `index`, or the one before when `index` is in the middle of a surrogate pair. */
function characterStart(text: string, index: number, end: number): number {
  if (index === end) return end;
  // A low surrogate without its high one is a character by itself, if not a good one.
  return isSurrogate(text.charCodeAt(index), 0xdc00) && isSurrogate(text.charCodeAt(index - 1), 0xd800)
    ? index - 1
    : index;
}

/** Whether the unit is one of the 1024 surrogates from `first` on. */
function isSurrogate(unit: number, first: number): boolean {
  return unit >= first && unit < first + 0x400;
}
