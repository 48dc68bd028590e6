import type { Core } from '../app/core';
import { startProgress } from './progress';

/**
 * Shows how far the vector side is, and resolves once it has followed everything (or `signal` aborts). The bar counts
 * what was done while it was shown against that and what is left, which may grow: a record becomes several texts.
 */
export async function waitUntilIndexed(core: Core, options: { label: string; signal?: AbortSignal }): Promise<void> {
  const bar = startProgress(options.label, 'texts');
  let done = 0;
  let before = 0;
  try {
    for await (const progress of core.services.progress.watch({ isUntilIdle: true, signal: options.signal })) {
      const left = progress.records + progress.pending;
      done += Math.max(0, before - left);
      before = left;
      if (done + left > 0) bar.update(done, done + left);
    }
  } finally {
    bar.stop();
  }
}
