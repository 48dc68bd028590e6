import stem from 'wink-porter2-stemmer';

import type { SparseVector } from '../vector/vector-store';
import { stopwords } from './stopwords';

/** Term frequency saturation and length normalisation of BM25. */
const K1 = 1.2;
const B = 0.75;

/** Words with an apostrophe inside, and with the signs that tell C++ and C# from C. */
const WORDS = /[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{M}]+)*(?:\+\+|#(?![\p{L}\p{N}]))?/gu;
const MARKS = /\p{M}+/gu;
const POSSESSIVE = /['’]s$/;
const APOSTROPHES = /['’]/g;
/** Scripts that put no space between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const UNSPACED_RUNS = new RegExp(`${UNSPACED.source}+|(?:(?!${UNSPACED.source}).)+`, 'gu');
const ENGLISH_WORD = /^[a-z]+$/;
const ACRONYM = /^[A-Z]{2,}$/;
/** Longer "words" are encoded data; what follows tells nothing more. */
const LONGEST_WORD = 64;

/** Stemming costs a few microseconds a word, and most words are seen again. Emptied when full. */
const stems = new Map<string, string>();
const LARGEST_STEM_CACHE = 50_000;

/**
 * BM25 term weights of a stored text. The vector server multiplies by each term's inverse document frequency, so a dot
 * product with `queryVector` is the text's BM25 score.
 * @param meanTermCount how many terms a text of its kind has on average
 * @returns an empty vector for a text without words
 */
export function documentVector(text: string, meanTermCount: number): SparseVector {
  const terms = termsOf(text);
  const norm = K1 * (1 - B + (B * terms.length) / meanTermCount);
  return sparse(terms, (count) => (count * (K1 + 1)) / (count + norm));
}

/** What to search for, by how often each term occurs. */
export function queryVector(text: string): SparseVector {
  return sparse(termsOf(text), (count) => count);
}

/** The terms of a text in order, repeated as they occur: case, accents and endings folded, stop words left out. */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  for (const [word] of text.normalize('NFKC').matchAll(WORDS)) {
    // "IT" is a field of work, "it" is not.
    const isStopword = !ACRONYM.test(word) && stopwords.has(folded(word));
    if (isStopword) continue;
    if (UNSPACED.test(word)) terms.push(...unspacedTerms(word));
    else terms.push(stemmed(folded(word)));
  }
  return terms;
}

function folded(word: string): string {
  return word
    .slice(0, LONGEST_WORD)
    .normalize('NFD')
    .replace(MARKS, '')
    .toLowerCase()
    .replace(POSSESSIVE, '')
    .replace(APOSTROPHES, '');
}

/** Pairs of neighbouring characters, which stand in for words that nothing separates. */
function unspacedTerms(run: string): string[] {
  const terms: string[] = [];
  for (const [part] of run.matchAll(UNSPACED_RUNS)) {
    if (!UNSPACED.test(part)) {
      terms.push(stemmed(folded(part)));
      continue;
    }
    const characters = Array.from(part);
    if (characters.length === 1) terms.push(part);
    for (let i = 0; i + 1 < characters.length; i++) terms.push(`${characters[i]}${characters[i + 1]}`);
  }
  return terms;
}

function stemmed(word: string): string {
  if (!ENGLISH_WORD.test(word)) return word;
  const known = stems.get(word);
  if (known !== undefined) return known;
  const term = stem(word);
  if (stems.size >= LARGEST_STEM_CACHE) stems.clear();
  stems.set(word, term);
  return term;
}

function sparse(terms: readonly string[], weigh: (count: number) => number): SparseVector {
  const counts = new Map<string, number>();
  for (const term of terms) if (term !== '') counts.set(term, (counts.get(term) ?? 0) + 1);
  const weights = new Map<number, number>();
  for (const [term, count] of counts) {
    const index = termIndex(term);
    // Two terms in four billion may share an index; then it stands for both.
    weights.set(index, (weights.get(index) ?? 0) + weigh(count));
  }
  const indices = [...weights.keys()].sort((a, b) => a - b);
  return { indices, values: indices.map((index) => weights.get(index) as number) };
}

/**
 * A term's place in every lexical vector: 32-bit FNV-1a with a final mix. Stored vectors depend on it, so it must
 * never change.
 */
export function termIndex(term: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
