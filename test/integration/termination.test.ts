import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const MODULE = path.resolve(__dirname, '..', '..', 'dist', 'kernel', 'process', 'termination.js');

/** Says what it gets; ends by itself only when told that it need not wait. */
const PROGRAM = `
const { onTermination } = require(process.argv[1]);
const timer = setInterval(() => {}, 1000);
const release = onTermination((signal) => {
  console.log(signal);
  if (process.argv[2] === 'quick') {
    release();
    clearInterval(timer);
  }
});
console.log('ready');
`;

async function run(mode: string, signals: NodeJS.Signals[]): Promise<{ said: string[]; code: number | null }> {
  const child = spawn(process.execPath, ['-e', PROGRAM, MODULE, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const next = signals.shift();
    if (next !== undefined) child.kill(next);
  }
  return { said, code: await ended };
}

describe('a program that is asked to end', () => {
  it('begins to at the first signal, and takes its time', async () => {
    expect(await run('quick', ['SIGTERM'])).toEqual({ said: ['ready', 'SIGTERM'], code: 0 });
  });

  it('ends at once at the second', async () => {
    expect(await run('slow', ['SIGINT', 'SIGINT'])).toEqual({ said: ['ready', 'SIGINT'], code: 130 });
  });
});
