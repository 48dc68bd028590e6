import type { PointId } from '../../kernel/vector/vector-store';

const NUMBER = /^\d+$/;

/** An id as requests carry it. Kindred's points have UUIDs; those that something else has put there may have numbers. */
export function sentId(id: PointId): PointId | number {
  return NUMBER.test(id) ? Number(id) : id;
}
