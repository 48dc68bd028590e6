import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';

import pino from 'pino';

import { createOpenAiEmbedder } from '../../../src/adapters/openai';
import { createCore, type Core } from '../../../src/app/core';
import { heedPromotions } from '../../../src/app/upkeep';
import { SETTINGS_VARIABLE, type RelayProcessSettings, type StepOrder } from './relay-orders';

/** Stands still as a process does that is swapped out: not even its timers run. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function main(settings: RelayProcessSettings): Promise<void> {
  let order: StepOrder | undefined;
  process.on('message', (message: StepOrder) => (order = { ...message }));
  process.on('disconnect', () => process.exit(0));
  const [embedder, next] = settings.embeddings.map((one) =>
    createOpenAiEmbedder({ apiKey: 'none', maxAttempts: 2, maxWaitMs: 300, ...one }),
  );
  if (!embedder) throw new Error('No model is configured');
  const logger = pino({ level: 'info' }, pino.destination(2));
  const core = await createCore({
    databaseUrl: settings.databaseUrl,
    poolSize: 6,
    applicationName: 'chaos relay',
    qdrantUrl: settings.qdrantUrl,
    qdrantTimeoutMs: settings.qdrantTimeoutMs,
    embedder,
    next,
    relay: settings.relay,
    logger,
  });
  // A service manager would start it again; that is slower, and relays that start are relays that nothing happens to.
  while (!(await startsCatalog(core))) await delay(100);
  const relay = core.createRelay((step) => {
    if (order?.step !== step || --order.after > 0) return;
    const { action } = order;
    order = undefined;
    if (action === 'die') process.kill(process.pid, 'SIGKILL');
    else standStill(action);
  });
  heedPromotions(core, logger);
  relay.start();
  process.send?.('ready');
}

async function startsCatalog(core: Core): Promise<boolean> {
  try {
    await core.catalog.start();
    return true;
  } catch (error) {
    process.stderr.write(`cannot start yet: ${String(error)}\n`);
    return false;
  }
}

main(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as RelayProcessSettings).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
