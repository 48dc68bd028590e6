import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { eventually, PATIENCE_MS } from './eventually';

const CLI = path.resolve(__dirname, '..', '..', '..', 'dist', 'cli.js');

/** What a process needs of the surroundings; nothing that could be a setting. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The compiled program, running in a folder of its own. */
export interface Program {
  pid: number;
  stdout(): string;
  stderr(): string;
  /** The structured part of what it logged. */
  logs(): { level: string; msg: string; [field: string]: unknown }[];
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
  hasEnded(): boolean;
  /** The address that it prints when it is ready. @throws with what it printed, when it ends before that */
  ready(): Promise<string>;
}

export interface ProgramOptions {
  env?: Record<string, string>;
  /** For Node itself, before the program. */
  nodeOptions?: string[];
}

const programs = new Set<{ child: ChildProcess; program: Program }>();
const folders = new Set<string>();

/** A new empty folder, gone after the test file. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'kindred-e2e-')));
  folders.add(folder);
  return folder;
}

/** Starts `kindred …args`, on the data folder `folder`/data, with the deterministic embedder unless told otherwise. */
export function startProgram(folder: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), CLI, ...args], {
    cwd: folder,
    env: {
      ...inherited,
      KINDRED_DATA_DIR: dataFolder(folder),
      KINDRED_EMBEDDER: 'deterministic',
      PORT: '0',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      isOver = true;
      resolve({ code, signal });
    });
  });
  const program: Program = {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    logs: () =>
      stderr.split('\n').flatMap((line) => {
        try {
          return [JSON.parse(line) as { level: string; msg: string }];
        } catch {
          return [];
        }
      }),
    kill: (signal) => child.kill(signal),
    ended,
    hasEnded: () => isOver,
    ready: () =>
      eventually('the address', () => {
        const url = /GraphQL\s+(http:\/\/\S+)\/graphql/.exec(stdout)?.[1];
        if (url === undefined && isOver) throw new Error(`it ended before it was ready:\n${stdout}\n${stderr}`);
        return url;
      }),
  };
  programs.add({ child, program });
  return program;
}

export interface Finished extends Ended {
  stdout: string;
  stderr: string;
}

/** Runs `kindred …args` to its end. */
export async function runProgram(
  folder: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Finished> {
  const program = startProgram(folder, args, options);
  const ended = await program.ended;
  return { ...ended, stdout: program.stdout(), stderr: program.stderr() };
}

export function dataFolder(folder: string): string {
  return path.join(folder, 'data');
}

export interface RuntimeFile {
  pid: number;
  url?: string;
  databaseUrl: string;
  qdrantUrl: string;
  qdrantApiKey?: string;
}

/** What the running instance tells other commands; undefined while there is none. */
export function readRuntime(folder: string): RuntimeFile | undefined {
  const file = path.join(dataFolder(folder), 'runtime.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RuntimeFile) : undefined;
}

/** PostgreSQL processes that work in the data folder, and its watchdog. Through /proc, so on Linux only. */
export function postgresProcesses(folder: string): number[] {
  const pids = existsSync('/proc/self/cwd') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return pids.map(Number).filter((pid) => {
    try {
      return pid !== process.pid && readlinkSync(`/proc/${pid}/cwd`).startsWith(dataFolder(folder));
    } catch {
      return false;
    }
  });
}

/** Waits until no PostgreSQL server is left on the data folder. @throws when one stays */
export async function expectNoPostgres(folder: string): Promise<void> {
  await eventually(`the PostgreSQL server of ${folder} to end`, () =>
    postgresProcesses(folder).length === 0 ? true : undefined,
  );
}

/** Ends what a failed test left running, and removes the folders. For `afterAll`. */
export async function cleanUp(): Promise<void> {
  for (const { child, program } of programs) {
    if (!program.hasEnded()) child.kill('SIGKILL');
    await program.ended;
  }
  programs.clear();
  for (const folder of folders) {
    await eventually(
      'PostgreSQL to end',
      () => (postgresProcesses(folder).length === 0 ? true : undefined),
      PATIENCE_MS,
    );
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
  folders.clear();
}
