import { describe, expect, it } from '@jest/globals';
import { DenseVectors } from '../../../src/adapters/embedded-qdrant/engine/dense-vectors';
import { VectorMemory } from '../../../src/adapters/embedded-qdrant/simd/vector-memory';

const MIB = 2 ** 20;

describe('vector memory', () => {
  it('grows with the vectors, by blocks rather than by doubling', () => {
    const memory = new VectorMemory();
    const vectors = new DenseVectors(memory, 384, 'Dot');
    const vector = new Float32Array(384).fill(0.5);
    for (let slot = 0; slot < 10_000; slot += 1) vectors.set(slot, vector);
    const needed = 10_000 * 384 * 4;
    expect(memory.usedBytes).toBeGreaterThan(needed);
    expect(memory.usedBytes).toBeLessThan(needed + MIB);
  });

  it('is used again after a collection is dropped', () => {
    const memory = new VectorMemory();
    const fill = (): DenseVectors => {
      const vectors = new DenseVectors(memory, 96, 'Dot');
      for (let slot = 0; slot < 5000; slot += 1) vectors.set(slot, new Float32Array(96));
      return vectors;
    };
    fill().release();
    const used = memory.usedBytes;
    for (let round = 0; round < 5; round += 1) fill().release();
    expect(memory.usedBytes).toBe(used);
  });

  it('costs a small collection one block', () => {
    const memory = new VectorMemory();
    const before = memory.usedBytes;
    new DenseVectors(memory, 1536, 'Cosine').set(0, new Float32Array(1536));
    expect(memory.usedBytes - before).toBeLessThanOrEqual(MIB / 4);
  });

  it('does not mix vectors of a block that was used before', () => {
    const memory = new VectorMemory();
    const first = new DenseVectors(memory, 5, 'Dot');
    first.set(0, new Float32Array(5).fill(9));
    first.release();
    const second = new DenseVectors(memory, 6, 'Dot');
    second.set(0, Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(second.get(0)).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(second.scoreAll([new Float32Array(6).fill(1)], 1)[0]).toEqual(Float32Array.of(21));
  });

  it('refuses with 507 what it cannot hold, and stays usable', () => {
    const memory = new VectorMemory();
    expect(() => memory.allocate(5 * 2 ** 30)).toThrow(expect.objectContaining({ status: 507 }));
    expect(memory.allocate(1)).toBeGreaterThan(0);
  });
});
