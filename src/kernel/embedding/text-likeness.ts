/** Words; single characters in scripts that write without spaces. */
const WORDS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu;
/** Enough of a text to tell whether it is the same one, edited. */
const READ_CHARACTERS = 20_000;

/** How often each word of a text occurs in it, to compare it with others. */
export interface WordCounts {
  total: number;
  counts: ReadonlyMap<string, number>;
}

export function countWords(text: string): WordCounts {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word] of text.slice(0, READ_CHARACTERS).toLowerCase().matchAll(WORDS)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total += 1;
  }
  return { total, counts };
}

/** The share of words that two texts have in common (Dice): 0 none, 1 all. */
export function likeness(a: WordCounts, b: WordCounts): number {
  if (a.total + b.total === 0) return 1;
  const [few, many] = a.counts.size <= b.counts.size ? [a, b] : [b, a];
  let common = 0;
  for (const [word, count] of few.counts) common += Math.min(count, many.counts.get(word) ?? 0);
  return (2 * common) / (a.total + b.total);
}
