import { InvalidArgumentError, type Command } from 'commander';

import { abandon } from '../legacy/abandon';
import { cutOver } from '../legacy/cutover';
import { dropTable } from '../legacy/drop-table';
import { alone, type LegacyParts } from '../legacy/legacy-parts';
import { rollBack } from '../legacy/rollback';
import type { LockOptions } from '../legacy/table-lock';
import { partsOf } from './legacy-options';
import { withSession } from './session';

interface LockingOptions {
  lockTimeout: number;
  abandon?: boolean;
}

function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 3600)) throw new InvalidArgumentError('Seconds, more than 0 and at most 3600.');
  return number;
}

function lockingCommand(legacy: Command, name: string, description: string): Command {
  return legacy
    .command(name)
    .description(description)
    .option('--lock-timeout <seconds>', 'how long to wait for transactions that use the table', seconds, 5);
}

function work(say: string, run: (parts: LegacyParts, options: LockOptions) => Promise<void>) {
  return ({ lockTimeout }: LockingOptions): Promise<void> =>
    withSession('kindred legacy', async ({ instance }) => {
      const parts = partsOf(instance.core);
      await alone(parts, () => run(parts, { lockTimeoutMs: lockTimeout * 1000 }));
      console.log(say);
    });
}

/** The commands that exchange the table for the view, and back. */
export function addCutoverCommands(legacy: Command): void {
  lockingCommand(
    legacy,
    'cutover',
    'Put a view in the table’s place, so that old programs read and write the typed tables. One transaction.',
  ).action(work('Cut over. Next: `kindred legacy verify`, and in the end `kindred legacy drop`.', cutOver));
  lockingCommand(
    legacy,
    'rollback',
    'Put the table back in the view’s place, with the writes made since. One transaction.',
  )
    .option('--abandon', 'before the cutover: take the copied rows out again, and end the move')
    .action((options: LockingOptions) =>
      options.abandon
        ? work('The copied rows are gone from the typed tables; the old table is as it was.', abandon)(options)
        : work('The table is back, with the writes made since. Copying can go on.', rollBack)(options),
    );
  lockingCommand(
    legacy,
    'drop',
    'Delete the table that the cutover put aside; refuses unless everything is verified.',
  ).action(work('Dropped. The view stays.', dropTable));
}
