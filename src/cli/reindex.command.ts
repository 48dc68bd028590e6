import type { Command } from 'commander';

import { onTermination } from '../kernel/process/termination';
import { InterruptedError } from './exit-codes';
import { waitUntilIndexed } from './indexing-progress';
import { openSession, readSettings } from './session';

async function reindex({ json }: { json?: boolean }): Promise<void> {
  // Alone on the data folder: a running server would go on asking with the vectors of its own model.
  const { instance } = await openSession('own', 'kindred reindex', readSettings(), { isModelChange: true });
  const { core } = instance;
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  const relay = core.createRelay();
  try {
    await core.embedder.ready();
    relay.start();
    await waitUntilIndexed(core, { label: 'Embedding', signal: stopping.signal });
    if (stopping.signal.aborted) throw new InterruptedError();
    const dropped = await core.catalog.dropRetired();
    const { provider, name, dimensions } = core.embedder.model;
    if (json) console.log(JSON.stringify({ model: { provider, name, dimensions }, dropped }));
    else
      console.log(
        `Everything is embedded with ${provider}/${name}; ${dropped.length} former collections were deleted.`,
      );
  } finally {
    await relay.stop();
    release();
    await instance.close();
  }
}

export function addReindexCommand(program: Command): void {
  program
    .command('reindex')
    .description(
      'After another model was configured: embed everything with it. Stop all servers and workers first; interrupted, it goes on when run again.',
    )
    .option('--json', 'print a machine-readable result')
    .action(reindex);
}
