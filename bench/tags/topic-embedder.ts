import type { Embedder } from '../../src/kernel/model/embedder';

const DIMENSIONS = 384;
/** How much of a vector is not its topics. */
const NOISE = 0.6;

function seeded(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

function direction(seed: number): Float32Array {
  const next = seeded(seed);
  const vector = Float32Array.from({ length: DIMENSIONS }, () => next() + next() + next() - 1.5);
  return normalised(vector);
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value;
}

/**
 * Stands in for a model: a text lies between the topics that it names (`topic12 topic7 …`), with some noise of its own,
 * so that it is near a few tags and far from all others, as real texts are. Takes no time worth mentioning.
 */
export function createTopicEmbedder(): Embedder {
  return {
    model: { provider: 'bench', name: 'topics', version: '1', dimensions: DIMENSIONS, maxTokens: 256 },
    batchSize: 256,
    embed: (texts) => Promise.resolve(texts.map(vectorOf)),
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function vectorOf(text: string): Float32Array {
  const noise = direction(hash(text));
  const sum = noise.map((value) => value * NOISE);
  for (const [, topic] of text.matchAll(/topic(\d+)/g)) {
    const part = direction(Number(topic) + 1_000_003);
    for (let i = 0; i < DIMENSIONS; i++) sum[i] = (sum[i] as number) + (part[i] as number);
  }
  return normalised(sum);
}
