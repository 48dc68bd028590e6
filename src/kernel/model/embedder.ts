import { estimatedTokens, type TokenCounter } from '../chunking/token-counter';
import { DomainError } from '../errors/domain-error';

/** What makes vectors comparable: two vectors belong together only if every field here is equal. */
export interface ModelDescriptor {
  /** `local`, `openai` or the host of another OpenAI-compatible endpoint, `deterministic` in tests. */
  provider: string;
  name: string;
  /** Revision of the weights, e.g. a short content hash; empty where the provider has none. */
  version: string;
  dimensions: number;
  /** The longest text that is embedded whole, in the model's own tokens. */
  maxTokens: number;
}

export type EmbeddingPurpose = 'document' | 'query';

export interface EmbedOptions {
  purpose: EmbeddingPurpose;
  /** Someone may be waiting: goes before documents of which that is not said. Queries go before both. */
  isUrgent?: boolean;
  signal?: AbortSignal;
}

/** What goes first, for implementations with a queue: 0 queries, 1 documents that someone waits for, 2 the others. */
export type Urgency = 0 | 1 | 2;

export function urgencyOf({ purpose, isUrgent }: EmbedOptions): Urgency {
  return purpose === 'query' ? 0 : isUrgent === true ? 1 : 2;
}

/**
 * Turns texts into vectors. Implementations batch to their provider's limits and retry transient faults themselves
 * for a short while; what they throw is for the relay to schedule.
 */
export interface Embedder {
  readonly model: ModelDescriptor;

  /** How many texts a call gains from; more would only make others wait longer behind it. */
  readonly batchSize: number;

  /**
   * Embeds `texts`, any number of them.
   * @returns one vector per text, same order, each `dimensions` long and L2-normalised, so dot equals cosine
   * @throws TextTooLongError names the offending index; never retried
   * @throws ModelThrottledError carries `retryAfterMs`
   * @throws ModelUnavailableError a network or server fault; may be retried, and may carry `retryAfterMs`
   * @throws ModelRejectedError the provider refuses this input or key; never retried
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]>;

  /**
   * The model's own way of counting tokens, for this thread. Absent where they can only be estimated.
   * @throws ModelUnavailableError what it needs is not there; may be retried
   */
  tokenCounter?(): Promise<TokenCounter>;

  /** Resolves once the model answers, e.g. weights are fetched and loaded. Safe to call more than once. */
  ready(): Promise<void>;

  close(): Promise<void>;
}

export class TextTooLongError extends DomainError {
  constructor(
    readonly index: number,
    message: string,
  ) {
    super('TEXT_TOO_LONG', message);
  }
}

export class ModelThrottledError extends DomainError {
  constructor(
    message: string,
    readonly retryAfterMs: number | undefined,
    cause?: unknown,
  ) {
    super('MODEL_THROTTLED', message, { retryable: true, cause });
  }
}

export class ModelUnavailableError extends DomainError {
  constructor(
    message: string,
    cause?: unknown,
    readonly retryAfterMs?: number,
  ) {
    super('MODEL_UNAVAILABLE', message, { retryable: true, cause });
  }
}

export class ModelRejectedError extends DomainError {
  constructor(message: string, cause?: unknown) {
    super('MODEL_REJECTED', message, { retryable: false, cause });
  }
}

/** How a model counts tokens: its own way where it has one. @throws ModelUnavailableError */
export function tokenCounterOf(embedder: Pick<Embedder, 'tokenCounter'>): Promise<TokenCounter> {
  return embedder.tokenCounter?.() ?? Promise.resolve(estimatedTokens);
}
