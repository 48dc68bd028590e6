import type { EmbeddingRow } from '../embedding/embedding-row';
import type { ArchivedChoice } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';

/** What a search needs of the request it serves: shared, batched reads. */
export interface SearchReads {
  /** Null when the row is gone. */
  embeddingByPoint(kind: RecordKind, pointId: string): Promise<EmbeddingRow | null>;
  /** Rows with their keys and the `wanted` properties. */
  embeddingsOf(kind: RecordKind, sourceId: number, wanted: Wanted): Promise<EmbeddingRow[]>;
  /** By id; without those whose row is gone, or is not to be shown. */
  visibleRecords(
    kind: RecordKind,
    ids: readonly number[],
    archived: ArchivedChoice,
    wanted: Wanted,
  ): Promise<ReadonlyMap<number, RecordBase>>;
}
