import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { expectRanking, ranked, type Scored } from './support/ranking';
import {
  fastSigmoid,
  mean,
  normalised,
  orderOf,
  scaledSigmoid,
  score,
  similarity,
  type Vector,
} from './support/reference-scores';
import { createWithVectors, DISTANCES, sampleVectors } from './support/samples';

const server = useContractServer();
const vectors = sampleVectors(50, 6, 21);
const EPSILON = 1.1920929e-7;

describe.each(DISTANCES)('examples by %s', (distance) => {
  let name = '';
  beforeAll(async () => {
    name = await createWithVectors(server, distance, vectors);
  });

  const stored = (id: number): Vector => (distance === 'Cosine' ? normalised(vectors[id - 1]!) : vectors[id - 1]!);
  const alike = (a: Vector, b: Vector) => similarity(distance, a, b);

  /** Every point but the examples, by a score of its vector. */
  function reference(
    examples: number[],
    scoreOf: (vector: Vector) => number,
    order: 'ascending' | 'descending' = 'descending',
  ): Scored[] {
    const ids = vectors.map((_, i) => i + 1).filter((id) => !examples.includes(id));
    return ranked(
      ids.map((id) => ({ id, score: scoreOf(stored(id)) })),
      order,
    );
  }

  async function ask(query: Parameters<typeof server.client.query>[1]['query'], limit = 100): Promise<Scored[]> {
    return (await server.client.query(name, { query, limit })).points;
  }

  describe('recommend', () => {
    it('average_vector: twice the positive mean less the negative mean; the default', async () => {
      const [positive, negative] = [
        [1, 2, 3],
        [4, 5],
      ];
      const [plus, minus] = [mean(positive.map(stored)), mean(negative.map(stored))];
      const target = plus.map((value, i) => 2 * value - minus[i]!);
      const expected = reference([...positive, ...negative], (v) => score(distance, target, v), orderOf(distance));
      expectRanking(await ask({ recommend: { positive, negative } }), expected);
      expectRanking(await ask({ recommend: { positive, negative, strategy: 'average_vector' } }), expected);
    });

    it('average_vector of positives alone', async () => {
      const positive = [7, 8];
      const target = mean(positive.map(stored));
      expectRanking(
        await ask({ recommend: { positive } }),
        reference(positive, (v) => score(distance, target, v), orderOf(distance)),
      );
    });

    it('best_score: the nearest example decides', async () => {
      const [positive, negative] = [
        [1, 2],
        [3, 4, 5],
      ];
      const expected = reference([...positive, ...negative], (v) => {
        const plus = Math.max(...positive.map((id) => alike(stored(id), v)));
        const minus = Math.max(...negative.map((id) => alike(stored(id), v)));
        return plus > minus ? scaledSigmoid(plus) : -scaledSigmoid(minus);
      });
      expectRanking(await ask({ recommend: { positive, negative, strategy: 'best_score' } }), expected);
    });

    it('best_score of one side alone', async () => {
      const ids = [6, 9];
      const best = (v: Vector) => scaledSigmoid(Math.max(...ids.map((id) => alike(stored(id), v))));
      expectRanking(await ask({ recommend: { positive: ids, strategy: 'best_score' } }), reference(ids, best));
      expectRanking(
        await ask({ recommend: { negative: ids, strategy: 'best_score' } }),
        reference(ids, (v) => -best(v)),
      );
    });

    it('sum_scores: positives less negatives', async () => {
      const [positive, negative] = [
        [1, 2, 10],
        [3, 4],
      ];
      const sum = (ids: number[], v: Vector) => ids.reduce((total, id) => total + alike(stored(id), v), 0);
      const expected = reference([...positive, ...negative], (v) => sum(positive, v) - sum(negative, v));
      expectRanking(await ask({ recommend: { positive, negative, strategy: 'sum_scores' } }), expected);
    });

    it('takes raw vectors beside ids', async () => {
      const [raw] = sampleVectors(1, 6, 22) as [number[]];
      const expected = reference([1], (v) =>
        scaledSigmoid(Math.max(alike(stored(1), v), alike(distance === 'Cosine' ? normalised(raw) : raw, v))),
      );
      expectRanking(await ask({ recommend: { positive: [1, raw], strategy: 'best_score' } }), expected);
    });
  });

  it('discover: pairs won or lost, then the target', async () => {
    const context = [
      { positive: 2, negative: 3 },
      { positive: 4, negative: 5 },
      { positive: 6, negative: 7 },
    ];
    const expected = reference([1, 2, 3, 4, 5, 6, 7], (v) => {
      const rank = context.reduce(
        (sum, pair) => sum + Math.sign(alike(stored(pair.positive), v) - alike(stored(pair.negative), v)),
        0,
      );
      return rank + scaledSigmoid(alike(stored(1), v));
    });
    expectRanking(await ask({ discover: { target: 1, context } }), expected);
  });

  it('context: the loss of every pair that is closer to its negative', async () => {
    const context = [
      { positive: 2, negative: 3 },
      { positive: 4, negative: 5 },
    ];
    const expected = reference([2, 3, 4, 5], (v) =>
      context.reduce((sum, pair) => {
        const difference = alike(stored(pair.positive), v) - alike(stored(pair.negative), v) - EPSILON;
        return sum + fastSigmoid(Math.min(difference, 0));
      }, 0),
    );
    expectRanking(await ask({ context }), expected);
  });
});

