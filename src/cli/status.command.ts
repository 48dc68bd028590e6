import type { Command } from 'commander';

import { withSession } from './session';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('What is in the stores, and what the vector side still has to follow.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: { json?: boolean }) =>
      withSession('kindred status', async ({ instance }) => {
        const { registry, database } = instance.core;
        const kinds = await Promise.all(
          registry.all.map(async (kind) => {
            const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${kind.table}`);
            return { kind: kind.kind, records: row?.count ?? 0 };
          }),
        );
        const backlog = await instance.core.backlog();
        const unfinishedErasures = await instance.core.services.eraser.unfinished();
        if (json) {
          console.log(JSON.stringify({ kinds, backlog, unfinishedErasures }));
          return;
        }
        for (const { kind, records } of kinds) console.log(`${kind.padEnd(20)} ${String(records).padStart(8)}`);
        console.log(`\nwaiting: ${backlog.sources} records, ${backlog.points} points; given up: ${backlog.dead}`);
        if (backlog.building > 0) console.log(`being built beside the live collections: ${backlog.building} points`);
        for (const id of unfinishedErasures) console.log(`an erasure to be gone on with: ${id}`);
      }),
    );
}
