import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { listen } from './listening';
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

/** Health alone, on loopback, for processes that serve nothing else. @returns closes it */
export async function startHealthServer(
  port: number,
  readiness: Readonly<Record<string, ReadinessCheck>>,
  logger: Logger,
): Promise<() => Promise<void>> {
  const baseLogger: FastifyBaseLogger = logger;
  const app = fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
  });
  mountHealth(app, createReadiness(readiness, READINESS_TIMEOUT_MS), { isClosing: false });
  await listen(app, { host: '127.0.0.1', port });
  return () => app.close();
}
