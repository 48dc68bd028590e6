import type { ErrorCode } from '../../kernel/errors/domain-error';

/** What the worker thread is started with. */
export interface WorkerOptions {
  dataDir: string;
  host: string;
  port: number;
  apiKey: string | undefined;
}

export type FromWorker =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: ErrorCode; message: string }
  | { type: 'fault'; message: string };

export type ToWorker = { type: 'close' };
