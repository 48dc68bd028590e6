/** A relay in a process of its own, as `kindred worker` is. Each line of input begins or pauses it; the end of input ends it. */
import 'reflect-metadata';
import readline from 'node:readline';
import type { Relay } from '../../src/kernel/outbox/relay';
import { openCore } from './core';
import type { StoreTargets } from './processes';

async function main(): Promise<void> {
  const { modelMs, ...targets } = JSON.parse(process.argv[2] ?? '{}') as StoreTargets & { modelMs: number };
  const core = await openCore(targets, modelMs);
  let relay: Relay | undefined;
  process.stdout.write('ready\n');
  for await (const line of readline.createInterface(process.stdin)) {
    await relay?.stop();
    relay = line === 'begin' ? core.createRelay() : undefined;
    relay?.start();
    process.stdout.write(`${line}\n`);
  }
  await relay?.stop();
  await core.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
