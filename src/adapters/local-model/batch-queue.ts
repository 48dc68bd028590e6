import type { Urgency } from '../../kernel/model/embedder';

/** A request waiting to be embedded, with its texts taken shortest first so that a batch pads little. */
interface WaitingRequest {
  id: number;
  texts: readonly string[];
  urgency: Urgency;
  /** Indexes into `texts`, shortest text first. */
  order: number[];
  /** How many of `order` have been taken. */
  taken: number;
  /** Token ids of the next text, when it was looked at but did not fit into the last batch. */
  next?: number[];
}

export interface Batch {
  requestId: number;
  /** Index in the request's texts, for each member. */
  indexes: number[];
  tokens: number[][];
  /** Whether the request has no text left after this batch. */
  isLast: boolean;
}

export interface BatchLimits {
  maxTexts: number;
  /** Members times the longest member, in tokens: what the model really computes. */
  maxPaddedTokens: number;
}

/**
 * Decides what the model computes next. At every batch the most urgent request goes first; among equals first come,
 * first served.
 */
export class BatchQueue {
  private readonly waiting: WaitingRequest[] = [];

  constructor(
    private readonly tokenize: (text: string) => number[],
    private readonly limits: BatchLimits,
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  add(id: number, texts: readonly string[], urgency: Urgency): void {
    const order = texts.map((_, index) => index);
    order.sort((a, b) => (texts[a] as string).length - (texts[b] as string).length);
    this.waiting.push({ id, texts, urgency, order, taken: 0 });
  }

  remove(id: number): void {
    const index = this.waiting.findIndex((request) => request.id === id);
    if (index !== -1) this.waiting.splice(index, 1);
  }

  take(): Batch | undefined {
    const most = Math.min(...this.waiting.map((candidate) => candidate.urgency));
    const request = this.waiting.find((candidate) => candidate.urgency === most);
    if (request === undefined) return undefined;
    const batch: Batch = { requestId: request.id, indexes: [], tokens: [], isLast: false };
    let longest = 0;
    while (request.taken < request.order.length && batch.indexes.length < this.limits.maxTexts) {
      const index = request.order[request.taken] as number;
      const tokens = request.next ?? this.tokenize(request.texts[index] as string);
      longest = Math.max(longest, tokens.length);
      const isTooMuch = longest * (batch.indexes.length + 1) > this.limits.maxPaddedTokens;
      if (isTooMuch && batch.indexes.length > 0) {
        request.next = tokens;
        break;
      }
      request.next = undefined;
      request.taken++;
      batch.indexes.push(index);
      batch.tokens.push(tokens);
    }
    if (request.taken === request.order.length) {
      batch.isLast = true;
      this.remove(request.id);
    }
    return batch;
  }
}
