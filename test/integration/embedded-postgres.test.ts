import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres, startThrowawayPostgres } from '../../src/adapters/embedded-postgres';
import { isServerOf, readPostmasterFile } from '../../src/adapters/embedded-postgres/postmaster-file';

const ROOT = path.resolve(__dirname, '..', '..');
const DIST = path.join(ROOT, 'dist');
const PLATFORM_PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

let folder: string;
const children = new Set<ChildProcess>();

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'embedded-postgres-test-'));
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A program that owns a server, in a process of its own, as the command line does. */
const OWNER = `
const [entry, options, onInterrupt] = process.argv.slice(1);
const { startEmbeddedPostgres } = require(entry);
const say = (message) => console.log(JSON.stringify(message));
startEmbeddedPostgres(JSON.parse(options)).then(
  (server) => {
    const timer = setInterval(() => {}, 1000);
    process.once('SIGINT', async () => {
      const { Client } = require(onInterrupt);
      const client = new Client(server.connection);
      await client.connect();
      say({ answered: (await client.query('SELECT 40 + 2 AS sum')).rows[0].sum });
      await client.end();
      await server.stop();
      clearInterval(timer);
    });
    say({ url: server.url, host: server.connection.host });
  },
  (error) => say({ code: error.code, message: error.message }),
);
`;

interface OwnerMessage {
  url?: string;
  host?: string;
  code?: string;
  message?: string;
  answered?: number;
}

interface Owner {
  child: ChildProcess;
  /** What it says first: where its server is, or why there is none. */
  next(): Promise<OwnerMessage>;
  ended: Promise<void>;
}

function startOwner(dataDir: string, how: { dist?: string; uid?: number; env?: NodeJS.ProcessEnv } = {}): Owner {
  const dist = how.dist ?? DIST;
  const child = spawn(
    process.execPath,
    ['-e', OWNER, path.join(dist, 'adapters', 'embedded-postgres'), JSON.stringify({ dataDir }), require.resolve('pg')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
      detached: true,
      ...(how.uid === undefined ? {} : { uid: how.uid, gid: how.uid }),
      ...(how.env === undefined ? {} : { env: how.env }),
    },
  );
  children.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    next: async () => {
      const line = await lines.next();
      if (line.done === true) throw new Error('the owner ended without a word');
      return JSON.parse(line.value) as OwnerMessage;
    },
    ended: new Promise((resolve) =>
      child.once('close', () => {
        children.delete(child);
        resolve();
      }),
    ),
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(10);
  }
}

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

const clusterOf = (dataDir: string): string => path.join(dataDir, 'cluster');

function serverPid(dataDir: string): number {
  const file = readPostmasterFile(clusterOf(dataDir));
  if (file === undefined) throw new Error(`no server runs on ${dataDir}`);
  return file.pid;
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
}

