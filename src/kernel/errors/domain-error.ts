/**
 * Every code that a client can meet in `extensions.code`, a CLI message or a log line.
 * A code names what went wrong in the caller's terms; the message says which value and what would be right.
 */
export type ErrorCode =
  | 'BAD_INPUT' // a value is malformed or out of range
  | 'INVALID_ID' // not a global id, or an id of another type
  | 'INVALID_CURSOR' // a cursor that this list did not issue
  | 'NOT_FOUND'
  | 'CONFLICT' // a unique value is taken
  | 'PARENT_NOT_FOUND'
  | 'TAG_CYCLE'
  | 'VECTOR_DIMENSION_MISMATCH'
  | 'UNKNOWN_EMBEDDING_TYPE'
  | 'QUERY_TOO_COMPLEX'
  | 'BODY_TOO_LARGE'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'SYNC_TIMEOUT'
  | 'SYNC_FAILED' // the awaited write is in the dead letters
  | 'ERASURE_INCOMPLETE' // a record is deleted, but traces of it are still there
  | 'CONFIGURATION' // a setting stops the program at start
  | 'DATABASE_UNAVAILABLE'
  | 'VECTOR_STORE_UNAVAILABLE'
  | 'VECTOR_STORE_REJECTED' // the vector server refused the request; retrying cannot help
  | 'CAPTURE_DAMAGED' // a trigger that captures changes is missing, disabled or altered
  | 'COLLECTION_MISMATCH' // an existing collection has other dimensions, distance or model
  | 'GENERATION_INCOMPLETE' // another model's collections do not hold all that the live ones do
  | 'MODEL_UNAVAILABLE'
  | 'MODEL_THROTTLED'
  | 'MODEL_REJECTED' // the provider refused the request; retrying cannot help
  | 'TEXT_TOO_LONG'
  | 'TOO_MANY_CHUNKS' // a text would become more chunks than one record may have
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_DAMAGED' // a stored file fails its checksum; nothing is opened
  | 'INTERNAL';

export interface DomainErrorOptions {
  /** Whether the same call may succeed later without any change by the caller. */
  retryable?: boolean;
  cause?: unknown;
  /** Facts for the client: the field, the value's length, the limit. Never secrets, SQL or stacks. */
  details?: Record<string, unknown>;
}

/** An error whose message may be shown to whoever made the call. Anything else is hidden as INTERNAL. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}
