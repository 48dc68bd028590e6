import type { PointId, VectorQuery, WeightedTarget } from '../../kernel/vector/vector-store';

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

/** The query without the examples that are not stored; `undefined` when nothing is left to compare with. */
export function withoutAbsentExamples(
  collection: string,
  query: VectorQuery,
  isStored: (home: string, id: PointId) => boolean,
): VectorQuery | undefined {
  const targets = query.targets.flatMap((weighted): WeightedTarget[] => {
    const { target } = weighted;
    if (!('positive' in target)) return [weighted];
    const home = target.lookupFrom ?? collection;
    const positive = target.positive.filter((id) => isStored(home, id));
    const negative = target.negative?.filter((id) => isStored(home, id));
    // What is left of "like these" without any of these would be "unlike those": another question.
    return positive.length === 0 && target.positive.length > 0
      ? []
      : [{ ...weighted, target: { ...target, positive, negative } }];
  });
  return targets.length > 0 ? { ...query, targets } : undefined;
}
