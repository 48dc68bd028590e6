/**
 * Ways in which the two stores, or a record and its embedding rows, can disagree while nothing is on its way.
 */
export const driftKinds = [
  'missing',
  'orphaned',
  'staleText',
  'stalePayload',
  'wrongModel',
  'unregistered',
  'unqueued',
  'missingRows',
  'staleRows',
] as const;

/**
 * Of points. `missing`: a row says that it is indexed and Qdrant has no such point. `orphaned`: a point, or an entry of
 * the ledger, without a row. `staleText`: the vector is of another text than the row. `stalePayload`: only the payload
 * differs, from the ledger's or from what the record says, or the ledger's is another record's. `wrongModel`: made by a model that is not the live one.
 * `unregistered`: a row that the ledger of points does not know. `unqueued`: a point that is not indexed, and no event
 * that would change that.
 *
 * Of rows. `missingRows`: a chunk of a record's text, as it is rendered now, has no row. `staleRows`: a row holds
 * another text, has another place, or is there for no chunk at all.
 */
export type DriftKind = (typeof driftKinds)[number];

/** What puts a drift right: rendering the record again, or what is done to the point alone. */
export type Remedy = 'render' | 'write' | 'payload' | 'delete';

export interface Drift {
  kind: string;
  drift: DriftKind;
  remedy: Remedy;
  /** Null where a record's rows disagree with it. */
  pointId: string | null;
  /** Global id of the record whose rows disagree with it; null where it is about one point. */
  recordId: string | null;
  /** Rows or points of the record that this is; 1 for a point. */
  count: number;
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
  /** Points and rows that disagree; 0 is the promise. */
  drift: number;
  /** What lets changes of the tables pass uncaptured, a sentence each; empty when nothing does. */
  captureProblems: string[];
  checkedAt: Date;
}

/** What a check came to, with what disagrees, up to a limit. */
export interface ConsistencyFindings extends ConsistencyReport {
  drifts: Drift[];
  /** Whether there were more than `drifts` holds. */
  isCut: boolean;
}

/** What has to be done about one kind. */
export interface RepairPlan {
  kind: string;
  /** Records to be rendered again; their rows, and the points of those, follow. */
  records: number;
  /** Points to be written anew: embedded, unless another point has the vector. */
  writes: number;
  /** Points to have their payload replaced; nothing is embedded. */
  payloads: number;
  /** Points to be deleted. */
  deletions: number;
}

export interface Repair {
  findings: ConsistencyFindings;
  /** Kinds with something to do. */
  plan: RepairPlan[];
  /** Records and points queued; 0 for a dry run. */
  queued: number;
}

export const totalDrift = (counted: KindConsistency): number =>
  driftKinds.reduce((sum, drift) => sum + counted[drift], 0);
