import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { createWithPayloads, idsMatching, type Id } from './support/points';

const server = useContractServer();

const isRed = { key: 'colour', match: { value: 'red' } };
const isBlue = { key: 'colour', match: { value: 'blue' } };
const isBig = { key: 'size', range: { gte: 10 } };
const isNew = { key: 'new', match: { value: true } };

describe('filter clauses', () => {
  let name = '';
  beforeAll(async () => {
    name = await createWithPayloads(server, {
      1: { colour: 'red', size: 1, new: true },
      2: { colour: 'red', size: 10, new: false },
      3: { colour: 'blue', size: 20, new: true },
      4: { colour: ['blue', 'red'], size: 5 },
      5: { size: 30 },
    });
  });

  const cases: [string, unknown, Id[]][] = [
    ['an empty filter passes every point', {}, [1, 2, 3, 4, 5]],
    ['must: every condition holds', { must: [isRed, isBig] }, [2]],
    ['must: an empty list is true', { must: [] }, [1, 2, 3, 4, 5]],
    ['must_not: an empty list is true', { must_not: [] }, [1, 2, 3, 4, 5]],
    ['must: one condition may stand where a list is allowed', { must: isRed }, [1, 2, 4]],
    ['should: one condition without a list', { should: isBlue }, [3, 4]],
    ['must_not: one condition without a list', { must_not: isRed }, [3, 5]],
    ['should: at least one holds', { should: [isBlue, isBig] }, [2, 3, 4, 5]],
    ['must_not: none holds', { must_not: [isRed, isBig] }, []],
    ['must_not: a missing field does not match, so it passes', { must_not: [isNew] }, [2, 4, 5]],
    [
      'min_should: at least so many hold',
      { min_should: { conditions: [isRed, isBig, isNew], min_count: 2 } },
      [1, 2, 3],
    ],
    ['min_should: all of them', { min_should: { conditions: [isRed, isBlue], min_count: 2 } }, [4]],
    ['min_should: more than there are', { min_should: { conditions: [isRed], min_count: 2 } }, []],
    ['the clauses are ANDed', { must: [isBig], should: [isRed, isBlue], must_not: [isNew] }, [2]],
    [
      'min_should is ANDed with the rest',
      { must_not: [isBlue], min_should: { conditions: [isRed, isBig], min_count: 1 } },
      [1, 2, 5],
    ],
    ['a filter is a condition', { must: [{ should: [isBlue, isNew] }, { must_not: [isBig] }] }, [1, 4]],
    ['filters nest deeply', { must_not: [{ must_not: [{ must: [{ should: [isBlue] }] }] }] }, [3, 4]],
    ['has_id', { must: [{ has_id: [2, 4, 99] }] }, [2, 4]],
    ['has_id of nobody', { must: [{ has_id: [] }] }, []],
    ['must_not has_id', { must_not: [{ has_id: [1, 2] }] }, [3, 4, 5]],
    ['has_id with another condition', { must: [{ has_id: [1, 3] }, isNew, isBlue] }, [3]],
  ];
  it.each(cases)('%s', async (_, filter, expected) => {
    expect(await idsMatching(server, name, filter)).toEqual(expected);
  });

  it('refuses a filter that is not one', async () => {
    for (const filter of [{ must: 'red' }, { must: [{ key: 'colour', match: { value: { a: 1 } } }] }, 5]) {
      const answer = await server.http('POST', `/collections/${name}/points/scroll`, { filter });
      expect(answer.status).toBe(400);
    }
  });

  it('applies to search, to its prefetches and to delete alike', async () => {
    const { points } = await server.client.query(name, { query: [1, 1], filter: { must: [isRed] } });
    expect(new Set(points.map(({ id }) => id))).toEqual(new Set([1, 2, 4]));
    const fused = await server.client.query(name, {
      prefetch: [
        { query: [1, 1], filter: { must: [isBlue] } },
        { query: [1, 0], filter: { must: [isBig] } },
      ],
      query: { fusion: 'rrf' },
      filter: { must_not: [isNew] },
    });
    expect(new Set(fused.points.map(({ id }) => id))).toEqual(new Set([2, 4, 5]));
    const copy = await createWithPayloads(server, { 1: { colour: 'red' }, 2: { colour: 'blue' } });
    await server.client.delete(copy, { wait: true, filter: { must: [isBlue] } });
    expect(await idsMatching(server, copy, {})).toEqual([1]);
  });
});

describe('has_vector', () => {
  it('passes points that have the named vector', async () => {
    const name = await server.create({
      vectors: { a: { size: 2, distance: 'Dot' }, b: { size: 2, distance: 'Dot' } },
      sparse_vectors: { s: {} },
    });
    await server.client.upsert(name, {
      wait: true,
      points: [
        { id: 1, vector: { a: [1, 1] } },
        { id: 2, vector: { a: [1, 1], b: [1, 1] } },
        { id: 3, vector: { s: { indices: [1], values: [1] } } },
      ],
    });
    expect(await idsMatching(server, name, { must: [{ has_vector: 'a' }] })).toEqual([1, 2]);
    expect(await idsMatching(server, name, { must: [{ has_vector: 's' }] })).toEqual([3]);
    expect(await idsMatching(server, name, { must_not: [{ has_vector: 'b' }] })).toEqual([1, 3]);
  });
});