describe('an embedded server', () => {
  it('starts cold, keeps its data and starts warm, whatever the folder is called', async () => {
    const dataDir = path.join(folder, "a folder with spaces, 'quotes' and umlauts: größer", 'x'.repeat(180), 'data');
    const cold = await startEmbeddedPostgres({ dataDir });
    await query(cold.url, 'CREATE TABLE note (text text)');
    await query(cold.url, "INSERT INTO note VALUES ('kept')");
    await cold.stop();
    await cold.stop();
    expect(fs.existsSync(cold.connection.host)).toBe(false);

    const warm = await startEmbeddedPostgres({ dataDir, settings: { work_mem: '7MB' } });
    try {
      const client = new Client(warm.connection);
      await client.connect();
      expect((await client.query('SELECT text FROM note')).rows).toEqual([{ text: 'kept' }]);
      expect((await client.query('SHOW work_mem')).rows).toEqual([{ work_mem: '7MB' }]);
      await client.end();
    } finally {
      await warm.stop();
    }
  });

  it('is reachable by its owner only, is no superuser, and never drops an acknowledged write', async () => {
    const dataDir = path.join(folder, 'privileges');
    const server = await startEmbeddedPostgres({ dataDir });
    try {
      expect(fs.statSync(server.connection.host).mode & 0o777).toBe(0o700);
      expect(fs.statSync(clusterOf(dataDir)).mode & 0o777).toBe(0o700);
      const [row] = await query(
        server.url,
        `SELECT rolsuper, current_setting('listen_addresses') AS addresses, current_setting('fsync') AS fsync,
                current_setting('synchronous_commit') AS commit, lower('ÀÉΣ') AS lower, current_database() AS database,
                pg_encoding_to_char(encoding) AS encoding
         FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`,
      );
      expect(row).toEqual({
        rolsuper: false,
        addresses: '',
        fsync: 'on',
        commit: 'on',
        lower: 'àéσ',
        database: 'kindred',
        encoding: 'UTF8',
      });
      const superuser = new Client({ ...server.connection, user: 'postgres', database: 'postgres' });
      await expect(superuser.connect()).rejects.toThrow(/pg_hba/);
      expect(process.getuid?.() === 0 ? fs.statSync(clusterOf(dataDir)).uid : 1).not.toBe(0);
    } finally {
      await server.stop();
    }
  });

  it('refuses a second start on one folder, from this process and from another', async () => {
    const dataDir = path.join(folder, 'twice');
    const server = await startEmbeddedPostgres({ dataDir });
    try {
      const pid = serverPid(dataDir);
      await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
        code: 'DATA_FOLDER_IN_USE',
        message: expect.stringContaining(String(pid)),
      });
      const other = startOwner(dataDir);
      expect(await other.next()).toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
      await other.ended;
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await server.stop();
    }
  });
});