describe('maximal marginal relevance', () => {
  const [query] = sampleVectors(1, 6, 23) as [number[]];

  /** Ids in the order of picking. */
  function picks(distance: 'Cosine' | 'Dot', diversity: number, candidates: number, limit: number): number[] {
    const relevance = (id: number) => score(distance, query, vectors[id - 1]!);
    const rest = vectors.map((_, i) => i + 1).sort((a, b) => relevance(b) - relevance(a));
    rest.length = candidates;
    const picked = [rest.shift()!];
    while (picked.length < limit && rest.length > 0) {
      const gain = (id: number) =>
        (1 - diversity) * relevance(id) -
        diversity * Math.max(...picked.map((other) => score(distance, vectors[id - 1]!, vectors[other - 1]!)));
      const best = rest.reduce((a, b) => (gain(b) > gain(a) ? b : a));
      rest.splice(rest.indexOf(best), 1);
      picked.push(best);
    }
    return picked;
  }

  describe.each(['Cosine', 'Dot'] as const)('by %s', (distance) => {
    let name = '';
    beforeAll(async () => {
      name = await createWithVectors(server, distance, vectors);
    });

    it.each([{ diversity: 0 }, { diversity: 0.3 }, { diversity: 0.5 }, { diversity: 1 }])(
      'with a diversity of $diversity picks in order and reports the original scores',
      async ({ diversity }) => {
        const { points } = await server.client.query(name, {
          query: { nearest: query, mmr: { diversity, candidates_limit: 20 } },
          limit: 8,
        });
        expect(points.map(({ id }) => id)).toEqual(picks(distance, diversity, 20, 8));
        for (const point of points) {
          expect(point.score).toBeCloseTo(score(distance, query, vectors[Number(point.id) - 1]!), 4);
        }
      },
    );

    it('has a diversity of one half, and as many candidates as hits, by default', async () => {
      const half = await server.client.query(name, {
        query: { nearest: query, mmr: { candidates_limit: 20 } },
        limit: 6,
      });
      expect(half.points.map(({ id }) => id)).toEqual(picks(distance, 0.5, 20, 6));
      const few = await server.client.query(name, { query: { nearest: query, mmr: { diversity: 0.9 } }, limit: 6 });
      expect(few.points.map(({ id }) => id)).toEqual(picks(distance, 0.9, 6, 6));
    });

    it('leaves out a point that it is asked by', async () => {
      const { points } = await server.client.query(name, {
        query: { nearest: 3, mmr: { diversity: 0.5, candidates_limit: 100 } },
        limit: 100,
      });
      expect(points).toHaveLength(49);
      expect(points.map(({ id }) => id)).not.toContain(3);
    });
  });
});
