import type { RecordBase } from './record-base';

export type RelatedRow = Record<string, unknown>;

/** A record with everything that its texts and payload are made from. */
export interface Source<R extends RecordBase = RecordBase> {
  record: R;
  related: Record<string, RelatedRow[]>;
}
