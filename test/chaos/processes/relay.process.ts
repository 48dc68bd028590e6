import 'reflect-metadata';
import pino from 'pino';

import { createOpenAiEmbedder } from '../../../src/adapters/openai';
import { createCore } from '../../../src/app/core';
import { SETTINGS_VARIABLE, type RelayProcessSettings, type StepOrder } from './relay-orders';

/** Stands still as a process does that is swapped out: not even its timers run. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function main(settings: RelayProcessSettings): Promise<void> {
  let order: StepOrder | undefined;
  process.on('message', (message: StepOrder) => (order = { ...message }));
  process.on('disconnect', () => process.exit(0));
  const core = await createCore({
    databaseUrl: settings.databaseUrl,
    poolSize: 6,
    applicationName: 'chaos relay',
    qdrantUrl: settings.qdrantUrl,
    qdrantTimeoutMs: settings.qdrantTimeoutMs,
    embedder: createOpenAiEmbedder({ apiKey: 'none', maxAttempts: 2, maxWaitMs: 300, ...settings.embedding }),
    relay: settings.relay,
    logger: pino({ level: 'info' }, pino.destination(2)),
  });
  await core.catalog.start();
  const relay = core.createRelay((step) => {
    if (order?.step !== step || --order.after > 0) return;
    const { action } = order;
    order = undefined;
    if (action === 'die') process.kill(process.pid, 'SIGKILL');
    else standStill(action);
  });
  relay.start();
  process.send?.('ready');
}

main(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as RelayProcessSettings).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
