import { describe, expect, it } from '@jest/globals';

import { pairs, type ExpectedPoint, type FoundPoint } from '../../src/kernel/consistency/point-stream';
import { readAhead } from '../../src/kernel/consistency/read-ahead';

const SEED = 20_261_121;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const uuid = (i: number): string => `${i.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;

/** Pages of a store, and how many it was asked for. */
class Pages<T> {
  asked = 0;

  constructor(private readonly pages: readonly T[][]) {}

  async *read(): AsyncGenerator<T[]> {
    for (const page of this.pages) {
      this.asked += 1;
      yield await Promise.resolve(page);
    }
  }
}

describe('reading ahead', () => {
  it('gives the same pages, and has at most one more than the one that is worked on', async () => {
    const source = new Pages([[1], [2], [3], [4], [5]]);
    const read: number[][] = [];
    for await (const page of readAhead(source.read())) {
      read.push(page);
      expect(source.asked).toBeLessThanOrEqual(read.length + 1);
    }
    expect(read).toEqual([[1], [2], [3], [4], [5]]);
  });

  it('says what went wrong where it is waited for, and no earlier', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('the store is gone');
    }
    const read: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const page of readAhead(failing())) {
        read.push(page);
        // The next page fails meanwhile.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await expect(reading()).rejects.toThrow('the store is gone');
    expect(read).toEqual([1]);
  });

  it('leaves nothing under way when it is given up', async () => {
    let underWay = 0;
    async function* slow(): AsyncGenerator<number> {
      for (let page = 0; ; page++) {
        underWay += 1;
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        yield page;
      }
    }
    for await (const page of readAhead(slow())) if (page === 2) break;
    expect(underWay).toBe(0);
  });
});

describe('two ordered streams side by side', () => {
  it(`are paired by id, whatever their pages, and never held whole (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    const inPages = (ids: readonly string[], largest: number): { pointId: string }[][] => {
      const pages: { pointId: string }[][] = [];
      for (let at = 0; at < ids.length;) {
        const size = Math.floor(random() * (largest + 1));
        pages.push(ids.slice(at, at + size).map((pointId) => ({ pointId })));
        at += size;
      }
      return pages;
    };
    for (let round = 0; round < 200; round++) {
      const all = Array.from({ length: Math.floor(random() * 60) }, (_, i) => uuid(i));
      const [onLeft, onRight] = [random(), random()];
      const left = all.filter(() => random() < onLeft);
      const right = all.filter(() => random() < onRight);
      const largest = 1 + Math.floor(random() * 7);
      const rows = inPages(left, largest) as ExpectedPoint[][];
      const points = inPages(right, largest) as FoundPoint[][];
      const made: [string, boolean, boolean][] = [];
      for await (const page of pairs(new Pages(rows).read(), new Pages(points).read())) {
        expect(page.length).toBeLessThanOrEqual(2 * largest);
        made.push(...page.map((pair) => [pair.pointId, !!pair.expected, !!pair.found] as [string, boolean, boolean]));
      }
      const either = all.filter((id) => left.includes(id) || right.includes(id));
      expect(made).toEqual(either.map((id) => [id, left.includes(id), right.includes(id)]));
    }
  });
});
