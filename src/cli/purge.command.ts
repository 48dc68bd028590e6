import type { Command } from 'commander';

import { DomainError } from '../kernel/errors/domain-error';
import { onTermination } from '../kernel/process/termination';
import { duration } from './duration-option';
import { InterruptedError } from './exit-codes';
import { withSession, type Session } from './session';

interface PurgeOptions {
  olderThan?: number;
  dryRun?: boolean;
  json?: boolean;
}

async function purge({ environment, instance }: Session, { olderThan, dryRun, json }: PurgeOptions): Promise<void> {
  const olderThanMs = olderThan ?? environment.retention.purgeAfterMs;
  if (olderThanMs === undefined) {
    throw new DomainError('BAD_INPUT', 'Say how old with --older-than, or set KINDRED_PURGE_AFTER_DAYS.');
  }
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  try {
    const { purge: service } = instance.core;
    const counts = dryRun ? await service.plan(olderThanMs) : await service.run(olderThanMs, stopping.signal);
    const records = counts.reduce((sum, one) => sum + one.records, 0);
    if (json) console.log(JSON.stringify({ records, kinds: counts, isDryRun: dryRun === true }));
    else {
      for (const one of counts) if (one.records > 0) console.log(`${one.kind.padEnd(18)} ${one.records}`);
      console.log(dryRun ? `${records} records would be deleted (--dry-run).` : `${records} records deleted.`);
    }
    if (stopping.signal.aborted) throw new InterruptedError();
  } finally {
    release();
  }
}

export function addPurgeCommand(program: Command): void {
  program
    .command('purge')
    .description('Delete for good what was archived long ago, with what belongs to it.')
    .option('--older-than <time>', 'archived before that, e.g. 30d; KINDRED_PURGE_AFTER_DAYS unless given', duration)
    .option('--dry-run', 'only say what would be deleted')
    .option('--json', 'print a machine-readable result')
    .action((options: PurgeOptions) => withSession('kindred purge', (session) => purge(session, options)));
}
