import type { ContractServer } from './contract-server';
import type { Distance, Vector } from './reference-scores';

/** A small deterministic generator, so that a failing case is the same case again. */
export function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Vectors whose coordinates are short binary fractions in −2..2: exact in single precision. */
export function sampleVectors(count: number, size: number, seed: number): number[][] {
  const next = sequence(seed);
  return Array.from({ length: count }, () => Array.from({ length: size }, () => Math.round((next() - 0.5) * 256) / 64));
}

export const DISTANCES: readonly Distance[] = ['Cosine', 'Dot', 'Euclid', 'Manhattan'];

/** A collection with one unnamed vector a point; ids count from 1. */
export async function createWithVectors(
  server: ContractServer,
  distance: Distance,
  vectors: readonly Vector[],
): Promise<string> {
  const name = await server.create({ vectors: { size: vectors[0]!.length, distance } });
  await server.client.upsert(name, {
    wait: true,
    points: vectors.map((vector, i) => ({ id: i + 1, vector: [...vector] })),
  });
  return name;
}
