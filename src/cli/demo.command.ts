import type { Command } from 'commander';

import { loadDemo } from './demo-loading';
import { withSession } from './session';

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Write the demo records; doing so twice changes nothing.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: { json?: boolean }) =>
      withSession('kindred demo', async ({ instance }) => {
        const changed = await loadDemo(instance.core);
        console.log(json ? JSON.stringify({ changed }) : `${changed} demo records written.`);
      }),
    );
}
