import type { Collection } from '../engine/collection';
import type { Hit } from './hit';
import type { Example, VectorSearch } from './similarity';

/**
 * Maximal marginal relevance: the most relevant first, then whatever is best by
 * `λ · relevance − (1 − λ) · similarity to the nearest one already picked`. Scores stay those of the search.
 */
export function maximalMarginalRelevance(
  collection: Collection,
  search: VectorSearch,
  query: Example,
  found: readonly Hit[],
  lambda: number,
  limit: number,
): Hit[] {
  if (found.length < 2) return found.slice(0, limit);
  const rest = found.map((hit) => {
    const vector = collection.vectorAt(hit.slot, search.name) as Example;
    return { hit, vector, relevance: search.similarityBetween(query, vector), nearest: -Infinity };
  });
  const picked: Hit[] = [];
  while (picked.length < limit && rest.length > 0) {
    let choice = 0;
    let highest = -Infinity;
    for (const [at, { relevance, nearest }] of rest.entries()) {
      const value = picked.length === 0 ? relevance : lambda * relevance - (1 - lambda) * nearest;
      if (value > highest) [choice, highest] = [at, value];
    }
    const [next] = rest.splice(choice, 1);
    if (next === undefined) break;
    picked.push(next.hit);
    for (const other of rest)
      other.nearest = Math.max(other.nearest, search.similarityBetween(other.vector, next.vector));
  }
  return picked;
}
