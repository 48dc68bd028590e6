import OpenAI from 'openai';
import { DomainError } from '../../kernel/errors/domain-error';
import {
  type Embedder,
  type EmbedOptions,
  type ModelDescriptor,
  urgencyOf,
  ModelRejectedError,
  ModelUnavailableError,
  TextTooLongError,
} from '../../kernel/model/embedder';
import { readEmbeddings } from './embedding-answer';
import { knownModels } from './openai-models';
import { classifyFault, faultError, redact, type ProviderFault } from './provider-fault';
import { type BatchLimits, batchRanges, halves, type TextRange } from './request-batches';
import { RequestSlots } from './request-slots';

export interface OpenAiEmbedderOptions {
  apiKey: string;
  /** Of an OpenAI-compatible endpoint, e.g. `http://localhost:11434/v1`; OpenAI itself unless given. */
  baseUrl?: string;
  /** `text-embedding-3-small` unless given. */
  model?: string;
  /** Length of the vectors. Needed for models other than OpenAI's; shortens those of `text-embedding-3-*`. */
  dimensions?: number;
  /** Longest text in the model's tokens. Needed for chunking only; 8,191 for OpenAI's models, else 512 unless given. */
  maxTokens?: number;
  /** For one request; 30 s unless given. */
  timeoutMs?: number;
  /** Requests at once; 4 unless given. */
  maxConcurrency?: number;
  /** Tries of one request, the first included; 3 unless given. */
  maxAttempts?: number;
  /** A longer wait than this is left to the caller's schedule; 5 s unless given. */
  maxWaitMs?: number;
  limits?: Partial<BatchLimits>;
}

/**
 * An embedder over OpenAI's embeddings API, or any endpoint that speaks it.
 * Any number of texts is cut into requests within the provider's limits; short faults are retried here.
 * @throws DomainError CONFIGURATION when the model's vector length is neither known nor given
 */
export function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  return new OpenAiEmbedder(options);
}

const DEFAULT_LIMITS: BatchLimits = { maxInputs: 2048, maxRequestTokens: 300_000 };
/** An answer takes some tenths of a second whatever its size; from here on its time grows with it. */
const BATCH_SIZE = 256;
const OPENAI_URL = 'https://api.openai.com/v1';
const FIRST_BACKOFF_MS = 250;
const UNKNOWN_MODEL_MAX_TOKENS = 512;

class OpenAiEmbedder implements Embedder {
  readonly model: ModelDescriptor;
  readonly batchSize = BATCH_SIZE;
  private readonly client: OpenAI;
  private readonly endpoint: string;
  private readonly secrets: string[];
  private readonly requestedDimensions: number | undefined;
  private readonly limits: BatchLimits;
  private readonly slots: RequestSlots;
  private readonly maxAttempts: number;
  private readonly maxWaitMs: number;
  private readonly running = new Set<AbortController>();
  private isClosed = false;
  private encodingFormat: 'base64' | 'float' = 'base64';
  private probe: Promise<void> | undefined;
  /** What the endpoint has asked of all requests: to stay away until then, on the clock of `performance.now()`. */
  private rest: { until: number; fault: ProviderFault } | undefined;

