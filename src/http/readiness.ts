import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../kernel/errors/domain-error';

/** Resolves when its part can do its work, rejects when not. `signal` ends with the time it is given. */
export type ReadinessCheck = (signal: AbortSignal) => Promise<unknown>;

export interface Readiness {
  isReady: boolean;
  parts: Record<string, { isReady: boolean; durationMs: number; reason?: string }>;
}

/**
 * Asks every part at once, and gives each `timeoutMs`. Callers that ask at the same time share one round, so a busy
 * load balancer costs no more than a calm one.
 */
export function createReadiness(
  checks: Readonly<Record<string, ReadinessCheck>>,
  timeoutMs: number,
): () => Promise<Readiness> {
  let current: Promise<Readiness> | undefined;
  return () => {
    current ??= ask(checks, timeoutMs).finally(() => {
      current = undefined;
    });
    return current;
  };
}

async function ask(checks: Readonly<Record<string, ReadinessCheck>>, timeoutMs: number): Promise<Readiness> {
  const parts = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await askOne(check, timeoutMs)] as const),
  );
  return { isReady: parts.every(([, part]) => part.isReady), parts: Object.fromEntries(parts) };
}

async function askOne(check: ReadinessCheck, timeoutMs: number): Promise<Readiness['parts'][string]> {
  const started = performance.now();
  const ending = new AbortController();
  const timeout = delay(timeoutMs, undefined, { signal: ending.signal }).then(
    () => {
      throw new DomainError('INTERNAL', `no answer within ${timeoutMs} ms`);
    },
    () => undefined,
  );
  let reason: string | undefined;
  try {
    await Promise.race([check(ending.signal), timeout]);
  } catch (error) {
    reason = error instanceof DomainError ? error.message : 'it does not answer; see the log';
  } finally {
    ending.abort();
  }
  const durationMs = Math.round(performance.now() - started);
  return reason === undefined ? { isReady: true, durationMs } : { isReady: false, durationMs, reason };
}
