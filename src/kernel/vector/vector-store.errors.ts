import { DomainError } from '../errors/domain-error';

/** Network fault, timeout, 429 or 5xx: the same request may succeed later. */
export class VectorStoreUnavailableError extends DomainError {
  constructor(
    message: string,
    readonly retryAfterMs?: number,
    cause?: unknown,
  ) {
    super('VECTOR_STORE_UNAVAILABLE', message, { retryable: true, cause });
  }
}

/** The server understood the request and refused it. */
export class VectorStoreRejectedError extends DomainError {
  constructor(
    message: string,
    readonly status: number,
    cause?: unknown,
  ) {
    super('VECTOR_STORE_REJECTED', message, { retryable: false, cause });
  }
}