  constructor(options: OpenAiEmbedderOptions) {
    const name = options.model ?? 'text-embedding-3-small';
    const known = knownModels[name];
    const dimensions = options.dimensions ?? known?.dimensions;
    if (dimensions === undefined) {
      throw new DomainError(
        'CONFIGURATION',
        `The vector length of the embedding model "${name}" is not known. Set KINDRED_EMBEDDING_DIMENSIONS to it.`,
      );
    }
    if (known && dimensions !== known.dimensions) {
      if (!known.isShortenable || dimensions > known.dimensions) {
        throw new DomainError(
          'CONFIGURATION',
          `KINDRED_EMBEDDING_DIMENSIONS is ${dimensions}, but ${name} gives ${known.dimensions}` +
            (known.isShortenable ? ' at most.' : ' and cannot be shortened.'),
        );
      }
      this.requestedDimensions = dimensions;
    }
    const host = options.baseUrl === undefined ? undefined : new URL(options.baseUrl).host;
    const isOpenAi = host === undefined || host === 'api.openai.com';
    this.endpoint = isOpenAi ? 'OpenAI' : `The embedding endpoint ${host}`;
    this.model = {
      provider: isOpenAi ? 'openai' : host,
      name,
      version: '',
      dimensions,
      maxTokens: options.maxTokens ?? known?.maxTokens ?? UNKNOWN_MODEL_MAX_TOKENS,
    };
    this.secrets = [options.apiKey];
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.slots = new RequestSlots(options.maxConcurrency ?? 4);
    this.maxAttempts = options.maxAttempts ?? 3;
    this.maxWaitMs = options.maxWaitMs ?? 5_000;
    this.client = new OpenAI({
      apiKey: options.apiKey,
      // All of these are given so that the SDK does not look for them in the process's environment.
      baseURL: options.baseUrl ?? OPENAI_URL,
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      // The SDK waits up to a minute and ignores longer Retry-After values; the loop below does neither.
      maxRetries: 0,
      timeout: options.timeoutMs ?? 30_000,
      logLevel: 'off',
    });
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    options.signal?.throwIfAborted();
    if (this.isClosed) throw closedError();
    const empty = texts.indexOf('');
    if (empty !== -1) {
      throw new ModelRejectedError(`Text ${empty} is empty; an embedding needs at least one character`);
    }
    // One end for all requests of this call: the caller's signal, close(), or the first request that fails for good.
    const call = new AbortController();
    const onAbort = (): void => call.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.running.add(call);
    try {
      const requests = batchRanges(texts, this.limits).map((range) =>
        this.embedRange(texts, range, options, call.signal).catch((error: unknown) => {
          call.abort(error);
          throw error;
        }),
      );
      return (await Promise.all(requests)).flat();
    } catch (error) {
      throw call.signal.aborted ? call.signal.reason : error;
    } finally {
      this.running.delete(call);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Embeds one word once, which proves the key, the model's name and its vector length. */
  async ready(): Promise<void> {
    this.probe ??= this.embed(['ready'], { purpose: 'query' }).then(() => undefined);
    try {
      await this.probe;
    } catch (error) {
      this.probe = undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const call of this.running) call.abort(closedError());
    return Promise.resolve();
  }

  /** Embeds a range in one request; where that is too long, in two halves, down to the text that is too long itself. */
  private async embedRange(
    texts: readonly string[],
    range: TextRange,
    options: EmbedOptions,
    signal: AbortSignal,
  ): Promise<Float32Array[]> {
    const vectors = await this.slots.run(urgencyOf(options), () =>
      this.request(texts.slice(range.from, range.to), signal),
    );
    if (vectors !== 'too-long') return vectors;
    if (range.to - range.from === 1) {
      throw new TextTooLongError(
        range.from,
        `Text ${range.from} is longer than ${this.model.name} accepts (${this.model.maxTokens} tokens); shorten it`,
      );
    }
    const parts: Float32Array[][] = [];
    for (const half of halves(range)) parts.push(await this.embedRange(texts, half, options, signal));
    return parts.flat();
  }

  private async request(inputs: readonly string[], signal: AbortSignal): Promise<Float32Array[] | 'too-long'> {
    for (let attempt = 1; ; attempt++) {
      await this.awaitRest(signal);
      let answer: unknown;
      try {
        answer = await this.client.embeddings.create(
          {
            model: this.model.name,
            input: [...inputs],
            encoding_format: this.encodingFormat,
            ...(this.requestedDimensions === undefined ? {} : { dimensions: this.requestedDimensions }),
          },
          { signal },
        );
      } catch (error) {
        signal.throwIfAborted();
        const fault = classifyFault(error, this.secrets);
        if (fault.kind === 'too-long') return 'too-long';
        if (fault.kind === 'encoding-unknown' && this.encodingFormat === 'base64') {
          this.encodingFormat = 'float';
          continue;
        }
        this.noteRest(fault);
        const waitMs = fault.retryAfterMs ?? backoffMs(attempt);
        if (!fault.isTransient || attempt >= this.maxAttempts || waitMs > this.maxWaitMs) {
          throw faultError(fault, this.endpoint);
        }
        await pause(waitMs, signal);
        continue;
      }
      return readEmbeddings(parseAnswer(answer, this.secrets), inputs.length, this.model.dimensions);
    }
  }

  private noteRest(fault: ProviderFault): void {
    if (fault.retryAfterMs === undefined) return;
    const until = performance.now() + fault.retryAfterMs;
    if (!this.rest || until > this.rest.until) this.rest = { until, fault };
  }

  /** @throws what the endpoint has said, when it takes longer than is waited for here */
  private async awaitRest(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const retryAfterMs = this.rest ? this.rest.until - performance.now() : 0;
      if (!this.rest || retryAfterMs <= 0) return;
      if (retryAfterMs > this.maxWaitMs) throw faultError({ ...this.rest.fault, retryAfterMs }, this.endpoint);
      await pause(retryAfterMs, signal);
    }
  }
}

function closedError(): ModelUnavailableError {
  return new ModelUnavailableError('The embedder was closed');
}

/** An endpoint that forgets its content type is answered as text by the SDK. */
function parseAnswer(answer: unknown, secrets: readonly string[]): unknown {
  if (typeof answer !== 'string') return answer;
  try {
    return JSON.parse(answer) as unknown;
  } catch {
    throw new ModelUnavailableError(
      `The embedding endpoint gave an unusable answer: not JSON but "${redact(answer.slice(0, 80), secrets)}"`,
    );
  }
}

/** Doubles a try, with jitter so that many processes do not come back together. */
function backoffMs(attempt: number): number {
  return FIRST_BACKOFF_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
