import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { expectRanking, ranked } from './support/ranking';
import { normalised, orderOf, score } from './support/reference-scores';
import { createWithVectors, DISTANCES, sampleVectors } from './support/samples';

const server = useContractServer();
const vectors = sampleVectors(60, 8, 1);
const [query] = sampleVectors(1, 8, 2) as [number[]];

describe.each(DISTANCES)('nearest by %s', (distance) => {
  let name = '';
  beforeAll(async () => {
    name = await createWithVectors(server, distance, vectors);
  });

  const reference = (against: readonly number[], without?: number) =>
    ranked(
      vectors
        .map((vector, i) => ({ id: i + 1, score: score(distance, against, vector) }))
        .filter(({ id }) => id !== without),
      orderOf(distance),
    );

  it('ranks by the definition', async () => {
    const { points } = await server.client.query(name, { query, limit: 100 });
    expectRanking(points, reference(query));
  });

  it('takes limit and offset', async () => {
    const { points } = await server.client.query(name, { query, limit: 7, offset: 5 });
    expectRanking(points, reference(query).slice(5), 7);
  });

  it('answers an offset past the end with nothing', async () => {
    expect((await server.client.query(name, { query, limit: 5, offset: 60 })).points).toEqual([]);
  });

  it('by point id compares with its vector and leaves the point out', async () => {
    const { points } = await server.client.query(name, { query: 17, limit: 10 });
    expectRanking(points, reference(vectors[16]!, 17), 10);
  });

  it('keeps scores better than the threshold', async () => {
    const all = reference(query);
    const between = (all[9]!.score + all[10]!.score) / 2;
    const { points } = await server.client.query(name, { query, limit: 100, score_threshold: between });
    expectRanking(points, all.slice(0, 10));
  });

  it('ranks the points that pass a filter', async () => {
    const ids = [3, 9, 27, 41, 55];
    const { points } = await server.client.query(name, { query, limit: 3, filter: { must: [{ has_id: ids }] } });
    const allowed = reference(query).filter(({ id }) => ids.includes(Number(id)));
    expectRanking(points, allowed, 3);
  });

  it('answers a batch in its order', async () => {
    const answers = await server.client.queryBatch(name, {
      searches: [
        { query, limit: 2 },
        { query: 5, limit: 3 },
        { query, limit: 4, score_threshold: undefined },
      ],
    });
    expect(answers).toHaveLength(3);
    expectRanking(answers[0]!.points, reference(query), 2);
    expectRanking(answers[1]!.points, reference(vectors[4]!, 5), 3);
    expectRanking(answers[2]!.points, reference(query), 4);
  });

  it('ranks within a prefetch again', async () => {
    const { points } = await server.client.query(name, { prefetch: { query: 17, limit: 12 }, query, limit: 5 });
    const candidates = new Set(
      reference(vectors[16]!, 17)
        .slice(0, 12)
        .map(({ id }) => id),
    );
    expectRanking(
      points,
      reference(query).filter(({ id }) => candidates.has(id)),
      5,
    );
  });
});

describe('the threshold of a vector query', () => {
  it.each([
    { distance: 'Dot' as const, threshold: 2, expected: [3] },
    { distance: 'Euclid' as const, threshold: 1, expected: [1] },
    { distance: 'Manhattan' as const, threshold: 1, expected: [1] },
  ])('is strict for $distance', async ({ distance, threshold, expected }) => {
    const name = await createWithVectors(server, distance, [
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    const { points } = await server.client.query(name, { query: [1, 0], score_threshold: threshold });
    expect(points.map(({ id }) => id)).toEqual(expected);
  });
});

describe('stored vectors', () => {
  it('of Cosine are normalised, unless their length is 0 or 1', async () => {
    const name = await createWithVectors(server, 'Cosine', [
      [3, 4],
      [0, 1],
      [0, 0],
    ]);
    const records = await server.client.retrieve(name, { ids: [1, 2, 3], with_vector: true });
    const byId = new Map(records.map(({ id, vector }) => [id, vector as number[]]));
    expect(byId.get(1)![0]).toBeCloseTo(0.6, 6);
    expect(byId.get(1)![1]).toBeCloseTo(0.8, 6);
    expect(byId.get(2)).toEqual([0, 1]);
    expect(byId.get(3)).toEqual([0, 0]);
  });

  it.each(['Dot', 'Euclid', 'Manhattan'] as const)('of %s come back as they were', async (distance) => {
    const name = await createWithVectors(server, distance, [[3, -4.5, 0.0625]]);
    const [record] = await server.client.retrieve(name, { ids: [1], with_vector: true });
    expect(record!.vector).toEqual([3, -4.5, 0.0625]);
  });

  it('are single precision', async () => {
    const name = await createWithVectors(server, 'Dot', [[0.1, 1e-3, 123456.789]]);
    const [record] = await server.client.retrieve(name, { ids: [1], with_vector: true });
    expect((record!.vector as number[]).map(Math.fround)).toEqual([0.1, 1e-3, 123456.789].map(Math.fround));
  });
});

describe('named vectors', () => {
  it('are ranked each by its own distance, over the points that have them', async () => {
    const name = await server.create({
      vectors: { text: { size: 2, distance: 'Cosine' }, place: { size: 2, distance: 'Euclid' } },
    });
    await server.client.upsert(name, {
      wait: true,
      points: [
        { id: 1, vector: { text: [1, 0], place: [0, 0] } },
        { id: 2, vector: { text: [1, 2] } },
        { id: 3, vector: { place: [3, 4] } },
      ],
    });
    const text = await server.client.query(name, { query: [1, 1], using: 'text' });
    expectRanking(text.points, [
      { id: 2, score: score('Cosine', [1, 1], [1, 2]) },
      { id: 1, score: score('Cosine', [1, 1], [1, 0]) },
    ]);
    const place = await server.client.query(name, { query: [3, 3], using: 'place' });
    expectRanking(place.points, [
      { id: 3, score: 1 },
      { id: 1, score: Math.sqrt(18) },
    ]);
    const [record] = await server.client.retrieve(name, { ids: [1], with_vector: ['text'] });
    expect(record!.vector).toEqual({ text: [1, 0] });
  });

  it('of another collection are looked up, and that point is not left out', async () => {
    const name = await createWithVectors(server, 'Cosine', vectors);
    const other = await server.create({ vectors: { example: { size: 8, distance: 'Cosine' } } });
    await server.client.upsert(other, { wait: true, points: [{ id: 17, vector: { example: query } }] });
    const { points } = await server.client.query(name, {
      query: 17,
      limit: 100,
      lookup_from: { collection: other, vector: 'example' },
    });
    expectRanking(points, ranked(vectors.map((vector, i) => ({ id: i + 1, score: score('Cosine', query, vector) }))));
  });

  it('a point that is not stored cannot be compared with: 404', async () => {
    const name = await createWithVectors(server, 'Cosine', vectors.slice(0, 3).map(normalised));
    expect((await server.http('POST', `/collections/${name}/points/query`, { query: 99 })).status).toBe(404);
  });
});
