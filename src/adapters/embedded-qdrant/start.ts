import { isIP } from 'node:net';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { DomainError } from '../../kernel/errors/domain-error';
import { entryFile } from '../../kernel/process/entry-file';
import type { FromWorker, ToWorker, WorkerOptions } from './messages';

export interface EmbeddedQdrantOptions {
  /** Folder for the data, made when missing; `:memory:` keeps nothing. */
  dataDir: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default `127.0.0.1`. Any other than a loopback address needs an `apiKey`. */
  host?: string;
  /** When set, every request but version and health must bring it, as `api-key` or bearer token. */
  apiKey?: string;
  /** Told of faults of the server itself; refusals of bad requests are not faults. */
  log?: { error(message: string): void };
}

export interface EmbeddedQdrant {
  url: string;
  port: number;
  /** Resolves when the server is gone, whether it was closed or ended by itself. */
  exited: Promise<void>;
  /** Resolves once everything acknowledged is on disk and the folder is free again. */
  close(): Promise<void>;
}

/**
 * Starts a server that speaks Qdrant's REST API, in a thread of its own.
 * @throws DomainError `DATA_FOLDER_IN_USE` another process has the folder open; `DATA_DAMAGED` a stored file is not what
 * was written, the message names it; `CONFIGURATION` the port is taken, or the address needs an API key
 */
export async function startEmbeddedQdrant(options: EmbeddedQdrantOptions): Promise<EmbeddedQdrant> {
  const { host = '127.0.0.1', port = 0, apiKey, dataDir } = options;
  if (apiKey === undefined && !isLoopback(host)) {
    throw new DomainError('CONFIGURATION', `The embedded vector server does not listen on ${host} without an API key.`);
  }
  if (apiKey === '') throw new DomainError('CONFIGURATION', 'The API key of the embedded vector server is empty.');
  const workerData: WorkerOptions = {
    dataDir: dataDir === ':memory:' ? dataDir : path.resolve(dataDir),
    host,
    port,
    apiKey,
  };
  const worker = new Worker(entryFile(__filename, './server.worker'), { workerData });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const log = options.log ?? { error: () => {} };
  const listening = await started(worker, log);
  let isClosing = false;
  worker.once('exit', (code) => {
    if (!isClosing) log.error(`the embedded vector server stopped with code ${code}`);
  });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening}`,
    port: listening,
    exited,
    close: async () => {
      if (!isClosing) worker.postMessage({ type: 'close' } satisfies ToWorker);
      isClosing = true;
      await exited;
    },
  };
}

function started(worker: Worker, log: { error(message: string): void }): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'listening') resolve(message.port);
      else if (message.type === 'failed') reject(startFailure(message));
      else log.error(message.message);
    });
    worker.on('error', (error) => {
      log.error(`the embedded vector server failed: ${error.stack ?? error.message}`);
      reject(error);
    });
    worker.once('exit', (code) =>
      reject(new DomainError('INTERNAL', `the embedded vector server ended with code ${code}`)),
    );
  });
}

function startFailure({ code, message }: { code: DomainError['code']; message: string }): DomainError {
  const isAddress = /EADDRINUSE|EACCES|EADDRNOTAVAIL/.test(message);
  return new DomainError(isAddress ? 'CONFIGURATION' : code, message);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
