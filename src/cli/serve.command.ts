import { once } from 'node:events';

import type { Command } from 'commander';
import type { Logger } from 'pino';

import { createMetrics, watchCore } from '../app/metrics';
import { createHttpServer } from '../app/server';
import { heedErasures, heedPromotions, startJobs, type Upkeep } from '../app/upkeep';
import { isAuthenticationConfigured } from '../http/authentication';
import { checkAddress, refuseUnsafeListen } from '../http/listening';
import { onTermination } from '../kernel/process/termination';
import { DEMO_QUERY, loadDemoWhenEmpty } from './demo-loading';
import { EXIT_FAILURE } from './exit-codes';
import { waitUntilIndexed } from './indexing-progress';
import { openSession, readSettings } from './session';

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

/** @returns the exit code */
async function serve(): Promise<number> {
  const settings = readSettings();
  const { environment, logger } = settings;
  // The address first: whoever cannot have it should not wait for stores, nor find a new data folder.
  refuseUnsafeListen({
    host: environment.http.host,
    hasAuthentication: isAuthenticationConfigured(environment.authentication),
  });
  await checkAddress(environment.http);
  const metrics = environment.hasMetrics ? createMetrics() : undefined;
  const { instance } = await openSession('own', 'kindred serve', settings, { meter: metrics });
  const { core, stores } = instance;
  if (metrics) watchCore(metrics, core);
  const relay = environment.relay.isEnabled ? core.createRelay() : undefined;
  const server = await createHttpServer({ core, environment, logger, relay, metrics }).catch(async (error: unknown) => {
    await instance.close();
    throw error;
  });
  const upkeep: Upkeep[] = [];
  const stopping = new AbortController();
  let exitCode = 0;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping.abort();
    stopped ??= closeInOrder(logger, [
      () => server.close(DRAIN_MS),
      ...upkeep.map((one) => () => one.stop()),
      () => relay?.stop(),
      () => instance.close(),
    ]);
    return stopped;
  };
  const release = onTermination((signal) => {
    logger.info({ signal }, 'stopping');
    void stop();
  });
  void stores.failed.then((reason) => {
    logger.fatal(reason);
    exitCode = EXIT_FAILURE;
    void stop();
  });
  try {
    const url = await server.listen(environment.http);
    stores.publish(url);
    upkeep.push(heedErasures(core, logger, server), heedPromotions(core, logger));
    if (relay) {
      relay.start();
      upkeep.push(startJobs(core, environment, logger));
    }
    // Not awaited before the demo is loaded: the model loads while records are written.
    const model = core.modelReady();
    model.catch(() => undefined);
    if (environment.isDemoEnabled && (await loadDemoWhenEmpty(core)) && relay) {
      await model;
      await waitUntilIndexed(core, { label: 'Embedding the demo', signal: stopping.signal, relay });
    }
    await model;
    if (!stopping.signal.aborted) {
      process.stdout.write(`${banner(url)}\n`);
      await once(stopping.signal, 'abort');
    }
  } catch (error) {
    // What is cut off by the stop itself is no failure.
    if (!stopping.signal.aborted) throw error;
  } finally {
    await stop();
    release();
  }
  return exitCode;
}

/** Takes every step, whether or not one before it failed. */
async function closeInOrder(logger: Logger, steps: readonly (() => Promise<void> | undefined)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      logger.error({ err: error }, 'a part could not be stopped in order');
    }
  }
}

export function addServeCommand(program: Command, outcome: { code: number }): void {
  program
    .command('serve')
    .description('Start the GraphQL API, with its stores and relay unless settings name others.')
    .action(async () => {
      outcome.code = await serve();
    });
}
