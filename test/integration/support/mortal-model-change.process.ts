import 'reflect-metadata';
import pino from 'pino';

import { createDeterministicEmbedder } from '../../../src/adapters/deterministic-model';
import { createCore } from '../../../src/app/core';
import type { ModelChangeStep } from '../../../src/kernel/model-change/model-change';
import type { RelayStep } from '../../../src/kernel/outbox/relay-step';
import { quickRelay } from '../../support/write-path';
import { SETTINGS_VARIABLE } from './mortal-relay';

export interface MortalModelChange {
  databaseUrl: string;
  qdrantUrl: string;
  prefix: string;
  /** Where to die: at a step of the change itself, or of the relay that fills what is beside the live collections. */
  death: { step: ModelChangeStep } | { filling: RelayStep };
}

/** Changes the model until it comes to where it is to die. */
async function main({ databaseUrl, qdrantUrl, prefix, death }: MortalModelChange): Promise<void> {
  const die = (isThere: boolean): void => {
    if (isThere) process.kill(process.pid, 'SIGKILL');
  };
  const core = await createCore({
    databaseUrl,
    poolSize: 6,
    applicationName: 'mortal model change',
    qdrantUrl,
    qdrantApiKey: process.env.QDRANT_API_KEY,
    embedder: createDeterministicEmbedder(),
    next: createDeterministicEmbedder({ dimensions: 32, version: '2' }),
    collections: { prefix },
    relay: { ...quickRelay, leaseMs: 400, pointBatchSize: 8 },
    logger: pino({ level: 'warn' }, pino.destination(2)),
    onModelChangeStep: (step) => die('step' in death && step === death.step),
  });
  await core.catalog.start();
  core.createRelay((step, { topic }) => die('filling' in death && step === death.filling && topic === 'build')).start();
  await core.modelChange.prepare();
  await core.modelChange.waitUntilFilled({});
  await core.modelChange.promote({ waitMs: 20_000 });
  await core.modelChange.drop();
  process.exit(0);
}

main(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as MortalModelChange).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
