import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../../kernel/vector/vector-store.errors';

export interface Sent {
  address: string;
  /** `POST /collections/x/points`: no query string, no body. */
  request: string;
}

/** No whole answer came: refused, reset, cut off, timed out or cancelled. */
export function transferError(
  error: unknown,
  sent: Sent,
  when: { isTimeout: boolean; isCancelled: boolean; timeoutMs: number },
): VectorStoreUnavailableError {
  const where = `The vector store at ${sent.address}`;
  if (when.isCancelled) {
    return new VectorStoreUnavailableError(`The request ${sent.request} was cancelled by the caller`, undefined, error);
  }
  if (when.isTimeout) {
    const message = `${where} did not answer ${sent.request} within ${when.timeoutMs} ms`;
    return new VectorStoreUnavailableError(message, undefined, error);
  }
  return new VectorStoreUnavailableError(
    `${where} could not be reached for ${sent.request}: ${reasonOf(error)}`,
    undefined,
    error,
  );
}

/** A whole answer with a status other than 2xx. Qdrant's own sentence is kept: it names the value and the limit. */
export function answerError(
  status: number,
  retryAfter: string | string[] | undefined,
  body: string,
  sent: Sent,
): VectorStoreUnavailableError | VectorStoreRejectedError {
  const message = `The vector store at ${sent.address} answered ${sent.request} with ${status}: ${serverSentence(body)}`;
  if (isWorthRetrying(status)) return new VectorStoreUnavailableError(message, retryAfterMs(retryAfter));
  if (status === 401 || status === 403) {
    return new VectorStoreRejectedError(`${message} (check the API key set for the vector store)`, status);
  }
  return new VectorStoreRejectedError(message, status);
}

/** 501 is the one 5xx that another try cannot change: the server says that it lacks the feature. */
function isWorthRetrying(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** Milliseconds from now, from either spelling of the header: seconds or an HTTP date. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

const LONGEST_BODY_IN_MESSAGE = 300;

function serverSentence(body: string): string {
  try {
    const parsed = JSON.parse(body) as { status?: { error?: unknown } } | null;
    const sentence = parsed?.status?.error;
    if (typeof sentence === 'string') return sentence;
  } catch {
    // Not Qdrant's envelope: a proxy's page, say. Its text is all there is.
  }
  const text = body.trim();
  if (text === '') return '(no explanation)';
  return text.length > LONGEST_BODY_IN_MESSAGE ? `${text.slice(0, LONGEST_BODY_IN_MESSAGE)}…` : text;
}

/** undici wraps some causes, and an address that resolves twice fails with an AggregateError without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) {
    if (error.message !== '') return error.message;
    if ('code' in error && typeof error.code === 'string') return error.code;
  }
  return String(error);
}
