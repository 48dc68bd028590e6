import { driftKinds, type ConsistencyFindings, type DriftKind } from '../../src/kernel/consistency/consistency-report';

export type Wrong = Record<string, Partial<Record<DriftKind, number>>>;

/** What a check found, by kind; kinds without drift are left out. */
export function wrong({ kinds }: Pick<ConsistencyFindings, 'kinds'>): Wrong {
  return Object.fromEntries(
    kinds.flatMap((counted) => {
      const drifts = driftKinds.filter((drift) => counted[drift] > 0).map((drift) => [drift, counted[drift]]);
      return drifts.length === 0 ? [] : [[counted.kind, Object.fromEntries(drifts) as Wrong[string]]];
    }),
  );
}
