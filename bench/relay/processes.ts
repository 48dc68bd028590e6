import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { onDatabase } from './stores';

const REGISTER = path.resolve(__dirname, '..', '..', 'scripts', 'register-typescript.js');
const TICKS_A_SECOND = 100;

export interface StoreTargets {
  databaseUrl: string;
  qdrantUrl: string;
  prefix: string;
}

type Script = ChildProcess & { stdout: NodeJS.ReadableStream };

/** Runs a script of this folder in a process of its own. */
export function startScript(name: string, options: object, profileFolder?: string): Script {
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  return spawn(process.execPath, [...profile, '-r', REGISTER, path.join(__dirname, name), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

export interface RelayProcess {
  pid: number;
  begin(): Promise<void>;
  /** Ends what is under way and takes nothing new until it is to begin again. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

/** A relay in a process of its own, ready to begin; `modelMs` is what a call of its model takes. `BENCH_PROFILE=folder` writes its processor profile there. */
export async function startRelayProcess(targets: StoreTargets, modelMs = 0): Promise<RelayProcess> {
  const child = startScript('relay-process.ts', { ...targets, modelMs }, process.env['BENCH_PROFILE']);
  const lines = linesOf(child);
  await lines.next();
  const say = async (line: string): Promise<void> => {
    child.stdin?.write(`${line}\n`);
    await lines.next();
  };
  return {
    pid: child.pid ?? 0,
    begin: () => say('begin'),
    pause: () => say('pause'),
    stop: async () => {
      const exited = once(child, 'exit');
      child.stdin?.end();
      await exited;
    },
  };
}

/** What a script says, line by line. @throws when it ends before it has said the line that is waited for */
export async function* linesOf(child: Script): AsyncGenerator<string, never> {
  for await (const line of readline.createInterface(child.stdout)) yield line;
  throw new Error('a process of the bench ended early');
}

/** Processor seconds that a process has used; 0 where the system does not say. */
export function processorSeconds(pid: number): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? 0) + (system ?? 0)) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}

/** The process that all sessions of a PostgreSQL server come from. */
export async function serverProcess(databaseUrl: string): Promise<number> {
  const backend = await onDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return parentOf(rows[0]?.pid ?? 0);
  });
  return backend;
}

/** Processor seconds of a process and its children, those that have ended included. */
export function familySeconds(pid: number): number {
  try {
    const children = childrenOf(pid);
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [ownUser, ownSystem, endedUser, endedSystem] = fields.split(' ').slice(11, 15).map(Number);
    const ticks = (ownUser ?? 0) + (ownSystem ?? 0) + (endedUser ?? 0) + (endedSystem ?? 0);
    return children.reduce((sum, child) => sum + processorSeconds(child), ticks / TICKS_A_SECOND);
  } catch {
    return 0;
  }
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((candidate) => candidate > 0 && parentOf(candidate) === pid);
}

/** Memory that a process has for itself; 0 where the system does not say. */
export function privateBytes(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function parentOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
}
