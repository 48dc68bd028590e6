import { beforeAll, describe, expect, it } from '@jest/globals';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { near, point, useStore, uuid } from './support/embedded-store';

const vectors = useStore();

const cosine = (a: number[], b: number[]) => {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe('queries', () => {
  const stored = [
    [1, 0, 0],
    [1, 1, 0],
    [0, 1, 0],
    [0, 1, 1],
    [-1, 0.2, 0],
  ];
  let name: string;
  beforeAll(async () => {
    name = await vectors.collectionOf(
      stored.map((vector, i) => point(i + 1, vector, { kind: i % 2 ? 'odd' : 'even', at: i }, [i, 100])),
    );
  });

  const ids = (hits: { id: string }[] | undefined) => hits?.map(({ id }) => Number(id.slice(-3)));

  it('come in one request and are answered in order', async () => {
    let answers: Awaited<ReturnType<VectorStore['queryBatch']>> = [];
    const sent = await vectors.requestsOf(async () => {
      answers = await vectors.store.queryBatch(name, [near([0, 0, 1], 1), near([1, 0, 0], 2)]);
    });
    expect(sent).toEqual([`POST /collections/${name}/points/query/batch`]);
    expect(answers.map(ids)).toEqual([[4], [1, 2]]);
    expect(answers[1]![1]!.score).toBeCloseTo(Math.SQRT1_2, 5);
    expect(answers[1]![1]!.payload).toEqual({});
  });

  it('give the payload keys asked for, page, filter and cut by score', async () => {
    const [hits] = await vectors.store.queryBatch(name, [
      { ...near([1, 0, 0]), filter: { must: [{ key: 'kind', match: { value: 'even' } }] }, payloadKeys: ['at'] },
    ]);
    expect(hits!.map(({ id, payload }) => [id, payload])).toEqual([
      [uuid(1), { at: 0 }],
      [uuid(3), { at: 2 }],
      [uuid(5), { at: 4 }],
    ]);
    const [page] = await vectors.store.queryBatch(name, [{ ...near([1, 0, 0], 2), offset: 1 }]);
    expect(ids(page)![0]).toBe(2);
    const [above] = await vectors.store.queryBatch(name, [{ ...near([1, 0, 0]), scoreThreshold: 0.5 }]);
    expect(ids(above)).toEqual([1, 2]);
  });

  it('an empty should passes nobody', async () => {
    const none = { must: [{ should: [] }] };
    expect(await vectors.store.queryBatch(name, [{ ...near([1, 0, 0]), filter: { should: [] } }])).toEqual([[]]);
    expect([await vectors.store.count(name, none), await vectors.store.count(name, { must_not: [none] })]).toEqual([
      0, 5,
    ]);
  });

  const like = (positive: number[], over: object = {}) => ({
    targets: [
      {
        target: { using: 'dense' as const, positive: positive.map(uuid), strategy: 'best_score' as const, ...over },
        weight: 1,
        limit: 10,
      },
    ],
    limit: 10,
    payloadKeys: [],
  });

  it('by one stored point score by cosine and leave it out', async () => {
    const [hits] = await vectors.store.queryBatch(name, [like([1])]);
    expect(ids(hits)![0]).toBe(2);
    expect(hits).toHaveLength(4);
    for (const hit of hits!) expect(hit.score).toBeCloseTo(cosine(stored[0]!, stored[ids([hit])![0]! - 1]!), 5);
  });

  it('by several stored points score by the cosine to the nearest, thresholds too', async () => {
    const best = (n: number) => Math.max(cosine(stored[0]!, stored[n - 1]!), cosine(stored[3]!, stored[n - 1]!));
    const [hits, above] = await vectors.store.queryBatch(name, [
      like([1, 4]),
      { ...like([1, 4]), scoreThreshold: 0.6 },
    ]);
    expect(new Set(ids(hits))).toEqual(new Set([2, 3, 5]));
    for (const hit of hits!) expect(hit.score).toBeCloseTo(best(ids([hit])![0]!), 5);
    expect(new Set(ids(above))).toEqual(new Set([2, 3, 5].filter((n) => best(n) > 0.6)));
  });

  it('with negatives turn away from them', async () => {
    const [hits] = await vectors.store.queryBatch(name, [like([2], { negative: [uuid(3)] })]);
    expect(ids(hits)![0]).toBe(1);
    expect(ids(hits)).not.toContain(3);
  });

  it('by points of another collection look them up there', async () => {
    const other = await vectors.collectionOf([point(50, [0, 0, 1])]);
    const [hits] = await vectors.store.queryBatch(name, [like([50], { lookupFrom: other })]);
    expect(ids(hits)![0]).toBe(4);
    expect(hits).toHaveLength(5);
  });

  it('by words rank rare ones higher and need one in common', async () => {
    const words = { target: { lexical: { indices: [2, 100], values: [1, 1] } }, weight: 1, limit: 10 };
    const [hits, none] = await vectors.store.queryBatch(name, [
      { targets: [words], limit: 10, payloadKeys: [] },
      { targets: [{ ...words, target: { lexical: { indices: [77], values: [1] } } }], limit: 10, payloadKeys: [] },
    ]);
    expect(ids(hits)![0]).toBe(3);
    expect(hits).toHaveLength(5);
    expect(none).toEqual([]);
  });

  it('of several targets are fused by weighted reciprocal rank', async () => {
    const fused = (denseWeight: number, lexicalWeight: number) => ({
      targets: [
        { target: { dense: [1, 0, 0] }, weight: denseWeight, limit: 3 },
        { target: { lexical: { indices: [3], values: [1] } }, weight: lexicalWeight, limit: 3 },
      ],
      limit: 10,
      payloadKeys: [],
    });
    const [byDense, byWords, filtered] = await vectors.store.queryBatch(name, [
      fused(3, 1),
      fused(1, 3),
      { ...fused(1, 1), filter: { must: [{ key: 'kind', match: { value: 'even' } }] } },
    ]);
    expect(ids(byDense)![0]).toBe(1);
    expect(ids(byWords)![0]).toBe(4);
    // 1 / ((pos + 1) / weight + k − 1) with k = 2: the first of a list of weight 3.
    expect(byDense![0]!.score).toBeCloseTo(0.75, 5);
    expect(ids(filtered)!.every((n) => n % 2 === 1)).toBe(true);
  });

  it('with diversity take a nearer copy less', async () => {
    const twins = await vectors.collectionOf([point(1, [1, 0.1, 0]), point(2, [1, 0.11, 0]), point(3, [1, -0.9, 0])]);
    const diverse = { targets: [{ target: { dense: [1, 0, 0] }, weight: 1, limit: 3 }], limit: 2, payloadKeys: [] };
    const [plain, mixed] = await vectors.store.queryBatch(twins, [diverse, { ...diverse, diversity: 0.7 }]);
    expect([ids(plain), ids(mixed)]).toEqual([
      [1, 2],
      [1, 3],
    ]);
    await expect(
      vectors.store.queryBatch(twins, [
        { ...diverse, targets: [...diverse.targets, ...diverse.targets], diversity: 0.5 },
      ]),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('answer those with an example that is not stored with nothing, and the others as ever', async () => {
    const [lost, found, partly] = await vectors.store.queryBatch(name, [like([99]), like([1]), like([1, 99])]);
    expect(lost).toEqual([]);
    expect(found).toHaveLength(4);
    expect(ids(partly)).toEqual(ids(found));
  });

  it('of an absent collection say which', async () => {
    await expect(vectors.store.queryBatch('nowhere', [near([1, 0, 0])])).rejects.toThrow(
      /Collection `nowhere` doesn't exist/,
    );
    await expect(vectors.store.queryBatch(name, [like([1], { lookupFrom: 'nowhere' })])).rejects.toThrow(/nowhere/);
  });
});
