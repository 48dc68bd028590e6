import 'reflect-metadata';
import pino from 'pino';

import { createDeterministicEmbedder } from '../../../src/adapters/deterministic-model';
import { createCore } from '../../../src/app/core';
import { quickRelay } from '../../support/write-path';
import { SETTINGS_VARIABLE, type MortalRelaySettings } from './mortal-relay';

/** Relays until it comes to where it is to die. */
async function main({ databaseUrl, qdrantUrl, prefix, death }: MortalRelaySettings): Promise<void> {
  let left = death.after;
  const die = (isThere: boolean): void => {
    if (isThere && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const core = await createCore({
    databaseUrl,
    poolSize: 6,
    applicationName: 'mortal relay',
    qdrantUrl,
    embedder: createDeterministicEmbedder(),
    collections: { prefix },
    relay: { ...quickRelay, leaseMs: 400 },
    logger: pino({ level: 'warn' }, pino.destination(2)),
  });
  await core.catalog.start();
  core.database.observe(({ sql }) => die('statement' in death && sql.includes(death.statement)));
  core.createRelay((step, { topic }) => die('step' in death && step === death.step && topic === 'tag')).start();
}

main(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as MortalRelaySettings).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
