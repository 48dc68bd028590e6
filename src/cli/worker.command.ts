import type { Command } from 'commander';

import { createMetrics, watchCore, type Metrics } from '../app/metrics';
import { readinessOf } from '../app/server';
import { heedPromotions, startJobs, type Upkeep } from '../app/upkeep';
import { startHealthServer } from '../http/health';
import { onTermination } from '../kernel/process/termination';
import { portNumber } from './port-option';
import { openSession, readSettings, type Session } from './session';

interface WorkerOptions {
  healthPort?: number;
  healthHost: string;
}

async function work(
  { environment, logger, instance }: Session,
  { healthPort: port, healthHost: host }: WorkerOptions,
  metrics: Metrics | undefined,
): Promise<void> {
  const { core } = instance;
  const relay = core.createRelay();
  if (metrics) watchCore(metrics, core);
  const { authentication } = environment;
  const readiness = readinessOf(core, relay);
  const closeHealth =
    port === undefined
      ? undefined
      : await startHealthServer({ host, port, readiness, metrics, authentication, logger });
  const stopped = new Promise<void>((resolve) => {
    const release = onTermination((signal) => {
      logger.info({ signal }, 'stopping');
      release();
      resolve();
    });
  });
  const promotions = heedPromotions(core, logger);
  let jobs: Upkeep | undefined;
  try {
    await Promise.race([core.modelReady(), stopped]);
    relay.start();
    jobs = startJobs(core, environment, logger);
    logger.info('relaying');
    await stopped;
  } finally {
    await jobs?.stop();
    await promotions.stop();
    await relay.stop();
    await closeHealth?.();
  }
}

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Relay captured changes to the vector server, beside the servers. Any number may run.')
    .option('--health-port <port>', 'answer /health/live, /health/ready and /metrics there', portNumber)
    .option('--health-host <host>', 'and at this address; others than loopback need authentication', '127.0.0.1')
    .action(async (options: WorkerOptions) => {
      const settings = readSettings();
      const metrics = settings.environment.hasMetrics && options.healthPort !== undefined ? createMetrics() : undefined;
      const session = await openSession('attach', 'kindred worker', settings, { meter: metrics });
      try {
        await work(session, options, metrics);
      } finally {
        await session.instance.close();
      }
    });
}
