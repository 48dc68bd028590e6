export interface RelaySettings {
  /** Records rendered in one transaction. */
  sourceBatchSize: number;
  /** Points embedded and written together; as the embedder says unless given. */
  pointBatchSize?: number;
  sourceConcurrency: number;
  /** Two, so that one batch is written while the next is embedded. */
  pointConcurrency: number;
  /** Further batches at once of points that someone may be waiting for, while the others are at bulk work. */
  urgentPointConcurrency: number;
  /** How long a worker may be silent before others take its work over. */
  leaseMs: number;
  /** How long one call of the model may take; above the model's own deadlines, against one that hangs. */
  embedTimeoutMs: number;
  /** How often to look for work that no notification announced: retries, and work of crashed workers. */
  pollMs: number;
  /** Failed attempts after which an event becomes a dead letter. */
  maxAttempts: number;
  retryBaseMs: number;
  retryMaxMs: number;
  /** Pause after a database, vector server or model stopped answering; doubled each time. */
  outageBaseMs: number;
  outageMaxMs: number;
  /** When to look again at a point that an earlier worker may still have been writing. Longer than any request. */
  recheckMs: number;
  /** How long `stop` waits for work under way before it is cut off. */
  stopGraceMs: number;
}

export const defaultRelaySettings: RelaySettings = {
  sourceBatchSize: 64,
  sourceConcurrency: 1,
  pointConcurrency: 2,
  urgentPointConcurrency: 1,
  leaseMs: 60_000,
  embedTimeoutMs: 300_000,
  pollMs: 1_000,
  maxAttempts: 8,
  retryBaseMs: 1_000,
  retryMaxMs: 300_000,
  outageBaseMs: 500,
  outageMaxMs: 30_000,
  recheckMs: 120_000,
  stopGraceMs: 15_000,
};
