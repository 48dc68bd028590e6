import type { Dispatcher, Pool } from 'undici';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/**
 * One request and its whole answer as text. Beneath undici's `request`, which makes a stream and an abort signal for
 * each: here it is a timer and a list of chunks. Its callbacks are methods: functions kept as properties had V8 keep
 * each exchange, and what it leads to, until the next major collection.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  isTimeout = false;
  isCancelled = false;
  private readonly chunks: Buffer[] = [];
  private readonly timer: NodeJS.Timeout;
  private controller: Dispatcher.DispatchController | undefined;
  private aborted: Error | undefined;
  private status = 0;
  private headers: Answer['headers'] = {};
  private resolve!: (answer: Answer) => void;
  private reject!: (error: Error) => void;

  constructor(
    pool: Pool,
    request: Dispatcher.DispatchOptions,
    timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.timer = setTimeout(passDeadline, timeoutMs, this);
    if (signal?.aborted) this.handleEvent();
    else {
      signal?.addEventListener('abort', this, { once: true });
      pool.dispatch(request, this);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It was still waiting for a connection when it was given up.
    if (this.aborted) controller.abort(this.aborted);
    else this.controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Answer['headers']): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.end();
    const [only] = this.chunks;
    const bytes = this.chunks.length === 1 && only ? only : Buffer.concat(this.chunks);
    this.resolve({ status: this.status, headers: this.headers, text: bytes.toString('utf8') });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.end();
    this.reject(error);
  }

  passDeadline(): void {
    this.isTimeout = true;
    this.abort(new Error('The deadline has passed'));
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.isCancelled = true;
    this.abort(new Error('Cancelled by the caller', { cause: this.signal?.reason }));
  }

  private abort(error: Error): void {
    this.aborted = error;
    this.end();
    this.reject(error);
    this.controller?.abort(error);
  }

  private end(): void {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this);
  }
}

function passDeadline(exchange: Exchange): void {
  exchange.passDeadline();
}