describe('when its owner', () => {
  it('is killed with SIGKILL, the server ends, and the next start has every acknowledged write', async () => {
    const dataDir = path.join(folder, 'killed');
    const owner = startOwner(dataDir);
    const { url = '', host = '' } = await owner.next();
    const pid = serverPid(dataDir);
    await query(url, 'CREATE TABLE note (text text)');
    await query(url, "INSERT INTO note VALUES ('acknowledged')");
    owner.child.kill('SIGKILL');
    await owner.ended;
    await until('the server has ended', () => !isServerOf(pid, clusterOf(dataDir)));
    await until('its socket is gone', () => !fs.existsSync(host));

    const again = await startEmbeddedPostgres({ dataDir });
    try {
      expect(await query(again.url, 'SELECT text FROM note')).toEqual([{ text: 'acknowledged' }]);
    } finally {
      await again.stop();
    }
  });

  it('and the watchdog are both killed with SIGKILL, the next start ends the server that is left', async () => {
    const dataDir = path.join(folder, 'orphan');
    const owner = startOwner(dataDir);
    const { url = '', host = '' } = await owner.next();
    await query(url, 'CREATE TABLE note (text text)');
    const pid = serverPid(dataDir);
    const watchdog = parentOf(pid);
    const watchers = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([child, parent]) => parent === watchdog && child !== pid)
      .map(([child]) => child ?? 0);
    expect(watchers).toHaveLength(1);
    for (const victim of [...watchers, watchdog]) process.kill(victim, 'SIGKILL');
    owner.child.kill('SIGKILL');
    await owner.ended;
    expect(isServerOf(pid, clusterOf(dataDir))).toBe(true);

    const again = await startEmbeddedPostgres({ dataDir });
    try {
      expect(isServerOf(pid, clusterOf(dataDir))).toBe(false);
      expect(fs.existsSync(host)).toBe(false);
      expect(await query(again.url, 'SELECT text FROM note')).toEqual([]);
    } finally {
      await again.stop();
    }
  });

  it('gets ^C in a terminal, the server keeps answering until the owner stops it', async () => {
    const dataDir = path.join(folder, 'interrupted');
    const owner = startOwner(dataDir);
    await owner.next();
    // A terminal signals every process of its foreground group.
    process.kill(-(owner.child.pid ?? 0), 'SIGINT');
    expect(await owner.next()).toEqual({ answered: 42 });
    await owner.ended;
    expect(readPostmasterFile(clusterOf(dataDir))).toBeUndefined();
  });

  it('is killed while the cluster is being made, the next start makes it anew', async () => {
    const dataDir = path.join(folder, 'half-made');
    const drafts = (): string[] =>
      fs.existsSync(dataDir) ? fs.readdirSync(dataDir).filter((name) => name.startsWith('cluster.init-')) : [];
    const owner = startOwner(dataDir);
    await until('initdb is at work', () => drafts().some((name) => fs.existsSync(path.join(dataDir, name, 'base'))));
    owner.child.kill('SIGKILL');
    await owner.ended;
    expect(fs.existsSync(clusterOf(dataDir))).toBe(false);

    const server = await startEmbeddedPostgres({ dataDir });
    try {
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(drafts()).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

describe('a stale process id', () => {
  it('does not stop a start, neither after a crash nor when another program now has it', async () => {
    const dataDir = path.join(folder, 'stale');
    const first = await startEmbeddedPostgres({ dataDir });
    await query(first.url, 'CREATE TABLE note (text text)');
    process.kill(serverPid(dataDir), 'SIGKILL');
    await first.exited;
    const left = readPostmasterFile(clusterOf(dataDir));
    expect(left?.status).toBe('ready');

    const owner = fs.statSync(clusterOf(dataDir));
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore', ...(IS_ROOT ? { uid: owner.uid, gid: owner.gid } : {}) });
    children.add(sleeper);
    const gone = new Promise((resolve) => sleeper.once('exit', resolve));
    try {
      const text = [String(sleeper.pid), ...(left?.text.split('\n').slice(1) ?? [])].join('\n');
      fs.writeFileSync(path.join(clusterOf(dataDir), 'postmaster.pid'), text);
      const second = await startEmbeddedPostgres({ dataDir });
      try {
        expect(await query(second.url, 'SELECT text FROM note')).toEqual([]);
        expect(sleeper.exitCode).toBeNull();
      } finally {
        await second.stop();
      }
    } finally {
      sleeper.kill('SIGKILL');
      await gone;
      children.delete(sleeper);
    }
  });
});

describe('a folder that cannot be used', () => {
  it('of another major version is named with both versions, and left as it was', async () => {
    const dataDir = path.join(folder, 'old-version');
    fs.mkdirSync(clusterOf(dataDir), { recursive: true });
    fs.writeFileSync(path.join(clusterOf(dataDir), 'PG_VERSION'), '15\n');
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/PostgreSQL 15.*18/),
    });
    expect(fs.readdirSync(clusterOf(dataDir))).toEqual(['PG_VERSION']);
  });

  it('that holds something else says so', async () => {
    const dataDir = path.join(folder, 'not-a-cluster');
    fs.mkdirSync(clusterOf(dataDir), { recursive: true });
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('PG_VERSION'),
    });
    const file = path.join(folder, 'a-file');
    fs.writeFileSync(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('has a setting that the server refuses: its own words are in the message', async () => {
    const dataDir = path.join(folder, 'bad-setting');
    await expect(startEmbeddedPostgres({ dataDir, settings: { work_mem: 'plenty' } })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('work_mem'),
    });
    const server = await startEmbeddedPostgres({ dataDir });
    await server.stop();
  });
});

describe('an installation', () => {
  /** A copy that any user can read and nobody can write, whose package was installed without its scripts. */
  function copyInstallation(name: string, hasPackage: boolean): string {
    const to = path.join(folder, name);
    const modules = path.join(to, 'node_modules');
    for (const part of ['@photostructure/sqlite', 'node-gyp-build', ...(hasPackage ? [PLATFORM_PACKAGE] : [])]) {
      const from = path.join(ROOT, 'node_modules', part);
      const options = { recursive: true, verbatimSymlinks: true };
      if (fs.existsSync(from)) fs.cpSync(from, path.join(modules, part), options);
    }
    for (const part of ['adapters/embedded-postgres', 'adapters/file-lock', 'kernel']) {
      fs.cpSync(path.join(DIST, part), path.join(to, 'dist', part), { recursive: true });
    }
    if (hasPackage) {
      const lib = path.join(modules, PLATFORM_PACKAGE, 'native', 'lib');
      for (const entry of fs.readdirSync(lib, { withFileTypes: true })) {
        if (entry.isSymbolicLink()) fs.rmSync(path.join(lib, entry.name));
      }
    }
    execFileSync('chmod', ['-R', 'a+rX,a-w', to]);
    fs.chmodSync(folder, 0o755);
    return path.join(to, 'dist');
  }

  afterAll(() => {
    execFileSync('chmod', ['-R', 'u+w', folder]);
  });

  it('without the platform package says how to get it or go without', async () => {
    const owner = startOwner(path.join(folder, 'no-package'), { dist: copyInstallation('bare', false) });
    const answer = await owner.next();
    expect(answer.code).toBe('CONFIGURATION');
    expect(answer.message).toContain(PLATFORM_PACKAGE);
    expect(answer.message).toContain('DATABASE_URL');
    await owner.ended;
  });

  it('that is read-only and was made with --ignore-scripts works for an ordinary user', async () => {
    const dist = copyInstallation('read-only', true);
    const home = path.join(folder, 'home');
    fs.mkdirSync(home);
    if (IS_ROOT) fs.chownSync(home, NOBODY, NOBODY);
    const how = { dist, env: { HOME: home, PATH: process.env['PATH'] }, ...(IS_ROOT ? { uid: NOBODY } : {}) };
    const dataDir = path.join(home, 'data');
    const owner = startOwner(dataDir, how);
    const { url = '', code, message } = await owner.next();
    expect({ code, message }).toEqual({});
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(fs.statSync(clusterOf(dataDir)).uid).toBe(IS_ROOT ? NOBODY : process.getuid?.());
    expect(fs.readdirSync(path.join(home, '.cache', 'kindred', 'postgres'))).toHaveLength(1);
    process.kill(-(owner.child.pid ?? 0), 'SIGINT');
    await owner.ended;

    fs.mkdirSync(path.join(folder, 'closed'), { mode: 0o500 });
    const refused = startOwner(path.join(folder, 'closed', 'data'), how);
    const answer = await refused.next();
    expect(answer.code).toBe('CONFIGURATION');
    expect(answer.message).toMatch(/permission denied.*KINDRED_DATA_DIR/);
    await refused.ended;

    if (IS_ROOT) {
      // Root takes over an ordinary user's folder without taking it away from that user.
      const asRoot = startOwner(dataDir);
      const again = await asRoot.next();
      expect(await query(again.url ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      asRoot.child.kill('SIGINT');
      await asRoot.ended;
      expect(fs.statSync(clusterOf(dataDir)).uid).toBe(NOBODY);
    }
  });
});

describe('throwaway servers', () => {
  it('start side by side from an empty cache, apart from each other, and leave nothing', async () => {
    const cacheDir = path.join(folder, 'cache');
    fs.chmodSync(folder, 0o755);
    const servers = await Promise.all([1, 2, 3].map(() => startThrowawayPostgres({ cacheDir })));
    try {
      await Promise.all(servers.map(({ url }, index) => query(url, `CREATE TABLE only_${index} ()`)));
      for (const [index, { url }] of servers.entries()) {
        const tables = await query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
        expect(tables).toEqual([{ tablename: `only_${index}` }]);
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
    expect(servers.filter(({ connection }) => fs.existsSync(connection.host))).toEqual([]);
    expect(fs.readdirSync(path.join(cacheDir, 'postgres')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
