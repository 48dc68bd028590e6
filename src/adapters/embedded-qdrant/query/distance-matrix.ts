import type { Collection } from '../engine/collection';
import type { MatrixRequest } from '../schema/read.schema';
import { Candidates } from './candidates';
import type { Hit } from './hit';
import { sampled } from './sample';
import { VectorSearch, type Example } from './similarity';

/** A random sample of points, each with the nearest others of the sample. */
export function distanceMatrix(collection: Collection, request: MatrixRequest): { slot: number; nearest: Hit[] }[] {
  const search = new VectorSearch(collection, request.using);
  const hasVector = Candidates.matching(collection, {
    must: [
      { kind: 'has_vector', name: request.using },
      { kind: 'filter', filter: request.filter ?? {} },
    ],
  });
  const slots = sampled(hasVector.slots(), request.sample)
    .map(({ slot }) => slot)
    .sort((a, b) => a - b);
  if (slots.length < 2) return [];
  const examples = slots.map((slot) => collection.vectorAt(slot, request.using) as Example);
  // Each point is its own nearest, or ties with it: one more is fetched and the point itself left out.
  const lists = search.nearest(examples, Candidates.of(collection, slots), slots.length);
  return slots.map((slot, at) => {
    const others = (lists[at] ?? []).filter((hit) => hit.slot !== slot);
    return { slot, nearest: others.slice(0, request.limit) };
  });
}
