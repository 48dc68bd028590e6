import { DomainError, type ErrorCode } from '../errors/domain-error';
import { ModelThrottledError, ModelUnavailableError } from '../model/embedder';
import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../vector/vector-store.errors';
import type { RelaySettings } from './relay-settings';

/** Faults of a part that everything needs: no event is to blame, so all wait and none loses an attempt. */
const OUTAGES: ReadonlySet<ErrorCode> = new Set([
  'DATABASE_UNAVAILABLE',
  'VECTOR_STORE_UNAVAILABLE',
  'MODEL_UNAVAILABLE',
  'MODEL_THROTTLED',
  'COLLECTION_MISMATCH',
]);
const UNAUTHORISED_STATUSES = new Set([401, 403]);
const LONGEST_MESSAGE = 1000;

/** A part that everything needs does not work now. Everything that was taken is given back and work pauses. */
export class OutageError extends Error {
  constructor(
    override readonly cause: unknown,
    /** What the failing part asked for. */
    readonly retryAfterMs?: number,
  ) {
    super(describeError(cause).message);
    this.name = 'OutageError';
  }
}

/** The error as an outage, if it is one whatever the event. */
export function outageOf(error: unknown): OutageError | undefined {
  if (error instanceof OutageError) return error;
  if (error instanceof ModelThrottledError || error instanceof ModelUnavailableError)
    return new OutageError(error, error.retryAfterMs);
  if (error instanceof VectorStoreUnavailableError) return new OutageError(error, error.retryAfterMs);
  if (error instanceof VectorStoreRejectedError && UNAUTHORISED_STATUSES.has(error.status))
    return new OutageError(error);
  if (error instanceof DomainError && OUTAGES.has(error.code)) return new OutageError(error);
  return undefined;
}

/** Whether another attempt with the same input is bound to fail as well. */
export function isPermanent(error: unknown): boolean {
  return error instanceof DomainError && !error.retryable && error.code !== 'INTERNAL';
}

/** What dead letters and logs say of an error. */
export function describeError(error: unknown): { code: string; message: string } {
  const code = error instanceof DomainError ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  // PostgreSQL cannot store NUL, and a provider may echo the input.
  return { code, message: message.replaceAll('\u0000', '').slice(0, LONGEST_MESSAGE) };
}

/** Exponential back-off with jitter: between half and all of base × 2^(attempts − 1), at most `maxMs`. */
export function backOffMs(attempts: number, baseMs: number, maxMs: number, random = Math.random): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}

/** How a failed attempt goes on. */
export function failureOf(error: unknown, formerAttempts: number, settings: RelaySettings) {
  const attempts = formerAttempts + 1;
  return {
    ...describeError(error),
    attempts,
    isDead: isPermanent(error) || attempts >= settings.maxAttempts,
    retryInMs: backOffMs(attempts, settings.retryBaseMs, settings.retryMaxMs),
  };
}
