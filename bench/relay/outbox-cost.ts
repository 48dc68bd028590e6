import { recordKinds } from '../../src/features/registry';
import { OutboxStore } from '../../src/kernel/outbox/outbox-store';
import type { Core } from '../../src/app/core';
import { median, table } from '../support/report';
import { openCore } from './core';
import type { StoreTargets } from './processes';

const DEPTHS = (process.env['BENCH_DEPTHS'] ?? '1000,10000,100000,1000000').split(',').map(Number);
const ROUNDS = 15;
const KEYS = 64;
const LEASE_MS = 60_000;
const kinds = recordKinds.filter((kind) => kind.embedding).map((kind) => kind.kind);

/** What an event costs to capture, and to take and settle, with so many before it. */
export async function measureOutboxCost(targets: StoreTargets): Promise<string[]> {
  const core = await openCore(targets);
  try {
    const rows: (string | number)[][] = [];
    for (const depth of DEPTHS) {
      await fill(core, depth);
      const capture = await measureCapture(core);
      const settle = await measureSettling(core);
      rows.push([depth, ...[capture, settle.claim, settle.acknowledge].map((ms) => ((ms / KEYS) * 1000).toFixed(0))]);
      console.log(`outbox of ${depth}: ${rows.at(-1)?.slice(1).join(', ')} µs an event`);
    }
    return [
      '## The outbox, by its length',
      '',
      `Bulk events of one kind, ${KEYS} at a time, medians of ${ROUNDS}. Capture: an INSERT of ${KEYS} tags with its triggers. Claim and`,
      'acknowledge: what the relay does for a batch, without the work between.',
      '',
      table(['events pending', 'capture, µs an event', 'claim, µs an event', 'acknowledge, µs an event'], rows),
      '',
    ];
  } finally {
    await core.close();
  }
}

/** Events of tags that do not exist, as if an import had been deleted again. */
async function fill(core: Core, depth: number): Promise<void> {
  const [row] = await core.database.query<{ count: number }>('SELECT count(*)::int AS count FROM outbox_events');
  await core.database.query(
    `INSERT INTO outbox_events (topic, kind, key, priority) SELECT 'source', 'tag_concept', (1000000 + i)::text, 1
     FROM generate_series($1::int, $2::int) i`,
    [row?.count ?? 0, depth],
  );
  await core.database.query('VACUUM ANALYZE outbox_events');
}

async function measureCapture(core: Core): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    await core.database.transaction({ isBulk: true }, (transaction) =>
      transaction.query(
        `INSERT INTO tag_concepts (name) SELECT 'tag ' || gen_random_uuid() FROM generate_series(1, ${KEYS})`,
      ),
    );
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function measureSettling(core: Core): Promise<{ claim: number; acknowledge: number }> {
  const outbox = new OutboxStore(core.database);
  const claims: number[] = [];
  const acknowledgements: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const claim = await outbox.claim({ topic: 'source', kinds, size: KEYS }, LEASE_MS);
    const claimedAt = performance.now();
    if (claim?.keys.length !== KEYS) throw new Error(`${claim?.keys.length ?? 0} keys were claimed instead of ${KEYS}`);
    await outbox.acknowledge(claim, claim.keys);
    claims.push(claimedAt - startedAt);
    acknowledgements.push(performance.now() - claimedAt);
  }
  return { claim: median(claims), acknowledge: median(acknowledgements) };
}
