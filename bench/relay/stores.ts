import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres';

const CLI = path.resolve(__dirname, '..', '..', 'dist', 'cli.js');
const DEBIAN = '/usr/lib/postgresql';
/** Who runs a native server when this process is root, which PostgreSQL refuses. */
const NOBODY = 65_534;
const STARTING_MS = 20_000;

export interface BenchPostgres {
  name: string;
  /** Makes a database of that name. @returns its URL */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface BenchQdrant {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** The embedded vector server in a process of its own, so that its time is told apart. */
export async function startQdrant(folder: string): Promise<BenchQdrant> {
  const child = spawn(process.execPath, [CLI, 'vector-server', '--data', folder, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    readline.createInterface(child.stdout).on('line', (line) => {
      const [, found] = /Listening on (\S+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the vector server ended with ${code}`)));
  });
  return { url, pid: child.pid ?? 0, stop: () => end(child, 'SIGTERM') };
}

/** The embedded PostgreSQL, flushing as it does for users. */
export async function startEmbedded(folder: string): Promise<BenchPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: folder });
  const admin = server.url;
  return {
    name: 'the embedded PostgreSQL',
    database: (name) => createDatabase(admin, name, admin.replace(/@\/[^?]*/, `@/${name}`)),
    stop: () => server.stop(),
  };
}

/** A PostgreSQL that this machine has installed, with its default settings; undefined where there is none. */
export async function startNative(): Promise<BenchPostgres | undefined> {
  const bin = nativeBinaries();
  if (bin === undefined) return undefined;
  const isRoot = process.getuid?.() === 0;
  const owner = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kindred-native-'));
  const data = path.join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) for (const made of [folder, data]) chownSync(made, NOBODY, NOBODY);
  const initdb = spawn(path.join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8'], {
    ...owner,
    cwd: folder,
    stdio: 'ignore',
  });
  const [code] = (await once(initdb, 'exit')) as [number];
  if (code !== 0) throw new Error(`initdb ended with ${code}`);
  const arguments_ = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'shared_buffers=256MB'];
  const server = spawn(path.join(bin, 'postgres'), arguments_, { ...owner, cwd: folder, stdio: 'ignore' });
  const admin = `postgres://postgres@/postgres?host=${encodeURIComponent(folder)}`;
  const [version] = await untilAnswered(admin);
  return {
    name: `PostgreSQL ${version} of this machine`,
    database: (name) => createDatabase(admin, name, admin.replace('@/postgres', `@/${name}`)),
    stop: async () => {
      await end(server, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function nativeBinaries(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return versions
    .map((version) => path.join(DEBIAN, version, 'bin'))
    .find((bin) => existsSync(path.join(bin, 'initdb')));
}

async function untilAnswered(url: string): Promise<[string]> {
  const deadline = performance.now() + STARTING_MS;
  for (;;) {
    try {
      return await onDatabase(url, async (client) => {
        const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
        return [rows[0]?.server_version.split(' ')[0] ?? ''];
      });
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

export async function onDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function createDatabase(admin: string, name: string, url: string): Promise<string> {
  await onDatabase(admin, (client) => client.query(`CREATE DATABASE ${name}`));
  return url;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** A folder for one run, gone after it. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = path.join(os.tmpdir(), `kindred-bench-relay-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
