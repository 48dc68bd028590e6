import type { Core } from '../../src/app/core';
import { median, range, table } from '../support/report';
import { openCore } from './core';
import { startRelayProcess, type StoreTargets } from './processes';
import { importStories, inBatches, untilIdle } from './throughput';
import { makeStories, POINTS_A_STORY } from './stories';

const POINTS = Number(process.env['BENCH_POINTS'] ?? 100_000);
const EDITS = 20;
const PATIENCE_MS = 60_000;

/** A long import with edits in between. */
export async function measureBacklog(targets: StoreTargets): Promise<string[]> {
  const core = await openCore(targets);
  try {
    const relay = await startRelayProcess(targets);
    await relay.begin();
    const idle = await edits(core);
    const stories = Math.max(1, Math.ceil((POINTS - (await pointCount(core))) / POINTS_A_STORY));
    const startedAt = performance.now();
    await importStories(targets.databaseUrl, inBatches(makeStories(stories, 100)));
    const importedSeconds = (performance.now() - startedAt) / 1000;
    const pendingBefore = await pending(core);
    const busy = await edits(core);
    const pendingAfter = await pending(core);
    await untilIdle(core);
    const seconds = (performance.now() - startedAt) / 1000;
    await relay.stop();
    return report({ stories, importedSeconds, seconds, pendingBefore, pendingAfter, idle, busy });
  } finally {
    await core.close();
  }
}

/** How long one record, written while someone waits, takes to be searchable; ms. */
async function edits(core: Core): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < EDITS; i++) {
    const startedAt = performance.now();
    const token = await core.database.transaction({}, async (transaction) => {
      await transaction.query(`INSERT INTO stories (title, content) VALUES ('Edit', $1)`, [`An edit, ${startedAt}.`]);
      return core.sync.tokenOf(transaction);
    });
    await core.sync.awaitSync(token, PATIENCE_MS);
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function count(core: Core, sql: string): Promise<number> {
  const [row] = await core.database.query<{ count: number }>(sql);
  return row?.count ?? 0;
}

const pending = (core: Core): Promise<number> =>
  count(core, 'SELECT count(*)::int AS count FROM outbox_events WHERE dead_at IS NULL');
const pointCount = (core: Core): Promise<number> => count(core, 'SELECT count(*)::int AS count FROM vector_points');

interface Figures {
  stories: number;
  importedSeconds: number;
  seconds: number;
  pendingBefore: number;
  pendingAfter: number;
  idle: number[];
  busy: number[];
}

function report({ stories, importedSeconds, seconds, pendingBefore, pendingAfter, idle, busy }: Figures): string[] {
  return [
    '## A long import, and edits meanwhile',
    '',
    `${stories} stories, inserted in ${importedSeconds.toFixed(0)} s, all searchable after ${seconds.toFixed(0)} s:`,
    `${((stories * POINTS_A_STORY) / seconds).toFixed(0)} points a second over the whole. While it ran, ${EDITS} single stories were written one`,
    `after another by somebody who waited for each (${pendingBefore} events were pending at the first, ${pendingAfter} after the last).`,
    '',
    table(
      ['a single edit until it is searchable', 'median, ms', 'lowest–highest'],
      [
        ['nothing else to do', median(idle).toFixed(0), range(idle, 0)],
        ['behind the import', median(busy).toFixed(0), range(busy, 0)],
      ],
    ),
    '',
  ];
}
