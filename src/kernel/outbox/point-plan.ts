import { embeddedText } from '../embedding/rendering';
import type { RecordKind } from '../record/record-spec';
import { pointPayload } from '../vector/record-payload';
import type { Payload } from '../vector/vector-store';
import type { ClaimedKey } from './outbox-store';
import type { EmbeddedRow, PointRecord } from './generation-ledger';

/** A point that is to be written, as it should be. */
export interface PlannedPoint {
  key: ClaimedKey;
  pointId: string;
  revision: string;
  contentHash: string;
  /** What is embedded. */
  text: string;
  payload: Payload;
  /** Where its vector is taken over from, instead of embedding the text. */
  adoptedFrom: string | null;
}

export interface DroppedPoint {
  key: ClaimedKey;
  pointId: string;
  /** Null where this kind has no ledger entry for the point. */
  revision: string | null;
}

/** What has to happen to some points of one kind, from the state of their rows now. */
export interface PointPlan {
  kind: RecordKind;
  /** Their vectors are to be written. */
  texts: PlannedPoint[];
  /** Their vectors are to be taken over from another collection. */
  adoptions: PlannedPoint[];
  /** Only their payload is. */
  payloads: PlannedPoint[];
  /** Their rows are gone. */
  drops: DroppedPoint[];
  /** The ledger says that they are as they should be. */
  settled: PlannedPoint[];
  /** Nothing to do, and nothing to write even if the vector server had lost them. */
  skipped: ClaimedKey[];
}

export function planPoints(kind: RecordKind, keys: readonly ClaimedKey[], records: readonly PointRecord[]): PointPlan {
  const plan: PointPlan = { kind, texts: [], adoptions: [], payloads: [], drops: [], settled: [], skipped: [] };
  const byId = new Map(records.map((record) => [record.pointId, record]));
  for (const key of keys) {
    const record = byId.get(key.key);
    const isOurs = record?.kind === kind.kind;
    if (!record?.row || (record.kind !== null && !isOurs)) {
      plan.drops.push({ key, pointId: key.key, revision: isOurs ? record.revision : null });
    } else if (record.revision === null || record.state === 'deleting') {
      // A row without a ledger entry, or with one on its way out, is for the reconciler.
      plan.skipped.push(key);
    } else {
      const point = plannedPoint(key, record, record.row, record.revision);
      const hasText = record.isHeld && record.indexedHash === record.row.contentHash;
      const isSettled = hasText && record.state === 'indexed' && record.indexedRevision === record.revision;
      const lacking = point.adoptedFrom === null ? plan.texts : plan.adoptions;
      (isSettled ? plan.settled : hasText ? plan.payloads : lacking).push(point);
    }
  }
  return plan;
}

function plannedPoint(key: ClaimedKey, record: PointRecord, row: EmbeddedRow, revision: string): PlannedPoint {
  const facts = {
    embedding_type: row.embeddingType,
    content_hash: row.contentHash,
    revision: Number(revision),
  };
  return {
    key,
    pointId: record.pointId,
    revision,
    contentHash: row.contentHash,
    text: embeddedText(row.contextLine, row.text),
    adoptedFrom: record.adoptedFrom,
    payload: pointPayload(record.entityId ?? 0, record.payload ?? {}, facts, row.isArchived),
  };
}

/** Every key that the plan is about. */
export function keysOf(plan: PointPlan): ClaimedKey[] {
  return [
    ...[...plan.texts, ...plan.adoptions, ...plan.payloads, ...plan.drops, ...plan.settled].map((point) => point.key),
    ...plan.skipped,
  ];
}
