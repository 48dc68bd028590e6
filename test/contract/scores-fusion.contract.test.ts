import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer, type Schemas } from './support/contract-server';
import { expectRanking, ranked, type Scored } from './support/ranking';
import { score } from './support/reference-scores';
import { createWithVectors, sampleVectors } from './support/samples';

const server = useContractServer();
const vectors = sampleVectors(40, 6, 11);
const queries = sampleVectors(3, 6, 12);
const limits = [10, 7, 12];

let name = '';
beforeAll(async () => {
  name = await createWithVectors(server, 'Cosine', vectors);
});

const list = (query: readonly number[], limit: number): Scored[] =>
  ranked(vectors.map((vector, i) => ({ id: i + 1, score: score('Cosine', query, vector) }))).slice(0, limit);

const lists = queries.map((query, i) => list(query, limits[i]!));
const prefetch = queries.map((query, i) => ({ query, limit: limits[i]! }));

/** Sums what each list gives a point. */
function fused(shares: Scored[][]): Scored[] {
  const sums = new Map<Scored['id'], number>();
  for (const { id, score: share } of shares.flat()) sums.set(id, (sums.get(id) ?? 0) + share);
  return ranked([...sums].map(([id, sum]) => ({ id, score: sum })));
}

function rrf(ranking: Scored[][], k = 2, weights: number[] = ranking.map(() => 1)): Scored[] {
  return fused(
    ranking.map((hits, i) => {
      const weight = weights[i]!;
      return hits.map(({ id }, pos) => ({ id, score: weight > 0 ? 1 / ((pos + 1) / weight + k - 1) : 0 }));
    }),
  );
}

function dbsf(ranking: Scored[][]): Scored[] {
  return fused(
    ranking.map((hits) => {
      const mean = hits.reduce((sum, hit) => sum + hit.score, 0) / hits.length;
      const variance = hits.reduce((sum, hit) => sum + (hit.score - mean) ** 2, 0) / (hits.length - 1);
      if (hits.length < 2 || variance === 0) return hits.map(({ id }) => ({ id, score: 0.5 }));
      const [low, width] = [mean - 3 * Math.sqrt(variance), 6 * Math.sqrt(variance)];
      return hits.map((hit) => ({ id: hit.id, score: (hit.score - low) / width }));
    }),
  );
}

async function query(body: Parameters<typeof server.client.query>[1]): Promise<Schemas['ScoredPoint'][]> {
  return (await server.client.query(name, { limit: 100, ...body })).points;
}

describe('reciprocal rank fusion', () => {
  it('has k = 2 by default, under either spelling', async () => {
    expectRanking(await query({ prefetch, query: { fusion: 'rrf' } }), rrf(lists));
    expectRanking(await query({ prefetch, query: { rrf: {} } }), rrf(lists));
  });

  it('takes k', async () => {
    expectRanking(await query({ prefetch, query: { rrf: { k: 60 } } }), rrf(lists, 60));
  });

  it('takes a weight for each list', async () => {
    const weights = [3, 0.5, 1];
    expectRanking(await query({ prefetch, query: { rrf: { weights } } }), rrf(lists, 2, weights));
    expectRanking(await query({ prefetch, query: { rrf: { weights, k: 10 } } }), rrf(lists, 10, weights));
  });

  it('adds nothing for a weight of 0', async () => {
    const weights = [1, 0, 1];
    const reference = rrf(lists, 2, weights).filter(({ score: sum }) => sum > 0);
    const points = await query({ prefetch, query: { rrf: { weights } } });
    expectRanking(
      points.filter((point) => point.score > 0),
      reference,
    );
  });

  it('refuses another number of weights than lists', async () => {
    const body = { prefetch, query: { rrf: { weights: [1, 2] } } };
    const answer = await server.http('POST', `/collections/${name}/points/query`, body);
    expect([400, 422]).toContain(answer.status);
  });

  it('keeps scores at the threshold too', async () => {
    const [only] = queries as [number[]];
    const body = { prefetch: [{ query: only, limit: 5 }], query: { fusion: 'rrf' as const } };
    // The first of one list has exactly 1 / (1 + 2 − 1).
    expectRanking(await query({ ...body, score_threshold: 0.5 }), rrf([list(only, 5)]).slice(0, 1));
    expect(await query({ ...body, score_threshold: 0.5001 })).toEqual([]);
  });

  it('takes limit and offset after fusing', async () => {
    expectRanking(await query({ prefetch, query: { fusion: 'rrf' }, limit: 4, offset: 3 }), rrf(lists).slice(3), 4);
  });

  it('takes ten from a list that names no limit', async () => {
    const open = queries.map((vector) => ({ query: vector }));
    expectRanking(
      await query({ prefetch: open, query: { fusion: 'rrf' } }),
      rrf(queries.map((vector) => list(vector, 10))),
    );
  });

  it('leaves out, everywhere, the points that any list is compared with', async () => {
    const points = await query({
      prefetch: [
        { query: 3, limit: 40 },
        { query: 4, limit: 40 },
      ],
      query: { fusion: 'rrf' },
    });
    const without = (against: number) => list(vectors[against - 1]!, 40).filter(({ id }) => id !== 3 && id !== 4);
    expectRanking(points, rrf([without(3), without(4)]));
  });

  it('fuses what was fused before', async () => {
    const inner = { prefetch: prefetch.slice(0, 2), query: { fusion: 'rrf' as const }, limit: 8 };
    const points = await query({ prefetch: [inner, prefetch[2]!], query: { rrf: { k: 5 } } });
    const innerList = rrf(lists.slice(0, 2));
    // Only decidable where the inner cut and order are: equal sums inside may stand either way.
    const isDecided = innerList.slice(0, 9).every((hit, i, all) => i === 0 || hit.score < all[i - 1]!.score - 1e-9);
    const reference = rrf([innerList.slice(0, 8), lists[2]!], 5);
    if (isDecided) expectRanking(points, reference);
    else expect(points.length).toBeGreaterThanOrEqual(8);
  });

  it('of nothing is refused', async () => {
    const answer = await server.http('POST', `/collections/${name}/points/query`, { query: { fusion: 'rrf' } });
    expect(answer.status).toBe(400);
  });
});

describe('distribution-based fusion', () => {
  it('sums scores normalised by mean and three deviations', async () => {
    expectRanking(await query({ prefetch, query: { fusion: 'dbsf' } }), dbsf(lists));
  });

  it('gives a single point one half', async () => {
    const [first, second] = prefetch as [(typeof prefetch)[0], (typeof prefetch)[0]];
    const points = await query({ prefetch: [{ ...first, limit: 1 }, second], query: { fusion: 'dbsf' } });
    expectRanking(points, dbsf([lists[0]!.slice(0, 1), lists[1]!]));
  });

  it('gives equal scores one half', async () => {
    const same = await createWithVectors(server, 'Dot', [
      [1, 0],
      [1, 5],
      [1, 9],
    ]);
    const { points } = await server.client.query(same, { prefetch: [{ query: [1, 0] }], query: { fusion: 'dbsf' } });
    expectRanking(
      points,
      [1, 2, 3].map((id) => ({ id, score: 0.5 })),
    );
  });
});
