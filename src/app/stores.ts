import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { startEmbeddedPostgres } from '../adapters/embedded-postgres';
import { startEmbeddedQdrant } from '../adapters/embedded-qdrant';
import { acquireFileLock } from '../adapters/file-lock';
import type { Environment } from '../config/environment';
import { DomainError } from '../kernel/errors/domain-error';
import type { Logger } from '../kernel/logging/logger';
import { claimDataFolder, readRuntime, type DataFolderClaim } from '../kernel/process/data-folder';

/** Where PostgreSQL and Qdrant are, and who has to stop them. */
export interface Stores {
  databaseUrl: string;
  qdrantUrl: string;
  qdrantApiKey?: string;
  /** `named`: by the settings. `started`: what is embedded runs in this process. `attached`: another instance runs it. */
  origin: 'named' | 'started' | 'attached';
  /** Tells commands on the same data folder where to reach this instance. */
  publish(url: string | undefined): void;
  /** Resolves when an embedded server ended without having been asked to. */
  failed: Promise<string>;
  close(): Promise<void>;
}

const never = new Promise<string>(() => undefined);

function external(environment: Environment): Stores | undefined {
  const { databaseUrl, qdrant } = environment;
  if (databaseUrl === undefined || qdrant.url === undefined) return undefined;
  return {
    databaseUrl,
    qdrantUrl: qdrant.url,
    qdrantApiKey: qdrant.apiKey,
    origin: 'named',
    publish: () => undefined,
    failed: never,
    close: () => Promise.resolve(),
  };
}

/**
 * The stores that the settings name; those they do not name are started in this process on the data folder.
 * @throws DATA_FOLDER_IN_USE when another instance runs on it
 */
export async function startStores(environment: Environment, logger: Logger): Promise<Stores> {
  const named = external(environment);
  if (named) return named;
  const claim = await claimDataFolder(environment.dataDir, acquireFileLock);
  const closers: (() => Promise<unknown>)[] = [() => Promise.resolve(claim.release())];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await startEmbedded(environment, logger, claim, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function startEmbedded(
  environment: Environment,
  logger: Logger,
  claim: DataFolderClaim,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Stores> {
  let isClosing = false;
  const failures: Promise<string>[] = [];
  const watch = (server: { exited: Promise<void> }, name: string): void => {
    failures.push(server.exited.then(() => (isClosing ? never : `The embedded ${name} ended unexpectedly.`)));
  };
  const postgres = async (): Promise<string> => {
    if (environment.databaseUrl !== undefined) return environment.databaseUrl;
    const server = await startEmbeddedPostgres({
      dataDir: path.join(environment.dataDir, 'postgres'),
      log: (line) => logger.debug({ part: 'postgres' }, line),
    });
    watch(server, 'PostgreSQL');
    closers.push(() => server.stop());
    return server.url;
  };
  const qdrant = async (): Promise<{ url: string; apiKey?: string }> => {
    const { url, apiKey } = environment.qdrant;
    if (url !== undefined) return { url, apiKey };
    // Loopback is open to every user of the machine; the key is known to whoever may read the data folder.
    const ownKey = randomBytes(24).toString('base64url');
    const server = await startEmbeddedQdrant({
      dataDir: path.join(environment.dataDir, 'qdrant'),
      apiKey: ownKey,
      log: { error: (message) => logger.error({ part: 'qdrant' }, message) },
    });
    watch(server, 'vector server');
    closers.push(() => server.close());
    return { url: server.url, apiKey: ownKey };
  };
  const [database, vectors] = await Promise.allSettled([postgres(), qdrant()]);
  if (database.status === 'rejected') throw database.reason;
  if (vectors.status === 'rejected') throw vectors.reason;
  const startedAt = new Date().toISOString();
  return {
    databaseUrl: database.value,
    qdrantUrl: vectors.value.url,
    qdrantApiKey: vectors.value.apiKey,
    origin: 'started',
    publish: (url) =>
      claim.publish({
        pid: process.pid,
        url,
        databaseUrl: database.value,
        qdrantUrl: vectors.value.url,
        qdrantApiKey: vectors.value.apiKey,
        startedAt,
      }),
    failed: Promise.race(failures),
    close: () => {
      isClosing = true;
      return close();
    },
  };
}

/** The stores of the instance that runs on the data folder; started here when none does. For commands beside a server. */
export async function attachStores(environment: Environment, logger: Logger): Promise<Stores> {
  const named = external(environment);
  if (named) return named;
  const attach = (): Stores | undefined => {
    const runtime = readRuntime(environment.dataDir, acquireFileLock);
    if (!runtime) return undefined;
    return {
      databaseUrl: environment.databaseUrl ?? runtime.databaseUrl,
      qdrantUrl: environment.qdrant.url ?? runtime.qdrantUrl,
      qdrantApiKey: environment.qdrant.url === undefined ? runtime.qdrantApiKey : environment.qdrant.apiKey,
      origin: 'attached',
      publish: () => undefined,
      failed: never,
      close: () => Promise.resolve(),
    };
  };
  const running = attach();
  if (running) return running;
  try {
    const stores = await startStores(environment, logger);
    stores.publish(undefined);
    return stores;
  } catch (error) {
    // Another instance may have begun to start between the look and the claim.
    const started = error instanceof DomainError && error.code === 'DATA_FOLDER_IN_USE' ? attach() : undefined;
    if (started) return started;
    throw error;
  }
}
