import type { Command } from 'commander';

import { readinessOf } from '../app/server';
import { startJobs, type Upkeep } from '../app/upkeep';
import { startHealthServer } from '../http/health';
import { onTermination } from '../kernel/process/termination';
import { portNumber } from './port-option';
import { withSession, type Session } from './session';

async function work({ environment, logger, instance }: Session, healthPort: number | undefined): Promise<void> {
  const { core } = instance;
  const relay = core.createRelay();
  const closeHealth =
    healthPort === undefined ? undefined : await startHealthServer(healthPort, readinessOf(core, relay), logger);
  const stopped = new Promise<void>((resolve) => {
    const release = onTermination((signal) => {
      logger.info({ signal }, 'stopping');
      release();
      resolve();
    });
  });
  let jobs: Upkeep | undefined;
  try {
    await Promise.race([core.embedder.ready(), stopped]);
    relay.start();
    jobs = startJobs(core, environment, logger);
    logger.info('relaying');
    await stopped;
  } finally {
    await jobs?.stop();
    await relay.stop();
    await closeHealth?.();
  }
}

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Relay captured changes to the vector server, beside the servers. Any number may run.')
    .option('--health-port <port>', 'answer /health/live and /health/ready there, on loopback', portNumber)
    .action(({ healthPort }: { healthPort?: number }) =>
      withSession('kindred worker', (session) => work(session, healthPort)),
    );
}
