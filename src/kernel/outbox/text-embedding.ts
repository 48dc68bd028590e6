import { DomainError } from '../errors/domain-error';
import {
  ModelThrottledError,
  ModelUnavailableError,
  TextTooLongError,
  type Embedder,
  type ModelDescriptor,
} from '../model/embedder';
import { OutageError } from './failure-policy';

/** A text's vector, or why this text has none. */
export type TextOutcome = { vector: Float32Array } | { error: Error };

export interface EmbeddingCall {
  signal: AbortSignal;
  isUrgent: boolean;
}

const PROBE_TEXT = 'kindred';

/**
 * Embeds texts so that one that the model cannot take does not stop the others. When a call fails, a probe with a
 * harmless text tells a failing model, which is an outage, from a text at fault, which is then found by halving.
 */
export class TextEmbedding {
  /** @param timeoutMs how long one call may take; longer than the embedder's own deadlines */
  constructor(
    private readonly embedder: Embedder,
    private readonly timeoutMs: number,
  ) {}

  get model(): ModelDescriptor {
    return this.embedder.model;
  }

  /**
   * @returns one outcome per text, same order
   * @throws OutageError the model does not work at all, or is throttled
   */
  async embed(texts: readonly string[], call: EmbeddingCall): Promise<TextOutcome[]> {
    const outcomes = new Array<TextOutcome>(texts.length);
    await this.embedInto(outcomes, texts, [...texts.keys()], call, true);
    return outcomes;
  }

  private async embedInto(
    outcomes: TextOutcome[],
    texts: readonly string[],
    indexes: readonly number[],
    call: EmbeddingCall,
    mayRepeat: boolean,
  ): Promise<void> {
    if (indexes.length === 0) return;
    const error = await this.attempt(outcomes, texts, indexes, call);
    if (!error) return;
    call.signal.throwIfAborted();
    const [first] = indexes;
    if (error instanceof TextTooLongError && error.index >= 0 && error.index < indexes.length) {
      const tooLong = indexes[error.index] as number;
      outcomes[tooLong] = { error };
      const rest = indexes.filter((index) => index !== tooLong);
      return this.embedInto(outcomes, texts, rest, call, mayRepeat);
    }
    if (asksToWait(error)) throw new OutageError(error, error.retryAfterMs);
    const isWorking = await this.isWorking(call);
    call.signal.throwIfAborted();
    if (!isWorking) throw new OutageError(error);
    // The model works, so it was a passing fault or one of the texts.
    const mayPass = !(error instanceof DomainError) || error.retryable;
    if (mayRepeat && mayPass && indexes.length > 1) return this.embedInto(outcomes, texts, indexes, call, false);
    if (indexes.length === 1 && first !== undefined) {
      outcomes[first] = { error };
      return;
    }
    const middle = indexes.length >> 1;
    await this.embedInto(outcomes, texts, indexes.slice(0, middle), call, false);
    await this.embedInto(outcomes, texts, indexes.slice(middle), call, false);
  }

  /** Fills in the outcomes, or answers with the error that concerns them all. */
  private async attempt(
    outcomes: TextOutcome[],
    texts: readonly string[],
    indexes: readonly number[],
    call: EmbeddingCall,
  ): Promise<Error | undefined> {
    try {
      const vectors = await this.call(
        indexes.map((index) => texts[index] as string),
        call,
      );
      for (const [position, index] of indexes.entries()) {
        const vector = vectors[position];
        const fault = faultOf(vector, this.model.dimensions);
        if (fault !== undefined) return new ModelUnavailableError(`${this.model.name} answered ${fault}.`);
        outcomes[index] = { vector: vector as Float32Array };
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** One call that ends when it is given up or takes too long, even if the embedder does not heed its signal. */
  private async call(texts: string[], { signal, isUrgent }: EmbeddingCall): Promise<Float32Array[]> {
    const ending = new AbortController();
    let end: () => void = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      end = () => reject(ending.signal.reason as Error);
    });
    ending.signal.addEventListener('abort', end);
    const giveUp = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', giveUp);
    const timer = setTimeout(() => {
      ending.abort(new ModelUnavailableError(`${this.model.name} did not answer within ${this.timeoutMs} ms.`));
    }, this.timeoutMs);
    const options = { purpose: 'document', isUrgent, signal: ending.signal } as const;
    try {
      signal.throwIfAborted();
      return await Promise.race([this.embedder.embed(texts, options), ended]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      ending.signal.removeEventListener('abort', end);
    }
  }

  private async isWorking(call: EmbeddingCall): Promise<boolean> {
    const outcomes: TextOutcome[] = [];
    return (await this.attempt(outcomes, [PROBE_TEXT], [0], call)) === undefined;
  }
}

/** Then not even a probe is welcome. */
function asksToWait(error: Error): error is ModelThrottledError | ModelUnavailableError {
  return (
    error instanceof ModelThrottledError || (error instanceof ModelUnavailableError && error.retryAfterMs !== undefined)
  );
}

function faultOf(vector: Float32Array | undefined, dimensions: number): string | undefined {
  if (!vector) return 'fewer vectors than texts';
  if (vector.length !== dimensions) return `a vector of ${vector.length} numbers instead of ${dimensions}`;
  return vector.every(Number.isFinite) ? undefined : 'a vector with a number that is not finite';
}
