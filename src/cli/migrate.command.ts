import type { Command } from 'commander';

import { withSession } from './session';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the database schema and the vector collections up to date. Other commands do so themselves.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: { json?: boolean }) =>
      withSession('kindred migrate', async ({ instance }) => {
        const rows = await instance.core.database.query<{ name: string }>(
          'SELECT name FROM kindred_migrations ORDER BY id',
        );
        const applied = rows.map((row) => row.name);
        console.log(json ? JSON.stringify({ applied }) : `The schema is up to date (${applied.length} migrations).`);
      }),
    );
}
