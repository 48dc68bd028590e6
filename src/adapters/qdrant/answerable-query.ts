import { DomainError } from '../../kernel/errors/domain-error';
import type { PointId, VectorQuery, WeightedTarget } from '../../kernel/vector/vector-store';

/** Whether collection `home` holds the point. */
export type IsStored = (home: string, id: PointId) => boolean;

/**
 * The query without what Qdrant would refuse or could not match: lexical vectors without terms, and example points that
 * are not stored. `undefined` when nothing is left to compare with.
 * @param isStored by default every example is taken to be there
 */
export function answerableQuery(
  collection: string,
  query: VectorQuery,
  isStored: IsStored = () => true,
): VectorQuery | undefined {
  if (query.targets.length === 0) throw new DomainError('BAD_INPUT', 'A vector query needs at least one target');
  const targets = query.targets.flatMap((weighted): WeightedTarget[] => {
    const { target } = weighted;
    if ('lexical' in target) return target.lexical.indices.length > 0 ? [weighted] : [];
    if (!('positive' in target)) return [weighted];
    const home = target.lookupFrom ?? collection;
    const positive = target.positive.filter((id) => isStored(home, id));
    const negative = target.negative?.filter((id) => isStored(home, id)) ?? [];
    // Without its positives, "like these" would become "unlike those": another question.
    const isLost = positive.length === 0 && (target.positive.length > 0 || negative.length === 0);
    return isLost ? [] : [{ ...weighted, target: { ...target, positive, negative } }];
  });
  return targets.length > 0 ? { ...query, targets } : undefined;
}

/** The example points that the queries name, per collection that holds them. */
export function namedExamples(collection: string, queries: readonly VectorQuery[]): Map<string, Set<PointId>> {
  const named = new Map<string, Set<PointId>>();
  for (const { targets } of queries) {
    for (const { target } of targets) {
      if (!('positive' in target)) continue;
      const home = target.lookupFrom ?? collection;
      const ids = named.get(home) ?? new Set<PointId>();
      for (const id of [...target.positive, ...(target.negative ?? [])]) ids.add(id);
      named.set(home, ids);
    }
  }
  return named;
}
