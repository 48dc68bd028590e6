/** Ways in which the two stores can disagree about one point while nothing is on its way. */
export const driftKinds = ['missing', 'orphaned', 'staleText', 'stalePayload', 'wrongModel', 'unregistered'] as const;

/**
 * `missing`: a row says that it is indexed and Qdrant has no such point. `orphaned`: a point without a row. `staleText`:
 * the vector is of another text. `stalePayload`: only the payload differs. `wrongModel`: made by a model that is not the
 * live one. `unregistered`: a row that the ledger of points does not know.
 */
export type DriftKind = (typeof driftKinds)[number];

export interface Drift {
  kind: string;
  pointId: string;
  drift: DriftKind;
}

export interface KindConsistency extends Record<DriftKind, number> {
  kind: string;
  /** Rows of the embedding table. */
  rows: number;
  /** Points in Qdrant. */
  points: number;
  /** On their way: neither right nor wrong yet. */
  pending: number;
  /** Given up; see the dead letters. */
  dead: number;
  /** Age of the oldest change that is still on its way. */
  oldestPendingMs: number | null;
}

export interface ConsistencyReport {
  kinds: KindConsistency[];
  /** Points that disagree; 0 is the promise. */
  drift: number;
  /** What lets changes of the tables pass uncaptured, a sentence each; empty when nothing does. */
  captureProblems: string[];
  checkedAt: Date;
}

/** What a check came to, with the points that disagree, up to a limit. */
export interface ConsistencyFindings extends ConsistencyReport {
  drifts: Drift[];
  /** Whether there were more than `drifts` holds. */
  isCut: boolean;
}

/** What has to be done to the points of one kind. */
export interface RepairPlan {
  kind: string;
  /** To be written anew: embedded, unless another point has the vector. */
  writes: number;
  /** To have their payload replaced; nothing is embedded. */
  payloads: number;
  /** To be deleted. */
  deletions: number;
}

export interface Repair {
  findings: ConsistencyFindings;
  /** Kinds with something to do. */
  plan: RepairPlan[];
  /** Points queued; 0 for a dry run. */
  queued: number;
}

export function planOf({ kinds }: ConsistencyReport): RepairPlan[] {
  return kinds
    .map((one) => ({
      kind: one.kind,
      writes: one.missing + one.staleText + one.wrongModel + one.unregistered,
      payloads: one.stalePayload,
      deletions: one.orphaned,
    }))
    .filter(({ writes, payloads, deletions }) => writes + payloads + deletions > 0);
}
