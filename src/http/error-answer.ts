import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, type ErrorCode } from '../kernel/errors/domain-error';

/** The HTTP status of an answer that fails before GraphQL has a say. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BODY_TOO_LARGE: 413,
  RATE_LIMITED: 429,
};

export function statusOf(error: DomainError): number {
  return STATUS[error.code] ?? 500;
}

/** An error in GraphQL's form, so that clients need to know one form only. */
export interface ErrorAnswer {
  errors: [{ message: string; extensions: Record<string, unknown> & { code: ErrorCode } }];
}

export function errorAnswer(error: DomainError): ErrorAnswer {
  const { details } = error;
  const extras = Object.keys(details).length === 0 ? {} : { details };
  return { errors: [{ message: error.message, extensions: { code: error.code, ...extras } }] };
}

/** Answers whatever failed outside GraphQL: coded, without a stack, and logged when it is our fault. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = explain(error, request);
  const status = statusOf(known);
  if (status === 500) request.log.error({ reqId: request.id, err: error }, 'request failed');
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send(errorAnswer(known));
}

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '/';
  const message = `There is nothing at ${request.method} ${path}; GraphQL is served at /graphql.`;
  return reply.code(404).send(errorAnswer(new DomainError('NOT_FOUND', message)));
}

function explain(error: FastifyError, request: FastifyRequest): DomainError {
  if (error instanceof DomainError) return error;
  const limitBytes = request.routeOptions.bodyLimit;
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new DomainError(
        'BODY_TOO_LARGE',
        `The request's body is larger than the limit of ${limitBytes.toLocaleString('en')} bytes. Send less at a time.`,
        { details: { limitBytes } },
      );
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new DomainError('BAD_INPUT', 'The request has no body; send JSON with a `query`.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new DomainError(
        'BAD_INPUT',
        `The body's type ${JSON.stringify(request.headers['content-type'] ?? '')} is not understood; send application/json.`,
      );
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new DomainError('BAD_INPUT', 'The body is not as long as its Content-Length says.');
    default:
  }
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error.name === 'SyntaxError') {
    return new DomainError('BAD_INPUT', "The request's body is not valid JSON.");
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new DomainError('BAD_INPUT', 'The request is malformed.', { cause: error });
  }
  return new DomainError('INTERNAL', 'Something went wrong here. The log has it under this request id.', {
    cause: error,
    details: { requestId: request.id },
  });
}
