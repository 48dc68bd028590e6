import type { Core } from '../app/core';
import type { Transaction } from '../kernel/db/database';
import { demoRecords } from '../demo/demo-records';
import { DomainError } from '../kernel/errors/domain-error';
import { ImportWriter } from '../import/import-writer';

/** What the start prints to try first; the README shows its answer, so it asks only for what any processor answers alike. */
export const DEMO_QUERY =
  '{ searchProfiles(query: {text: "someone to look after the bees on our roof"}, first: 1) ' +
  '{ nodes { name headline matchingJobs(first: 2) { edges { score node { title company } } } } } }';

const SETTINGS = { actor: 'demo', isBulk: true };
const LOCK_NAME = 'kindred_demo';

/** Writes the demo's records, all or none. @returns how many are new or changed */
export function loadDemo(core: Core): Promise<number> {
  return core.database.transaction(SETTINGS, (transaction) => writeDemo(core, transaction));
}

/**
 * Loads the demo into a database that has no record of any kind. Whole, or a start that is cut short would leave a part
 * of it that no later start completes. @returns whether it did
 */
export function loadDemoWhenEmpty(core: Core): Promise<boolean> {
  return core.database.transaction(SETTINGS, async (transaction) => {
    // Servers that start together on one database take turns.
    await transaction.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
    const checks = core.registry.all.map((kind) => `EXISTS (SELECT 1 FROM ${kind.table})`);
    const [row] = await transaction.query<{ used: boolean }>(`SELECT ${checks.join(' OR ')} AS used`);
    if (row?.used !== false) return false;
    await writeDemo(core, transaction);
    return true;
  });
}

async function writeDemo(core: Core, transaction: Transaction): Promise<number> {
  const writer = new ImportWriter({ transaction: (_, work) => work(transaction) }, core.registry);
  let changed = 0;
  for (const items of demoRecords()) {
    for (const outcome of await writer.write(items)) {
      if (outcome.outcome === 'rejected') throw new DomainError('INTERNAL', `A demo record is bad: ${outcome.reason}`);
      if (outcome.outcome !== 'unchanged') changed += 1;
    }
  }
  return changed;
}
