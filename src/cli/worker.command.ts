import type { Command } from 'commander';

import { onTermination } from '../kernel/process/termination';
import { withSession } from './session';

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Relay captured changes to the vector server, beside the servers. Any number may run.')
    .action(() =>
      withSession('kindred worker', async ({ logger, instance }) => {
        const relay = instance.core.createRelay();
        const stopped = new Promise<void>((resolve) => {
          const release = onTermination((signal) => {
            logger.info({ signal }, 'stopping');
            void relay.stop().then(() => {
              release();
              resolve();
            });
          });
        });
        await instance.core.embedder.ready();
        relay.start();
        logger.info('relaying');
        await stopped;
      }),
    );
}
