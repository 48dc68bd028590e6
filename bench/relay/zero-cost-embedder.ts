import { setTimeout as delay } from 'node:timers/promises';
import type { Embedder } from '../../src/kernel/model/embedder';
import { seeded } from '../support/random';

const DIMENSIONS = 384;
const VECTORS = 512;

/** A model that costs nothing: answers at once, or after `delayMs`, with one of a few hundred unit vectors, in turn. */
export function zeroCostEmbedder(delayMs = 0): Embedder {
  const random = seeded(7);
  const vectors = Array.from({ length: VECTORS }, () => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
  let next = 0;
  return {
    model: { provider: 'bench', name: 'zero-cost', version: '', dimensions: DIMENSIONS, maxTokens: 256 },
    // What an API's embedder has.
    batchSize: 256,
    embed: async (texts) => {
      if (delayMs > 0) await delay(delayMs);
      return texts.map(() => vectors[next++ % VECTORS] as Float32Array);
    },
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
