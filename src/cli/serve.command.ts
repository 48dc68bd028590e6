import type { Command } from 'commander';

import { createHttpServer } from '../app/server';
import { onTermination } from '../kernel/process/termination';
import { DEMO_QUERY, loadDemoWhenEmpty } from './demo-loading';
import { waitUntilIndexed } from './indexing-progress';
import { openSession, type Session } from './session';

const DRAIN_MS = 10_000;

function banner(url: string): string {
  const body = JSON.stringify({ query: DEMO_QUERY });
  return [
    '',
    '  Kindred is ready.',
    '',
    `  GraphQL   ${url}/graphql   (open it in a browser to explore)`,
    `  Health    ${url}/health/ready`,
    '',
    '  Try it:',
    '',
    `  curl -s ${url}/graphql -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'`,
    '',
  ].join('\n');
}

async function serve(): Promise<void> {
  const session: Session = await openSession('own', 'kindred serve');
  const { environment, logger, instance } = session;
  const { core, stores } = instance;
  const relay = environment.relay.isEnabled ? core.createRelay() : undefined;
  const server = await createHttpServer(core, environment, logger, relay).catch(async (error: unknown) => {
    await instance.close();
    throw error;
  });
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = async (): Promise<void> => {
    await server.close(DRAIN_MS);
    await relay?.stop();
    await instance.close();
    finish();
  };
  const aborted = new AbortController();
  const release = onTermination((signal) => {
    logger.info({ signal }, 'stopping');
    aborted.abort();
    void stop();
  });
  try {
    // The port first: whoever cannot have it should not wait for anything else.
    const url = await server.listen(environment.http);
    stores.publish(url);
    void stores.failed.then((reason) => {
      logger.fatal(reason);
      process.exitCode = 1;
      void stop();
    });
    relay?.start();
    // Not awaited before the demo is loaded: the model loads while records are written.
    const model = core.embedder.ready();
    model.catch(() => undefined);
    if (environment.isDemoEnabled && (await loadDemoWhenEmpty(core)) && relay) {
      await model;
      await waitUntilIndexed(core, { label: 'Embedding the demo', signal: aborted.signal });
    }
    await model;
    if (!aborted.signal.aborted) process.stdout.write(`${banner(url)}\n`);
    await finished;
  } catch (error) {
    await stop();
    if (!aborted.signal.aborted) throw error;
  } finally {
    release();
  }
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Start the GraphQL API, with its stores and relay unless settings name others.')
    .action(serve);
}
