/** How far the vector side has followed one record. Counts are of its points; `pending` includes a change not yet looked at. */
export interface IndexingStatusRow {
  state: 'PENDING' | 'INDEXED' | 'FAILED';
  pending: number;
  indexed: number;
  failed: number;
  error: string | null;
  /** When it took this state. */
  since: Date | null;
}

/** What readers may ask of the write path. */
export interface SyncService {
  /**
   * Resolves once exactly the writes behind `token` are searchable.
   * @throws SYNC_TIMEOUT, SYNC_FAILED (the write is in the dead letters), BAD_INPUT (no token of ours)
   */
  awaitSync(token: string, timeoutMs: number): Promise<void>;
  /** One a record, in the order asked. */
  indexingStatus(kind: string, ids: readonly number[]): Promise<IndexingStatusRow[]>;
}
