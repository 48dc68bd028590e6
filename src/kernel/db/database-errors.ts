import { DomainError } from '../errors/domain-error';

interface PostgresError extends Error {
  code?: string;
  detail?: string;
  constraint?: string;
  table?: string;
  column?: string;
  driverError?: PostgresError;
}

/**
 * Classes 08 (connection) and 57P (the server goes or comes), sessions that the server ended, too many of them, and a
 * server that has become a standby.
 */
const CONNECTION_FAULT = /^(08|57P|25P03|25006|53300)/;
const SOCKET_FAULTS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);
/** What the driver says without a code: of a connection that broke, one that came to nothing, and a pool that is closed. */
const LOST_CONNECTION = new RegExp(
  [
    'connection terminated',
    'connection timeout',
    'timeout exceeded when trying to connect',
    '^timeout expired$',
    '^query read timeout$',
    'not queryable',
    'after calling end on the pool',
    '^received unexpected \\w+ message from backend',
  ].join('|'),
  'i',
);
/** TypeORM's, of a transaction whose connection broke between two of its statements. */
const LOST_TRANSACTION = new Set([
  'QueryRunnerAlreadyReleasedError',
  'QueryRunnerProviderAlreadyReleasedError',
  'TransactionNotStartedError',
]);
/** `Key (external_id)=(x) already exists.` → column and value */
const KEY_DETAIL = /^Key \((.+?)\)=\((.*)\) /s;

const camelCase = (column: string): string => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function postgresErrorOf(error: unknown): PostgresError | undefined {
  if (!(error instanceof Error)) return undefined;
  const wrapped = error as PostgresError;
  return wrapped.driverError ?? wrapped;
}

/** The role may not do that. */
export function isInsufficientPrivilege(error: unknown): boolean {
  return postgresErrorOf(error)?.code === '42501';
}

/** Whether a statement gave up waiting for somebody else's lock, or was not to wait for it. */
export function isLockNotAvailable(error: unknown): boolean {
  return postgresErrorOf(error)?.code === '55P03';
}

export function databaseUnavailable(cause: unknown): DomainError {
  return new DomainError('DATABASE_UNAVAILABLE', 'The database does not answer; try again shortly.', {
    retryable: true,
    cause,
  });
}

/** Whether a statement was ended because it took longer than it may, or by somebody else. */
export function isStatementCancelled(error: unknown): boolean {
  return postgresErrorOf(error)?.code === '57014';
}

/** Says what PostgreSQL refused in the caller's terms. What it does not know passes through unchanged. */
export function toDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const cause = postgresErrorOf(error);
  if (!cause) return error;
  const code = cause.code ?? '';
  const key = KEY_DETAIL.exec(cause.detail ?? '');
  const field = key?.[1] === undefined ? cause.column : key[1];
  switch (code) {
    case '23505': {
      if (cause.constraint === 'uq_tag_concepts_name' || cause.constraint === 'pk_tag_names') {
        return new DomainError('CONFLICT', `name: a tag of that name or alias exists already (case does not count).`, {
          cause,
          details: { field: 'name' },
        });
      }
      const name = camelCase(field ?? 'value');
      return new DomainError('CONFLICT', `${name}: '${key?.[2] ?? ''}' is taken; it must be unique.`, {
        cause,
        details: { field: name },
      });
    }
    case '21000':
      return new DomainError('CONFLICT', 'Two records of one statement are the same; write them one by one.', {
        cause,
      });
    case '23503':
      return foreignKeyError(cause, camelCase(field ?? 'reference'), key?.[2] ?? '');
    case '23502':
      return new DomainError('BAD_INPUT', `${camelCase(cause.column ?? 'a field')} must have a value.`, {
        cause,
        details: { field: camelCase(cause.column ?? '') },
      });
    case '23514':
      return new DomainError('BAD_INPUT', `A value breaks the rule ${cause.constraint ?? 'of its table'}.`, { cause });
    case '22001':
      return new DomainError('BAD_INPUT', 'A value is longer than its field allows.', { cause });
    case '22021':
    case '22P05':
      return new DomainError('BAD_INPUT', 'A text has a NUL or another character that cannot be stored.', { cause });
    case 'KD001':
      return new DomainError(
        'TAG_CYCLE',
        'parentId: the parent is the tag itself or below it, which would make a ring; choose a tag outside its subtree.',
        { cause, details: { field: 'parentId' } },
      );
    case 'KD002':
      return new DomainError('BAD_INPUT', `${cause.message}; it must match ${cause.detail ?? ''}.`, {
        cause,
        details: { field: 'contentId' },
      });
    case 'KD003':
      return new DomainError('BAD_INPUT', `${cause.message}.`, { cause });
    default:
  }
  if (
    CONNECTION_FAULT.test(code) ||
    SOCKET_FAULTS.has(code) ||
    LOST_CONNECTION.test(cause.message) ||
    LOST_TRANSACTION.has(cause.constructor.name)
  ) {
    return databaseUnavailable(cause);
  }
  if (code === '40001' || code === '40P01') {
    return new DomainError('CONFLICT', 'Another write got in the way; try again.', { retryable: true, cause });
  }
  return error;
}

function foreignKeyError(cause: PostgresError, field: string, value: string): DomainError {
  if (cause.constraint === 'fk_content_items_content_type') {
    return new DomainError('BAD_INPUT', `contentType: '${value}' is no content type.`, {
      cause,
      details: { field: 'contentType' },
    });
  }
  if (cause.constraint === 'fk_tag_concepts_scheme') {
    return new DomainError('BAD_INPUT', `scheme: '${value}' is no tag scheme; make it first, or use one there is.`, {
      cause,
      details: { field: 'scheme' },
    });
  }
  return new DomainError('PARENT_NOT_FOUND', `${field}: there is no such record; it may have been deleted.`, {
    cause,
    details: { field },
  });
}
