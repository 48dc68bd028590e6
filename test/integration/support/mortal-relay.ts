import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import type { RelayStep } from '../../../src/kernel/outbox/relay-step';

/** Where a relay is to be killed: at a step of tagging, or after a statement whose transaction is still open. */
export type Death = { after: number } & ({ step: RelayStep } | { statement: string });

export interface MortalRelaySettings {
  databaseUrl: string;
  qdrantUrl: string;
  prefix: string;
  death: Death;
}

export const SETTINGS_VARIABLE = 'MORTAL_RELAY_SETTINGS';

const ROOT = path.resolve(__dirname, '..', '..', '..');

/**
 * Runs a relay in a process of its own until it is killed with SIGKILL.
 * @throws when it ends in any other way
 */
export function relayUntilKilled(settings: MortalRelaySettings): Promise<void> {
  return runUntilKilled('mortal-relay.process.ts', settings);
}

/** The same of any program beside this file. */
export async function runUntilKilled(name: string, settings: object): Promise<void> {
  const program = path.join(__dirname, name);
  const child = spawn(process.execPath, ['-r', path.join(ROOT, 'scripts', 'register-typescript.js'), program], {
    env: { ...process.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal !== 'SIGKILL') throw new Error(`${name} ended by ${signal ?? `exit code ${code}`}: ${said}`);
}
