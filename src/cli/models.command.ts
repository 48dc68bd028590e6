import type { Command } from 'commander';

import { nameModel } from '../kernel/model/embedders';
import { fill, modelJson, printStatus, promote, statusJson, whileFilling, withModels } from './model-change';

interface JsonOption {
  json?: boolean;
}

function addPromotion(models: Command, name: string, role: 'next' | 'former', description: string): void {
  models
    .command(name)
    .description(description)
    .option('--json', 'print a machine-readable result')
    .action(({ json }: JsonOption) =>
      withModels(async (session, signal) => {
        const { live, former, keepsFormer } = await whileFilling(session, () => promote(session, role, signal));
        if (json) console.log(JSON.stringify({ live: modelJson(live), former: modelJson(former), keepsFormer }));
        else {
          console.log(`${nameModel(live)} is live now.`);
          console.log(
            keepsFormer
              ? `${nameModel(former)} is kept up to date beside it: 'kindred models ${role === 'next' ? 'rollback' : 'promote'}' ` +
                  `goes back, 'kindred models drop' gives it up.`
              : `${nameModel(former)} is not configured here and is not kept: 'kindred models drop' deletes its collections.`,
          );
        }
      }),
    );
}

export function addModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('Change the embedding model while searches go on: build beside the live collections, then promote.');
  models
    .command('list')
    .description('The models that vectors were made with, and what each is now.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: JsonOption) =>
      withModels(async ({ instance }) => {
        const known = await instance.core.modelChange.list();
        if (json)
          console.log(JSON.stringify({ models: known.map(({ model, ...one }) => ({ ...modelJson(model), ...one })) }));
        else {
          for (const { model, state, isConfigured } of known) {
            console.log(`${state.padEnd(8)} ${nameModel(model)}${isConfigured ? ', configured here' : ''}`);
          }
        }
      }),
    );
  models
    .command('status')
    .description('Which model is live, what is beside it, and how complete that is.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: JsonOption) =>
      withModels(async ({ instance }) => {
        const status = await instance.core.modelChange.status();
        if (json) console.log(JSON.stringify(statusJson(status)));
        else printStatus(status);
      }),
    );
  models
    .command('prepare')
    .description(
      'Build collections of the model that KINDRED_NEXT_EMBEDDER names beside the live ones, and wait until they are complete. Interrupted, it goes on when run again.',
    )
    .option('--no-wait', 'only queue the work, for servers and workers that have the model')
    .option('--json', 'print a machine-readable result')
    .action(({ json, wait }: JsonOption & { wait: boolean }) =>
      withModels(async (session, signal) => {
        const { modelChange } = session.instance.core;
        const queued = await modelChange.prepare();
        if (wait) await whileFilling(session, () => fill(session, signal));
        const status = await modelChange.status();
        if (json) console.log(JSON.stringify({ queued, ...statusJson(status) }));
        else {
          console.log(`${queued} points were queued.`);
          printStatus(status);
        }
      }),
    );
  addPromotion(
    models,
    'promote',
    'next',
    'Make the prepared model the live one, in all running processes that have it; refused while anything is missing.',
  );
  addPromotion(models, 'rollback', 'former', 'Make the former model the live one again.');
  models
    .command('drop')
    .description('Give up what is beside the live collections, and delete the collections that nothing reads any more.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: JsonOption) =>
      withModels(async ({ instance }) => {
        const dropped = await instance.core.modelChange.drop();
        if (json) console.log(JSON.stringify({ dropped }));
        else console.log(`${dropped.length} collections were deleted.`);
      }),
    );
}
