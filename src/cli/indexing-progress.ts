import type { Core } from '../app/core';
import type { IndexingProgress } from '../kernel/outbox/indexing-progress';
import type { Relay } from '../kernel/outbox/relay';
import { startProgress } from './progress';

export interface Waiting {
  label: string;
  signal?: AbortSignal;
  /** The relay of this process, where it has one; otherwise another has to do the work. */
  relay?: Relay;
  /** How long nothing has to happen before that is told, and told again. */
  quietMs?: number;
  stream?: NodeJS.WriteStream;
}

const QUIET_MS = 30_000;

/**
 * Shows how far the vector side is, and resolves once it has followed everything (or `signal` aborts). The bar counts
 * what was done while it was shown against that and what is left, which may grow: a record becomes several texts.
 * Says why, as far as it knows, when nothing happens for long.
 */
export async function waitUntilIndexed(core: Core, waiting: Waiting): Promise<void> {
  const { label, signal, relay, quietMs = QUIET_MS, stream = process.stderr } = waiting;
  const bar = startProgress(label, 'texts', stream);
  let done = 0;
  let before = 0;
  let last: IndexingProgress | undefined;
  const timer = setInterval(() => {
    if (last) stream.write(`${label}: ${quietNotice(last, quietMs, relay)}\n`);
  }, quietMs);
  try {
    for await (const progress of core.services.progress.watch({ isUntilIdle: true, signal })) {
      timer.refresh();
      last = progress;
      const left = progress.records + progress.pending;
      done += Math.max(0, before - left);
      before = left;
      if (done + left > 0) bar.update(done, done + left);
    }
  } finally {
    clearInterval(timer);
    bar.stop();
  }
}

function quietNotice({ records, pending }: IndexingProgress, quietMs: number, relay: Relay | undefined): string {
  const reason = relay
    ? (relay.outage?.message.replace(/\.$/, '') ?? 'it may be a long text')
    : 'a server or worker with a relay has to do the work; is one running?';
  return `nothing has happened for ${quietMs / 1000} s, with ${records + pending} to go (${reason}); ^C leaves the rest queued`;
}
