import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAuthenticator, isAuthenticationConfigured, type AuthenticationSettings } from './authentication';
import { answerError } from './error-answer';
import { listen, refuseUnsafeListen } from './listening';
import { mountMetrics, type MetricsPage } from './metrics';
import { createReadiness, type ReadinessCheck } from './readiness';

export const READINESS_TIMEOUT_MS = 2_000;

/** `/health/live`: the process answers. `/health/ready`: it can do its work; 503 names the part that cannot. */
export function mountHealth(
  app: FastifyInstance,
  askReadiness: ReturnType<typeof createReadiness>,
  state: { isClosing: boolean },
): void {
  const config = { rateLimit: false } as const;
  app.get('/health/live', { config }, () => ({ status: 'live' }));
  app.get('/health/ready', { config }, async (_request, reply) => {
    const { isReady, parts } = await askReadiness();
    const status = state.isClosing ? 'closing' : isReady ? 'ready' : 'not ready';
    return reply.code(status === 'ready' ? 200 : 503).send({ status, parts });
  });
}

export interface HealthServerOptions {
  host: string;
  port: number;
  readiness: Readonly<Record<string, ReadinessCheck>>;
  metrics?: MetricsPage;
  authentication: AuthenticationSettings;
  logger: Logger;
}

/**
 * Health and metrics alone, for processes that serve nothing else. @returns closes it
 * @throws CONFIGURATION for an address that others reach, without authentication
 */
export async function startHealthServer(options: HealthServerOptions): Promise<() => Promise<void>> {
  const { host, port, readiness, metrics, authentication, logger } = options;
  refuseUnsafeListen({ host, hasAuthentication: isAuthenticationConfigured(authentication) });
  const baseLogger: FastifyBaseLogger = logger;
  const app = fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
  });
  mountHealth(app, createReadiness(readiness, READINESS_TIMEOUT_MS), { isClosing: false });
  app.setErrorHandler(answerError);
  if (metrics) mountMetrics(app, metrics, createAuthenticator(authentication));
  await listen(app, { host, port });
  return () => app.close();
}
