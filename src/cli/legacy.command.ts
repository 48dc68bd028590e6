import type { Command } from 'commander';

import { onTermination } from '../kernel/process/termination';
import { Copy } from '../legacy/copy';
import { alone } from '../legacy/legacy-parts';
import { plan } from '../legacy/plan';
import { verify } from '../legacy/verify';
import { EXIT_FAILURE, InterruptedError } from './exit-codes';
import { addConstrainCommand } from './legacy-constrain.command';
import { addCutoverCommands } from './legacy-cutover.command';
import { waitUntilIndexed } from './indexing-progress';
import {
  addPointOptions,
  addTableOptions,
  moveSettingsOf,
  partsOf,
  readSettingsOf,
  type TableOptions,
} from './legacy-options';
import { printPlan, printVerification } from './legacy-report';
import { startProgress } from './progress';
import { withSession, type Session } from './session';

const NAME = 'kindred legacy';

async function runPlan(options: TableOptions, { instance }: Session): Promise<void> {
  const parts = partsOf(instance.core);
  const progress = startProgress('Looking up points', 'points');
  try {
    const made = await plan(parts, await readSettingsOf(parts, options), (done, total) => progress.update(done, total));
    progress.stop();
    if (options.json) console.log(JSON.stringify(made));
    else printPlan(made);
  } finally {
    progress.stop();
  }
}

interface CopyOptions extends TableOptions {
  wait: boolean;
  batch: string;
}

async function runCopy(options: CopyOptions, { instance }: Session): Promise<void> {
  const { core, stores } = instance;
  const parts = partsOf(core);
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  const progress = startProgress('Copying', 'rows');
  const relay = options.wait && stores.origin !== 'attached' ? core.createRelay() : undefined;
  try {
    const settings = await moveSettingsOf(parts, options);
    const copy = new Copy(parts, {
      batchSize: Number(options.batch),
      signal: stopping.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    await alone(parts, () => copy.run(settings));
    progress.stop();
    if (options.wait && !stopping.signal.aborted) {
      relay?.start();
      await waitUntilIndexed(core, { label: 'Taking points over', signal: stopping.signal, relay });
    }
    if (stopping.signal.aborted) throw new InterruptedError();
  } finally {
    progress.stop();
    await relay?.stop();
    release();
  }
  const report = await verify(parts, { isComparingPoints: false });
  if (options.json) {
    const { legacy, migrated, quarantined, reasons, changesWaiting } = report;
    console.log(JSON.stringify({ legacy, migrated, quarantined, reasons, changesWaiting }));
  } else {
    console.log(`${report.migrated} of ${report.legacy} rows copied, ${report.quarantined} in the quarantine`);
    console.log('Next: `kindred legacy verify`');
  }
}

export function addLegacyCommand(program: Command, outcome: { code: number }): void {
  const legacy = program
    .command('legacy')
    .description('Move from one polymorphic vector_embeddings table to typed tables, or put constraints on it.');
  addPointOptions(addTableOptions(legacy.command('plan')))
    .description('Look at the table and say what would happen; changes nothing.')
    .option('--json', 'print a machine-readable result')
    .action((options: TableOptions) =>
      withSession(NAME, (session) => runPlan(options, session), { isInspection: true }),
    );
  addPointOptions(addTableOptions(legacy.command('copy')))
    .description('Copy rows to the typed tables and take their points over; interrupted or repeated, it goes on.')
    .option('--reembed', 'embed the records anew instead of taking vectors over')
    .option('--no-wait', 'return once the rows are copied; a server or worker takes the points over')
    .option('--batch <rows>', 'rows of one transaction', '10000')
    .option('--json', 'print a machine-readable result')
    .action((options: CopyOptions) => withSession(NAME, (session) => runCopy(options, session)));
  legacy
    .command('verify')
    .description('Compare every row and every point with what was made of it; exit code 1 on any difference.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: { json?: boolean }) =>
      withSession(NAME, async ({ instance }) => {
        const report = await verify(partsOf(instance.core));
        if (json) console.log(JSON.stringify(report));
        else printVerification(report);
        if (!report.isVerified) outcome.code = EXIT_FAILURE;
      }),
    );
  addCutoverCommands(legacy);
  addConstrainCommand(legacy);
}
