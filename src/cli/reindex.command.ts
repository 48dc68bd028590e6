import type { Command } from 'commander';

import { isSameModel, nameModel } from '../kernel/model/embedders';
import { fill, modelJson, promote, whileFilling, withModels } from './model-change';

interface ReindexOptions {
  drop?: boolean;
  json?: boolean;
}

function reindex({ drop, json }: ReindexOptions): Promise<void> {
  return withModels(async (session, signal) => {
    const { core } = session.instance;
    const { modelChange, embedders } = core;
    const { model } = embedders.next ?? embedders.configured;
    const { live, standby } = await modelChange.status();
    // Cut short after the promotion, or run once more.
    const isDone = isSameModel(live, model) && (embedders.next !== undefined || standby?.role === 'former');
    if (!isDone) {
      await modelChange.prepare();
      await whileFilling(session, async () => {
        await fill(session, signal);
        await promote(session, 'next', signal);
      });
    }
    const dropped = drop ? await modelChange.drop() : [];
    if (json) {
      console.log(JSON.stringify({ model: modelJson(model), dropped }));
      return;
    }
    console.log(`Everything is embedded with ${nameModel(model)}, which is live${isDone ? ' already' : ''}.`);
    console.log(
      drop
        ? `${dropped.length} former collections were deleted.`
        : `The former collections are still there: 'kindred models drop' deletes them.`,
    );
  });
}

export function addReindexCommand(program: Command): void {
  program
    .command('reindex')
    .description(
      'Embed everything anew beside the live collections, with the model that KINDRED_NEXT_EMBEDDER names or else the configured one, and promote it once complete. Searches go on; interrupted, it goes on when run again.',
    )
    .option('--drop', 'then delete the former collections')
    .option('--json', 'print a machine-readable result')
    .action(reindex);
}
