import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median, range, residentBytes, table, writeResult } from '../support/report';

const ROOT = path.resolve(__dirname, '..', '..');
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const READY = 'Kindred is ready.';
const TIMEOUT_MS = 120_000;
/** The pool closes connections that nobody has used for 10 s. */
const REST_MS = 15_000;

interface Started {
  seconds: number;
  stop(): Promise<void>;
  /** Bytes in memory: of the whole tree of processes, and of the server's own. */
  memory(): { tree: number; server: number };
}

/** `npm start` until it says that it is ready, on an empty data folder and again on the same one, and its memory. */
export async function startBench(): Promise<void> {
  const cold: number[] = [];
  const warm: number[] = [];
  const tree: number[] = [];
  const rested: number[] = [];
  const server: number[] = [];
  // The first round compiles what has changed and fetches the model where it is not there; it is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'kindred-bench-'));
    try {
      const first = await start(dataDir);
      const memory = first.memory();
      await delay(REST_MS);
      const atRest = first.memory();
      await first.stop();
      const second = await start(dataDir);
      await second.stop();
      if (round === 0) continue;
      cold.push(first.seconds);
      warm.push(second.seconds);
      tree.push(memory.tree / 1e6);
      rested.push(atRest.tree / 1e6);
      server.push(atRest.server / 1e6);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  const row = (what: string, values: number[], digits: number, target: string): string[] => [
    what,
    median(values).toFixed(digits),
    range(values, digits),
    target,
  ];
  await writeResult('start', 'Start and memory', [
    `\`npm start\` until it prints that it is ready; ${ROUNDS} rounds of an empty data folder (the model is in the cache; it is ready once`,
    'the demo is searchable) and a second start on it. Memory is read after the demo, in millions of bytes: proportional set size of',
    `the whole tree of processes, npm and PostgreSQL included, at that moment and ${REST_MS / 1000} s later, when the database connections that`,
    'the demo took are closed again; and of the server’s own process, the model and the vector server included.',
    '',
    table(
      ['', 'median', 'lowest–highest', 'target'],
      [
        row('cold start, s', cold, 1, '< 15'),
        row('warm start, s', warm, 1, '< 3'),
        row('memory of all processes when it is ready, MB', tree, 0, '—'),
        row('memory of all processes at rest, MB', rested, 0, '< 450'),
        row('memory of the server process at rest, MB', server, 0, '—'),
      ],
    ),
  ]);
}

async function start(dataDir: string): Promise<Started> {
  const startedAt = performance.now();
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...process.env, KINDRED_DATA_DIR: dataDir, PORT: '0', KINDRED_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await saysReady(npm);
  const seconds = (performance.now() - startedAt) / 1000;
  const pids = descendants(npm.pid as number);
  const serverPid = pids.find((pid) => commandOf(pid).includes('dist/cli.js\0serve')) ?? 0;
  return {
    seconds,
    memory: () => ({
      tree: pids.reduce((sum, pid) => sum + residentBytes(pid), 0),
      server: residentBytes(serverPid),
    }),
    stop: async () => {
      const exited = once(npm, 'exit');
      process.kill(serverPid, 'SIGTERM');
      await exited;
    },
  };
}

function saysReady(npm: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const timer = setTimeout(() => reject(new Error(`npm start was not ready after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    npm.once('exit', (code) => reject(new Error(`npm start ended with code ${code}`)));
    npm.stdout?.on('data', (data: Buffer) => {
      printed += data.toString();
      if (!printed.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The process and all that it started, as Linux knows them. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    for (const [pid, parent] of parents) if (parent === found[at]) found.push(pid);
  }
  return found;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
