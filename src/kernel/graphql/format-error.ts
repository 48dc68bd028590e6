import { inspect } from 'node:util';

import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import { DomainError, type ErrorCode } from '../errors/domain-error';

/** Where an error came up. */
export interface ErrorPlace {
  /** The field that was being answered. */
  path?: readonly (string | number)[];
  requestId?: string;
}

/** Told once of every error whose message is hidden, so that it can be logged. */
export type HiddenErrorReporter = (cause: Error, place: ErrorPlace) => void;

/** Turns an error into what a client sees of it. */
export type ErrorFormatter = (
  formatted: GraphQLFormattedError,
  error: unknown,
  requestId?: string,
) => GraphQLFormattedError;

/** Our own word for a fault of ours, and Apollo's. Nothing that says so is shown, whoever says it. */
const FAULTS = new Set<unknown>(['INTERNAL', 'INTERNAL_SERVER_ERROR']);

const SAFE_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'BAD_REQUEST',
]);

/** What clients see when a part does not answer: where that part is, is for the log alone. */
const OUTAGES: Partial<Record<ErrorCode, string>> = {
  DATABASE_UNAVAILABLE: 'The database does not answer; try again shortly.',
  VECTOR_STORE_UNAVAILABLE: 'The vector server does not answer; try again shortly.',
  VECTOR_STORE_REJECTED: 'The vector server refused the request; it has been logged.',
  MODEL_UNAVAILABLE: 'The embedding model does not answer; try again shortly.',
  MODEL_REJECTED: 'The embedding model refused the request; it has been logged.',
};

function rootOf(error: unknown): unknown {
  let current = error;
  while (current instanceof GraphQLError && current.originalError) current = current.originalError;
  return current;
}

/** A resolver may throw anything. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`${inspect(thrown)} was thrown, which is no error`);
}

/**
 * What a client sees of an error: message and code of our own errors and of malformed requests; of anything else only
 * that it happened.
 */
export function createErrorFormatter(report: HiddenErrorReporter): ErrorFormatter {
  return (formatted, error, requestId) => {
    const root = rootOf(error);
    const place = { path: formatted.path, requestId };
    const where = { locations: formatted.locations, path: formatted.path };
    if (root instanceof DomainError && root.code !== 'INTERNAL') {
      const outage = OUTAGES[root.code];
      if (outage !== undefined) report(root, place);
      return {
        message: outage ?? root.message,
        ...where,
        extensions: { ...root.details, code: root.code, retryable: root.retryable },
      };
    }
    const code = formatted.extensions?.code;
    if (
      root instanceof GraphQLError &&
      typeof code === 'string' &&
      !FAULTS.has(code) &&
      (SAFE_CODES.has(code) || code === root.extensions.code)
    ) {
      const { stacktrace: _, ...extensions } = formatted.extensions ?? {};
      return { message: formatted.message, ...where, extensions };
    }
    report(asError(root), place);
    return {
      message: 'Something went wrong here; it has been logged.',
      ...where,
      extensions: { code: 'INTERNAL', retryable: false },
    };
  };
}
