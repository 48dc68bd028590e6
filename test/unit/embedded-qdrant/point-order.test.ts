import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { PointOrder } from '../../../src/adapters/embedded-qdrant/engine/point-order';
import { comparePointIds, parsePointId, type PointId } from '../../../src/adapters/embedded-qdrant/point-id';
import { property } from './support/engine';

const id = fc.oneof(
  fc.nat(30),
  fc.constantFrom(2n ** 60n, 2n ** 64n - 1n),
  fc.constantFrom(...['0', 'a', 'f'].map(uuid)),
);

function uuid(digit: string): string {
  return `${digit.repeat(8)}-0000-4000-8000-000000000000`;
}

describe('the order of points', () => {
  it('is that of a sort, through any additions, removals, reuse of slots and reads between', () =>
    property(fc.array(fc.tuple(id, fc.boolean()), { maxLength: 60 }), (steps) => {
      const ids: (PointId | undefined)[] = [];
      const order = new PointOrder(ids);
      const slotOf = new Map<PointId, number>();
      for (const [point, isRead] of steps) {
        const slot = slotOf.get(point);
        if (slot === undefined) {
          const free = ids.indexOf(undefined);
          const taken = free < 0 ? ids.length : free;
          ids[taken] = point;
          slotOf.set(point, taken);
          order.add(taken);
        } else {
          order.remove(slot);
          ids[slot] = undefined;
          slotOf.delete(point);
        }
        if (!isRead) continue;
        const sorted = [...slotOf.keys()].sort(comparePointIds);
        expect(order.slots().map((at) => ids[at])).toEqual(sorted);
        const first = order.firstFrom(point);
        expect(sorted.slice(first)).toEqual(sorted.filter((other) => comparePointIds(other, point) >= 0));
      }
    }));
});

describe('a point id', () => {
  const canonical = '936da01f-9abd-4d9d-80c7-02af85c822a8';

  it.each([
    canonical,
    canonical.toUpperCase(),
    canonical.replaceAll('-', ''),
    `urn:uuid:${canonical}`,
    `{${canonical}}`,
  ])('%s', (spelling) => {
    expect(parsePointId(spelling)).toBe(canonical);
  });

  it.each(['', 'x', '936da01f', '7', -1, 1.5, null, true])('%j is none', (value) => {
    expect(parsePointId(value)).toBeUndefined();
  });
});
