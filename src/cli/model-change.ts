import type { ModelStatus } from '../kernel/model-change/model-change';
import type { ModelDescriptor } from '../kernel/model/embedder';
import { nameModel } from '../kernel/model/embedders';
import { onTermination } from '../kernel/process/termination';
import { InterruptedError } from './exit-codes';
import { startProgress } from './progress';
import { withSession, type Session } from './session';

/** How long a promotion waits for changes that are just being carried over. */
const PROMOTION_WAIT_MS = 30_000;

/** Runs `work` beside running servers; ^C ends it, and what was done so far is gone on with by the next time. */
export function withModels(work: (session: Session, signal: AbortSignal) => Promise<void>): Promise<void> {
  return withSession(
    'kindred models',
    async (session) => {
      const stopping = new AbortController();
      const release = onTermination(() => stopping.abort());
      try {
        await work(session, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) throw new InterruptedError();
        throw error;
      } finally {
        release();
      }
    },
    { isModelChange: true },
  );
}

/**
 * Relays while `work` waits for it. Beside a server only what the server may be unable to, for want of the next model;
 * otherwise everything, as far as this process has the models.
 */
export async function whileFilling<T>({ instance }: Session, work: () => Promise<T>): Promise<T> {
  const { core, stores } = instance;
  const hasLiveModel = core.embedders.of(core.catalog.liveModel) !== undefined;
  const relay = core.createRelay(undefined, { isFillingOnly: stores.origin !== 'started' || !hasLiveModel });
  relay.start();
  try {
    return await work();
  } finally {
    await relay.stop();
  }
}

/** Shows how far the collections beside the live ones are, until they are complete. */
export async function fill({ instance }: Session, signal: AbortSignal): Promise<void> {
  const bar = startProgress('Embedding', 'points');
  try {
    await instance.core.modelChange.waitUntilFilled({ onProgress: bar.update, signal });
  } finally {
    bar.stop();
  }
}

export function promote({ instance }: Session, role: 'next' | 'former', signal: AbortSignal) {
  return instance.core.modelChange.promote({ role, waitMs: PROMOTION_WAIT_MS, signal });
}

export const modelJson = ({ provider, name, version, dimensions, maxTokens }: ModelDescriptor) => ({
  provider,
  name,
  version,
  dimensions,
  maxTokens,
});

export function statusJson({ live, standby }: ModelStatus) {
  return {
    live: modelJson(live),
    standby: standby && {
      role: standby.role,
      model: modelJson(standby.model),
      isConfigured: standby.isConfigured,
      isComplete: standby.isComplete,
      kinds: standby.kinds.map(({ kind, collection, rows, filled, missing, dead }) => ({
        kind,
        collection,
        rows,
        filled,
        missing,
        dead,
      })),
    },
  };
}

export function printStatus({ live, standby }: ModelStatus): void {
  console.log(`live: ${nameModel(live)}`);
  if (!standby) {
    console.log('Nothing is beside it.');
    return;
  }
  console.log(`${standby.role}: ${nameModel(standby.model)}${standby.isConfigured ? '' : ', not configured here'}`);
  for (const { kind, rows, filled, missing, dead } of standby.kinds) {
    const open = [...(missing > 0 ? [`${missing} missing`] : []), ...(dead > 0 ? [`${dead} given up`] : [])];
    console.log(`  ${kind.padEnd(18)} ${filled} of ${rows}${open.length > 0 ? `: ${open.join(', ')}` : ''}`);
  }
  console.log(standby.isComplete ? 'It is complete and can be promoted.' : 'It is not complete yet.');
}
