import type { Core } from '../app/core';
import { demoRecords } from '../demo/demo-records';
import { DomainError } from '../kernel/errors/domain-error';
import { ImportWriter } from '../import/import-writer';

/** What the start prints to try first; the README shows its answer, so it asks only for what any processor answers alike. */
export const DEMO_QUERY =
  '{ searchProfiles(query: {text: "someone to look after the bees on our roof"}, first: 1) ' +
  '{ nodes { name headline matchingJobs(first: 2) { edges { score node { title company } } } } } }';

/** Writes the demo's records. @returns how many are new or changed */
export async function loadDemo(core: Core): Promise<number> {
  const writer = new ImportWriter(core.database, core.registry, 'demo');
  let changed = 0;
  for (const items of demoRecords()) {
    for (const outcome of await writer.write(items)) {
      if (outcome.outcome === 'rejected') throw new DomainError('INTERNAL', `A demo record is bad: ${outcome.reason}`);
      if (outcome.outcome !== 'unchanged') changed += 1;
    }
  }
  return changed;
}

/** Loads the demo into a database that has no record of any kind. @returns whether it did */
export async function loadDemoWhenEmpty(core: Core): Promise<boolean> {
  const checks = core.registry.all.map((kind) => `EXISTS (SELECT 1 FROM ${kind.table})`);
  const [row] = await core.database.query<{ used: boolean }>(`SELECT ${checks.join(' OR ')} AS used`);
  if (row?.used !== false) return false;
  await loadDemo(core);
  return true;
}
