import { describe, expect, it } from '@jest/globals';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const document = { purpose: 'document' } as const;

describe('createDeterministicEmbedder', () => {
  it('gives unit vectors of the length asked for, the same ones every time', async () => {
    const texts = ['A baker of bread', '', '!?', 'Größe 北京'];
    const first = await createDeterministicEmbedder({ dimensions: 32 }).embed(texts, document);
    const second = await createDeterministicEmbedder({ dimensions: 32 }).embed(texts, document);
    expect(first).toEqual(second);
    for (const vector of first) {
      expect(vector.length).toBe(32);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
    }
  });

  it('puts texts that share words nearer than texts that do not', async () => {
    const embedder = createDeterministicEmbedder();
    const [query, near, far] = (await embedder.embed(
      ['nurse in a hospital', 'a nurse at the city hospital', 'welding steel bridges'],
      document,
    )) as [Float32Array, Float32Array, Float32Array];
    expect(dot(query, near)).toBeGreaterThan(dot(query, far) + 0.2);
  });

  it('gives other vectors under another version, which a model change needs', async () => {
    const [one] = await createDeterministicEmbedder().embed(['text'], document);
    const [two] = await createDeterministicEmbedder({ version: '2' }).embed(['text'], document);
    expect(one).not.toEqual(two);
  });

  it('shows each call to onEmbed, which may fail it', async () => {
    const calls: number[] = [];
    const embedder = createDeterministicEmbedder({
      onEmbed: (texts) => {
        calls.push(texts.length);
        if (texts.includes('poison')) throw new Error('the model choked');
      },
    });
    await embedder.embed(['a', 'b'], document);
    await expect(embedder.embed(['poison'], document)).rejects.toThrow('the model choked');
    expect(calls).toEqual([2, 1]);
  });

  it('refuses a length that no vector has', () => {
    expect(() => createDeterministicEmbedder({ dimensions: 0 })).toThrow('at least 1');
  });
});
