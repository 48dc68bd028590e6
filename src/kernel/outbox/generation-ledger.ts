import type { RecordKind } from '../record/record-spec';
import type { PointState } from '../vector/vector-point.entity';
import type { Payload } from '../vector/vector-store';

/** A point as the database has it now: its ledger entry and its embedding row, either of which may be gone. */
export interface PointRecord {
  pointId: string;
  /** Kind in the ledger; another one when the point id has moved to a row of that kind. Null: not in the ledger. */
  kind: string | null;
  state: PointState | null;
  revision: string | null;
  /** Id of the source record. */
  entityId: number | null;
  payload: Payload | null;
  indexedRevision: string | null;
  indexedHash: string | null;
  /** Whether the collection holds it, as far as is known. */
  isHeld: boolean;
  /** Where its vector is taken over from; null when Kindred embeds its text. */
  adoptedFrom: string | null;
  row: EmbeddedRow | null;
}

export interface EmbeddedRow {
  embeddingType: string;
  contentHash: string;
  text: string;
  contextLine: string | null;
  isArchived: boolean;
}

/** What was written to the vector server for a point, at which revision. */
export interface WrittenPoint {
  pointId: string;
  revision: string;
  contentHash: string;
  /** Only the payload was written, because the stored vector is of this text already. */
  isPayloadOnly: boolean;
}

/**
 * What is written down of the points in one generation's collections, and the statements by which a relay does it. Whoever
 * writes is refused once the generation is no longer what it was: promotions wait for writers, and writers for promotions.
 */
export interface GenerationLedger {
  load(kind: RecordKind, pointIds: readonly string[]): Promise<PointRecord[]>;
  /**
   * Announces that the vectors of these points are about to be replaced: from here until `settle` nobody may rely on
   * what the vector server holds for them. Without it, a text changed and changed back could meet the vector of the
   * text between.
   * @returns the points that still have that revision; the others have newer events
   */
  beginWriting(
    generationId: number,
    points: readonly { pointId: string; revision: string }[],
  ): Promise<ReadonlySet<string>>;
  /**
   * Records what the vector server now holds, and queues what follows from it. Points that have changed or gone meanwhile
   * are queued again, for what was just written may be stale or an orphan.
   * @returns how many were queued again
   */
  settle(kind: string, generationId: number, written: readonly WrittenPoint[], isBulk: boolean): Promise<number>;
  /**
   * Records that the vector server has dropped these points. Entries that stay (`isContested`: an earlier worker may yet
   * write the point) are to be looked at again later.
   */
  settleDeleted(
    kind: string,
    points: readonly { pointId: string; revision: string | null; isContested: boolean }[],
  ): Promise<void>;
  /**
   * Gives up vectors that cannot be taken over: the records are rendered anew, and their text is embedded. A row that has
   * its text already may be the one that is wanted, so that rendering changes nothing: its point is queued itself.
   * What was written about these points meanwhile stands.
   */
  endAdoption(
    kind: string,
    points: readonly { pointId: string; revision: string; text: string }[],
    isBulk: boolean,
  ): Promise<void>;
  /** For each text hash a point whose stored vector is of that text. */
  pointsByHash(kind: string, hashes: readonly string[]): Promise<Map<string, string>>;
}
