import { Worker } from 'node:worker_threads';
import { type EmbedOptions, ModelUnavailableError, urgencyOf } from '../../kernel/model/embedder';
import { entryFile } from '../../kernel/process/entry-file';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages';

interface PendingRequest {
  resolve: (vectors: Float32Array<ArrayBuffer>) => void;
  reject: (error: Error) => void;
}

const CLOSE_TIMEOUT_MS = 5_000;

/** One worker thread with the model in it, from start to exit. A thread that died stays dead; start another. */
export class ModelThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, PendingRequest>();
  private readonly exited: Promise<void>;
  private nextId = 1;
  private deathCause: Error | undefined;

  /** Settles once the model is in memory, or cannot be. */
  readonly loaded: Promise<void>;

  constructor(settings: WorkerSettings, { onDeath, workerFile }: { onDeath: () => void; workerFile?: string }) {
    this.worker = new Worker(workerFile ?? entryFile(__filename, './embedding.worker'), { workerData: settings });
    let onLoaded: () => void = () => undefined;
    let onLoadFailed: (error: Error) => void = () => undefined;
    this.loaded = new Promise<void>((resolve, reject) => {
      onLoaded = resolve;
      onLoadFailed = reject;
    });
    this.worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'loaded':
          onLoaded();
          this.releaseProcessIfIdle();
          break;
        case 'load-failed':
          this.deathCause = new ModelUnavailableError(message.message);
          onLoadFailed(this.deathCause);
          break;
        case 'embedded':
          this.settle(message.id)?.resolve(message.vectors);
          break;
        case 'failed':
          this.settle(message.id)?.reject(
            new ModelUnavailableError(`The local embedding model failed: ${message.message}`),
          );
          break;
      }
    });
    this.worker.on('error', (error) => {
      this.deathCause ??= new ModelUnavailableError(`The local embedding model crashed: ${error.message}`, error);
    });
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        const cause = this.deathCause ?? new ModelUnavailableError(`The local embedding model stopped (code ${code})`);
        onLoadFailed(cause);
        for (const request of this.pending.values()) request.reject(cause);
        this.pending.clear();
        onDeath();
        resolve();
      });
    });
    // A failure to load is for whoever waits for it; nobody may be waiting when close() comes first.
    this.loaded.catch(() => undefined);
  }

  /** Embeds texts; the answer holds the vectors behind each other. An abort takes the request out of the queue. */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array<ArrayBuffer>> {
    const { signal } = options;
    const id = this.nextId++;
    return new Promise<Float32Array<ArrayBuffer>>((resolve, reject) => {
      const onAbort = (): void => {
        this.send({ kind: 'cancel', id });
        this.settle(id)?.reject(signal?.reason as Error);
      };
      const stopListening = (): void => signal?.removeEventListener('abort', onAbort);
      this.pending.set(id, {
        resolve: (vectors) => {
          stopListening();
          resolve(vectors);
        },
        reject: (error) => {
          stopListening();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort);
      this.worker.ref();
      this.send({ kind: 'embed', id, texts, urgency: urgencyOf(options) });
    });
  }

  /** Lets the running batch end, then frees the model; a thread that does not end by itself is stopped. */
  async close(): Promise<void> {
    this.deathCause ??= new ModelUnavailableError('The local embedding model was closed');
    this.worker.ref();
    this.send({ kind: 'close' });
    const timer = setTimeout(() => void this.worker.terminate(), CLOSE_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private settle(id: number): PendingRequest | undefined {
    const request = this.pending.get(id);
    this.pending.delete(id);
    this.releaseProcessIfIdle();
    return request;
  }

  /** An idle model must not keep a command alive that has finished its work. */
  private releaseProcessIfIdle(): void {
    if (this.pending.size === 0) this.worker.unref();
  }
}
