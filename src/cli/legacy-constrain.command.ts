import type { Command } from 'commander';

import { recordKinds } from '../features/registry';
import { constrain, type ConstrainResult } from '../legacy/constrain';
import { columnsOf, pair } from './legacy-options';
import { withSession } from './session';

interface ConstrainOptions {
  table: string;
  column: Record<string, string>;
  parent: Record<string, string>;
  dryRun?: boolean;
  json?: boolean;
}

function printSql({ steps }: ConstrainResult): void {
  console.log('BEGIN;');
  for (const { title, sql } of steps) console.log(`\n-- ${title}\n${sql};`);
  console.log('\nCOMMIT;');
}

/** For those who keep the one table. */
export function addConstrainCommand(legacy: Command): void {
  legacy
    .command('constrain')
    .description('Keep the one table, and put on it every constraint, index and trigger that can hold it together.')
    .option('--table <name>', 'the polymorphic table, as name or schema.name', 'vector_embeddings')
    .option('--column <usual=name>', 'a column that is called otherwise; may be given several times', pair, {})
    .option('--parent <kind=table>', 'the table with the records of a kind, where it is called otherwise', pair, {})
    .option('--dry-run', 'only print the SQL')
    .option('--json', 'print a machine-readable result')
    .action((options: ConstrainOptions) =>
      withSession(
        'kindred legacy',
        async ({ instance }) => {
          const result = await constrain(
            { database: instance.core.database, kinds: recordKinds },
            {
              table: options.table,
              columns: columnsOf(options.column),
              parents: options.parent,
              isDryRun: options.dryRun,
            },
          );
          if (options.json) console.log(JSON.stringify(result));
          else if (options.dryRun) printSql(result);
          else {
            for (const [reason, count] of Object.entries(result.quarantined)) {
              console.log(`${count} rows to the quarantine: ${reason}`);
            }
            console.log(`${result.table} is constrained.`);
          }
        },
        { isInspection: true },
      ),
    );
}
