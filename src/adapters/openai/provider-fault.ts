import { APIConnectionError, APIError } from 'openai';
import { ModelRejectedError, ModelThrottledError, ModelUnavailableError } from '../../kernel/model/embedder';

/** What a failed request means for the caller. */
export type FaultKind =
  | 'throttled'
  | 'unavailable'
  | 'rejected'
  /** One text, or the request as a whole, has too many tokens. */
  | 'too-long'
  /** The endpoint does not know base64 vectors. */
  | 'encoding-unknown';

export interface ProviderFault {
  kind: FaultKind;
  /** For people; holds no key. */
  message: string;
  /** Whether trying again within seconds makes sense. */
  isTransient: boolean;
  retryAfterMs?: number;
}

const TOO_LONG =
  /context[ _]length|maximum.{0,40}tokens|max.{0,20}tokens per request|too (many|large).{0,20}tokens|too long/i;

/** Sorts whatever a request threw; anything unknown counts as an unreachable endpoint. */
export function classifyFault(error: unknown, secrets: readonly string[]): ProviderFault {
  const message = redact(wholeMessage(error), secrets);
  if (!(error instanceof APIError) || error instanceof APIConnectionError || error.status === undefined) {
    return { kind: 'unavailable', message, isTransient: true };
  }
  const status = error.status as number;
  const headers = error.headers as Headers | undefined;
  const retryAfterMs = retryAfter(headers, Date.now());
  if (status === 429) {
    // Without credit every further try is refused as well; the relay's slow schedule is the right one.
    return { kind: 'throttled', message, retryAfterMs, isTransient: error.code !== 'insufficient_quota' };
  }
  if (status === 408 || status === 409 || status >= 500) {
    return { kind: 'unavailable', message, retryAfterMs, isTransient: true };
  }
  if (status === 413 || error.code === 'context_length_exceeded' || (status < 500 && TOO_LONG.test(message))) {
    return { kind: 'too-long', message, isTransient: false };
  }
  if ((status === 400 || status === 422) && /encoding_format|base64/i.test(message)) {
    return { kind: 'encoding-unknown', message, isTransient: false };
  }
  return { kind: 'rejected', message, isTransient: false };
}

/** A failed connection says only in the cause of its cause what happened, e.g. `connect ECONNREFUSED 127.0.0.1:80`. */
function wholeMessage(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current != null && parts.length < 4; current = (current as { cause?: unknown }).cause) {
    const { message, code } = current as { message?: unknown; code?: unknown };
    parts.push(String(message || code || 'unknown'));
  }
  return parts.length > 1 ? `${parts[0]} (${parts.slice(1).join(': ')})` : (parts[0] ?? 'unknown');
}

/** The error of the model port for a fault that is not repaired here. The SDK's error stays behind: it may hold the key. */
export function faultError(fault: ProviderFault, endpoint: string): Error {
  switch (fault.kind) {
    case 'throttled':
      return new ModelThrottledError(`${endpoint} asks to slow down: ${fault.message}`, fault.retryAfterMs);
    case 'unavailable':
      return new ModelUnavailableError(
        `${endpoint} cannot be used now: ${fault.message}`,
        undefined,
        fault.retryAfterMs,
      );
    case 'rejected':
    case 'too-long':
    case 'encoding-unknown':
      return new ModelRejectedError(`${endpoint} refused the request: ${fault.message}`);
  }
}

/**
 * How long the provider asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
 * @returns milliseconds from `now`, at least 0; undefined when the headers do not say
 */
export function retryAfter(headers: Headers | undefined, now: number): number | undefined {
  const milliseconds = headers?.get('retry-after-ms');
  if (milliseconds && Number.isFinite(Number(milliseconds))) return Math.max(0, Number(milliseconds));
  const value = headers?.get('retry-after');
  if (!value) return undefined;
  if (Number.isFinite(Number(value))) return Math.max(0, Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Removes keys from a provider's message; OpenAI repeats a part of a wrong key in its answer. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.split(secret).join('***');
  return clean.replace(/\bsk-[\w*.-]+/g, 'sk-***').replace(/\bBearer\s+\S+/gi, 'Bearer ***');
}
