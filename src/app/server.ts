import type { Logger } from 'pino';

import type { Environment } from '../config/environment';
import type { ReadinessCheck } from '../http/readiness';
import { traceRequests } from '../http/request-tracing';
import { buildHttpServer, type HttpServer } from '../http/server';
import type { GraphQLContext } from '../kernel/graphql/context';
import { DomainError } from '../kernel/errors/domain-error';
import { createErrorFormatter, type ErrorFormatter } from '../kernel/graphql/format-error';
import { MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE } from '../kernel/record/page';
import type { Relay } from '../kernel/outbox/relay';
import type { Core } from './core';
import type { Metrics } from './metrics';
import { buildKindredSchema } from './schema';

const MAX_DOCUMENT_TOKENS = 5_000;

export interface HttpServerParts {
  core: Core;
  environment: Environment;
  logger: Logger;
  relay: Relay | undefined;
  metrics: Metrics | undefined;
}

/** The HTTP server of an instance. Not listening yet. */
export function createHttpServer(parts: HttpServerParts): Promise<HttpServer<GraphQLContext>> {
  const { core, environment, logger, relay, metrics } = parts;
  const { http, graphql } = environment;
  const schema = buildKindredSchema();
  return buildHttpServer<GraphQLContext>({
    schema,
    isJitEnabled: graphql.isJitEnabled,
    logger,
    limits: {
      maxDepth: graphql.maxDepth,
      maxAliases: graphql.maxAliases,
      maxFields: graphql.maxFields,
      maxCost: graphql.maxCost,
      maxTokens: MAX_DOCUMENT_TOKENS,
      defaultPageSize: DEFAULT_PAGE_SIZE,
      maxPageSize: MAX_PAGE_SIZE,
    },
    formatError: countingErrors(
      createErrorFormatter((cause, { path, requestId }) =>
        logger.error({ reqId: requestId, err: cause, field: path?.join('.') }, 'a request failed'),
      ),
      metrics,
    ),
    makeContext: ({ actor, role, requestId }) => core.createContext({ actor, role, requestId }),
    authentication: environment.authentication,
    corsOrigins: http.corsOrigins,
    maxBodyBytes: http.maxBodyBytes,
    rateLimit: http.rateLimit,
    isBehindProxy: http.isBehindProxy,
    readiness: readinessOf(core, relay),
    metrics,
    onAnswered: metrics && ((route, method, status, ms) => metrics.answered(route, method, status, ms)),
    instrument: environment.tracing && traceRequests,
  });
}

function countingErrors(format: ErrorFormatter, metrics: Metrics | undefined): ErrorFormatter {
  if (!metrics) return format;
  return (formatted, error, requestId) => {
    const answer = format(formatted, error, requestId);
    metrics.failed(String(answer.extensions?.code));
    return answer;
  };
}

/** What has to answer before this process can do its work. */
export function readinessOf(core: Core, relay: Relay | undefined): Readonly<Record<string, ReadinessCheck>> {
  return {
    database: () => core.database.query('SELECT 1'),
    capture: () => core.capture.watch(),
    vectorStore: (signal) => core.store.ping(signal),
    model: () => core.modelReady(),
    ...(relay && { relay: () => relayIsWell(relay) }),
  };
}

function relayIsWell(relay: Relay): Promise<void> {
  const { outage } = relay;
  return outage
    ? Promise.reject(new DomainError('INTERNAL', `${outage.message} (since ${outage.since.toISOString()})`))
    : Promise.resolve();
}
