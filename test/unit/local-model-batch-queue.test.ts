import { describe, expect, it } from '@jest/globals';
import { type Batch, BatchQueue } from '../../src/adapters/local-model/batch-queue';

/** One token a word, so that lengths are easy to see. */
const tokenize = (text: string): number[] => text.split(' ').map((_, index) => index);
const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

function drain(queue: BatchQueue): Batch[] {
  const batches: Batch[] = [];
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) batches.push(batch);
  return batches;
}

describe('BatchQueue', () => {
  it('takes a request shortest text first and says where each text was', () => {
    const queue = new BatchQueue(tokenize, { maxTexts: 2, maxPaddedTokens: 1000 });
    queue.add(1, [words(5), words(1), words(3)], 2);
    const batches = drain(queue);
    expect(batches.map((batch) => batch.indexes)).toEqual([[1, 2], [0]]);
    expect(batches.map((batch) => batch.isLast)).toEqual([false, true]);
    expect(queue.isEmpty).toBe(true);
  });

  it('keeps a batch, padding included, within the token limit', () => {
    const queue = new BatchQueue(tokenize, { maxTexts: 8, maxPaddedTokens: 20 });
    const texts = [1, 1, 4, 9, 10, 30].map(words);
    queue.add(1, texts, 2);
    const batches = drain(queue);
    for (const batch of batches) {
      const padded = batch.tokens.length * Math.max(...batch.tokens.map((tokens) => tokens.length));
      if (batch.tokens.length > 1) expect(padded).toBeLessThanOrEqual(20);
    }
    expect(batches.flatMap((batch) => batch.indexes).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    // A text that is over the limit on its own still gets its turn.
    expect(batches.at(-1)?.indexes).toEqual([5]);
  });

  it('tokenises every text once', () => {
    const seen: string[] = [];
    const queue = new BatchQueue(
      (text) => {
        seen.push(text);
        return tokenize(text);
      },
      { maxTexts: 8, maxPaddedTokens: 10 },
    );
    const texts = Array.from({ length: 20 }, (_, index) => words(1 + (index % 7)));
    queue.add(1, texts, 2);
    drain(queue);
    expect(seen.length).toBe(texts.length);
  });

  it('lets a query in between two batches of documents', () => {
    const queue = new BatchQueue(tokenize, { maxTexts: 1, maxPaddedTokens: 100 });
    queue.add(1, [words(2), words(3)], 2);
    queue.add(2, [words(2)], 2);
    expect(queue.take()?.requestId).toBe(1);
    queue.add(3, [words(9)], 0);
    expect(drain(queue).map((batch) => batch.requestId)).toEqual([3, 1, 2]);
  });

  it('lets documents that someone waits for in after queries and before the others', () => {
    const queue = new BatchQueue(tokenize, { maxTexts: 1, maxPaddedTokens: 100 });
    queue.add(1, [words(2), words(3)], 2);
    queue.add(2, [words(2), words(2)], 1);
    queue.add(3, [words(9)], 0);
    expect(drain(queue).map((batch) => batch.requestId)).toEqual([3, 2, 2, 1, 1]);
  });

  it('forgets a cancelled request', () => {
    const queue = new BatchQueue(tokenize, { maxTexts: 1, maxPaddedTokens: 100 });
    queue.add(1, [words(2), words(3)], 2);
    queue.add(2, [words(2)], 2);
    queue.take();
    queue.remove(1);
    expect(drain(queue).map((batch) => batch.requestId)).toEqual([2]);
  });
});
