import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { expectRanking, ranked, type Scored } from './support/ranking';
import { sparseScore, withIdf, type Sparse } from './support/reference-scores';
import { sequence } from './support/samples';

const server = useContractServer();
const next = sequence(31);

const stored: Sparse[] = Array.from({ length: 40 }, () => {
  const indices = Array.from({ length: 30 }, (_, i) => i * 7919).filter(
    (_, i) => next() < 0.15 || (i === 0 && next() < 0.5),
  );
  return { indices, values: indices.map(() => Math.round(next() * 64 + 1) / 16) };
});
const query: Sparse = { indices: [0, 7919, 5 * 7919, 9 * 7919, 999_999_937], values: [1, 0.5, 2, 1.25, 3] };

function reference(by: Sparse): Scored[] {
  return ranked(
    stored.flatMap((vector, i) => {
      const score = sparseScore(by, vector);
      return score === undefined ? [] : [{ id: i + 1, score }];
    }),
  );
}

describe('sparse vectors', () => {
  let name = '';
  beforeAll(async () => {
    name = await server.create({ sparse_vectors: { plain: {}, weighted: { modifier: 'idf' } } });
    await server.client.upsert(name, {
      wait: true,
      points: stored.map((vector, i) => ({ id: i + 1, vector: { plain: vector, weighted: vector } })),
    });
  });

  it('score by dot product over shared indices, and points that share none are left out', async () => {
    const { points } = await server.client.query(name, { query, using: 'plain', limit: 100 });
    const expected = reference(query);
    expect(expected.length).toBeLessThan(stored.length);
    expectRanking(points, expected);
  });

  it('with idf weigh each index of the query by how rare it is', async () => {
    const { points } = await server.client.query(name, { query, using: 'weighted', limit: 100 });
    expectRanking(points, reference(withIdf(query, stored)));
  });

  it('take the order of indices as it comes', async () => {
    const reversed = { indices: [...query.indices].reverse(), values: [...query.values].reverse() };
    const { points } = await server.client.query(name, { query: reversed, using: 'plain', limit: 100 });
    expectRanking(points, reference(query));
  });

  it('are compared with a stored one by its id', async () => {
    const id = stored.findIndex(({ indices }) => indices.length >= 3) + 1;
    const { points } = await server.client.query(name, { query: id, using: 'weighted', limit: 100 });
    expectRanking(
      points,
      reference(withIdf(stored[id - 1]!, stored)).filter((hit) => hit.id !== id),
    );
  });

  it('take a filter, a limit and a strict threshold', async () => {
    const all = reference(query);
    const filter = { must_not: [{ has_id: [all[0]!.id] }] };
    const { points } = await server.client.query(name, { query, using: 'plain', limit: 5, filter });
    expectRanking(points, all.slice(1), 5);
    const above = await server.client.query(name, {
      query,
      using: 'plain',
      limit: 100,
      score_threshold: all[4]!.score,
    });
    expectRanking(
      above.points,
      all.filter((hit) => hit.score > all[4]!.score),
    );
  });

  it('that share no index with anything answer nothing', async () => {
    const nowhere = { indices: [424_242], values: [1] };
    expect((await server.client.query(name, { query: nowhere, using: 'weighted' })).points).toEqual([]);
  });

  it('come back with ascending indices', async () => {
    const copy = await server.create({ sparse_vectors: { s: {} } });
    const vector = { s: { indices: [9, 4_294_967_295, 1], values: [0.5, 2, 1.5] } };
    await server.client.upsert(copy, { wait: true, points: [{ id: 1, vector }] });
    const [record] = await server.client.retrieve(copy, { ids: [1], with_vector: true });
    expect(record!.vector).toEqual({ s: { indices: [1, 9, 4_294_967_295], values: [1.5, 0.5, 2] } });
  });

  it('count later writes and deletes in idf', async () => {
    const copy = await server.create({ sparse_vectors: { s: { modifier: 'idf' } } });
    const of = (...indices: number[]): Sparse => ({ indices, values: indices.map(() => 1) });
    const vectors = [of(1), of(1, 2), of(2, 3)];
    await server.client.upsert(copy, { wait: true, points: vectors.map((s, i) => ({ id: i + 1, vector: { s } })) });
    const ask = async () => (await server.client.query(copy, { query: of(1, 3), using: 's' })).points;
    const expected = (present: Sparse[], ids: number[]) =>
      ranked(
        present.flatMap((vector, i) => {
          const score = sparseScore(withIdf(of(1, 3), present), vector);
          return score === undefined ? [] : [{ id: ids[i]!, score }];
        }),
      );
    expectRanking(await ask(), expected(vectors, [1, 2, 3]));
    await server.client.upsert(copy, { wait: true, points: [{ id: 4, vector: { s: of(3) } }] });
    expectRanking(await ask(), expected([...vectors, of(3)], [1, 2, 3, 4]));
  });
});
