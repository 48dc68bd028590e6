import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import type { EmbedOptions } from '../../src/kernel/model/embedder';
import { Lease } from '../../src/kernel/outbox/lease';
import { OutboxBacklog } from '../../src/kernel/outbox/outbox-backlog';
import { OutboxStore } from '../../src/kernel/outbox/outbox-store';
import type { RelayStep } from '../../src/kernel/outbox/relay-step';
import { eventually, kindNames, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

/** Holds whoever comes until it is opened, and says when somebody has come. */
function gate(): { pass: () => Promise<void>; open: () => void; reached: Promise<void> } {
  let reach: () => void = () => undefined;
  let open: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  return {
    pass: () => {
      reach();
      return isOpen;
    },
    open: () => open(),
    reached,
  };
}

const sources = { topic: 'source', kinds: kindNames } as const;
const insertTag = `INSERT INTO tag_concepts (name) VALUES ($1) RETURNING id`;

/** Contents in bulk, one point each. */
function importContents(path: WritePath, count: number): Promise<unknown> {
  return path.database.transaction({ isBulk: true }, (transaction) =>
    transaction.query(
      `INSERT INTO content_items (content_type, content_id, content)
       SELECT 'document', 'import-' || i, 'import ' || i FROM generate_series(1, $1) i`,
      [count],
    ),
  );
}

const isIndexed = async (path: WritePath, id: number): Promise<void> => {
  const [row] = await path.sql<{ state: string }>('SELECT state FROM vector_points WHERE entity_id = $1', [id]);
  expect(row?.state).toBe('indexed');
};

describe('an edit that someone waits for', () => {
  it('passes a long import whose batches keep every ordinary worker busy', async () => {
    const bulk = gate();
    const path = await open({
      onEmbed: (texts) => (texts.some((text) => text.includes('import')) ? bulk.pass() : undefined),
    });
    await importContents(path, 400);
    path.relay();
    await bulk.reached;
    const id = await path.id(insertTag, ['edit']);
    await eventually(() => isIndexed(path, id));
    expect(path.embedded).toEqual(['edit']);
    bulk.open();
    await path.idle();
    expect(await path.drift()).toEqual([]);
  });

  it('is marked for the model, and an import is not', async () => {
    const calls: { texts: readonly string[]; options: EmbedOptions }[] = [];
    const path = await open({
      embedder: createDeterministicEmbedder({ onEmbed: (texts, options) => void calls.push({ texts, options }) }),
    });
    await importContents(path, 10);
    await path.id(insertTag, ['edit']);
    path.relay();
    await path.idle();
    for (const { texts, options } of calls) {
      expect([...new Set(texts.map((text) => !text.includes('import')))]).toEqual([options.isUrgent]);
    }
  });

  it('of a record that is being imported takes the events of both', async () => {
    const path = await open();
    await importContents(path, 3);
    await path.sql(`UPDATE content_items SET content = 'edited' WHERE content = 'import 2'`);
    const claim = await path.outbox.claim({ ...sources, size: 10, isUrgentOnly: true }, 1000);
    expect(claim?.keys.map((key) => key.eventIds.length)).toEqual([2]);
    expect(await path.outbox.claim({ ...sources, size: 10, isUrgentOnly: true }, 1000)).toBeUndefined();
    expect((await path.outbox.claim({ ...sources, size: 10 }, 1000))?.keys).toHaveLength(2);
  });

  it('that another worker is taking does not keep this one from bulk work', async () => {
    const path = await open();
    await importContents(path, 3);
    const id = await path.id(insertTag, ['edit']);
    await path.database.transaction({}, async (transaction) => {
      await transaction.query(`SELECT 1 FROM outbox_events WHERE kind = 'tag_concept' AND key = $1 FOR UPDATE`, [
        String(id),
      ]);
      const claim = await path.outbox.claim({ ...sources, size: 10 }, 1000);
      expect(claim?.isBulk).toBe(true);
      expect(claim?.keys).toHaveLength(3);
    });
  });
});

describe('batches', () => {
  it('are formed across events, up to what suits the model', async () => {
    const sizes: number[] = [];
    const path = await open({ onEmbed: (texts) => void sizes.push(texts.length) });
    await importContents(path, 600);
    const sources = path.relay({ pointConcurrency: 0, urgentPointConcurrency: 0 });
    await eventually(async () =>
      expect(await path.sql(`SELECT 1 FROM outbox_events WHERE topic = 'source'`)).toEqual([]),
    );
    await sources.stop();
    path.relay({ pointConcurrency: 1 });
    await path.idle();
    expect(sizes).toEqual([256, 256, 88]);
  });

  it('bound what is held in memory, however long the queue', async () => {
    const held = gate();
    let waiting = 0;
    const path = await open({
      onEmbed: (texts) => {
        waiting += texts.length;
        return held.pass();
      },
    });
    await importContents(path, 800);
    await path.sql(`INSERT INTO profiles (name) SELECT 'profile ' || i FROM generate_series(1, 100) i`);
    path.relay({ pointBatchSize: 50 });
    await eventually(async () =>
      expect(await path.sql(`SELECT 1 FROM outbox_events WHERE topic = 'source'`)).toEqual([]),
    );
    // Two ordinary loops and an urgent one.
    expect(waiting).toBeLessThanOrEqual(150);
    const [leased] = await path.sql<{ count: number }>(
      `SELECT count(*)::int AS count FROM outbox_events WHERE lease_owner IS NOT NULL`,
    );
    expect(leased?.count).toBeLessThanOrEqual(150);
    held.open();
    await path.idle();
  });

  it('take a key with very many events in parts', async () => {
    const path = await open();
    const id = await path.id(insertTag, ['hot']);
    await path.sql(
      `INSERT INTO outbox_events (topic, kind, key, captured_xid) SELECT 'source', 'tag_concept', $1, -i FROM generate_series(1, 2500) i`,
      [String(id)],
    );
    const claim = await path.outbox.claim({ ...sources, size: 10 }, 50);
    expect(claim?.keys.map((key) => key.eventIds.length)).toEqual([1000]);
    path.relay();
    await path.idle();
    expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });
});

describe('the queue', () => {
  it.each([
    ['fresh statistics', 'fill analyze'],
    ['statistics of an empty table', 'analyze fill'],
  ])('is never read from end to end, with %s', async (_, order) => {
    const path = await open();
    for (const step of order.split(' ')) {
      if (step === 'analyze') await path.sql('VACUUM ANALYZE outbox_events');
      else {
        await path.sql(
          `INSERT INTO outbox_events (topic, kind, key, priority) SELECT 'source', 'tag_concept', i::text, 1 FROM generate_series(1, 20000) i`,
        );
      }
    }
    const read = await path.database.transaction({}, async (transaction) => {
      const outbox = new OutboxStore(transaction);
      const take = async () => {
        const claim = await outbox.claim({ ...sources, size: 64 }, 60_000);
        if (!claim) throw new Error('nothing was claimed');
        expect(claim.keys).toHaveLength(64);
        return claim;
      };
      const [done, late, failed] = [await take(), await take(), await take()];
      await outbox.renew(done, done.keys, 60_000);
      await outbox.acknowledge(done, done.keys);
      await outbox.release(late, late.keys);
      const failure = { code: 'INTERNAL', message: 'no', attempts: 1, retryInMs: 0, isDead: false };
      await outbox.fail(failed, failed.keys, failure);
      expect(await outbox.claim({ topic: 'point', kinds: kindNames, size: 64 }, 60_000)).toBeUndefined();
      const [row] = await transaction.query<{ rows: string }>(
        `SELECT seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE relname = 'outbox_events'`,
      );
      return Number(row?.rows);
    });
    expect(read).toBe(0);
  });

  it.each([
    ['a moment', '10 milliseconds', 100, 150],
    ['twenty seconds', '20 seconds', 2_000, 2_100],
    ['an hour', '1 hour', 5_000, 5_000],
  ])('leaves what has waited %s for a writer alone for a tenth of it, within limits', async (_, age, least, most) => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('held')`);
    const claim = await path.outbox.claim({ ...sources, size: 1 }, 60_000);
    if (!claim) throw new Error('nothing is due');
    await path.database.transaction({}, async (transaction) => {
      // One transaction, so one time.
      await transaction.query('UPDATE outbox_events SET captured_at = now() - $1::interval', [age]);
      await new OutboxStore(transaction).release(claim, claim.keys, { isBusy: true });
      const [row] = await transaction.query<{ pauseMs: number }>(
        'SELECT (extract(epoch FROM available_at - now()) * 1000)::float8 AS "pauseMs" FROM outbox_events',
      );
      expect(row?.pauseMs).toBeGreaterThanOrEqual(least);
      expect(row?.pauseMs).toBeLessThanOrEqual(most);
    });
  });
});

describe('a lease', () => {
  it('is renewed for as long as a call of the model takes', async () => {
    const held = gate();
    const path = await open({ onEmbed: () => held.pass() });
    await path.id(insertTag, ['slow']);
    path.relay({ leaseMs: 1_500 });
    path.relay({ leaseMs: 1_500 });
    await held.reached;
    const endOf = async (): Promise<number> => {
      const [row] = await path.sql<{ end: Date }>('SELECT leased_until AS end FROM outbox_events');
      return row?.end.getTime() ?? 0;
    };
    const first = await endOf();
    await eventually(async () => expect(await endOf()).toBeGreaterThan(first + 1_500));
    held.open();
    await path.idle();
    expect(path.embedded).toEqual(['slow']);
    expect(path.logger.lines.filter((line) => line.message.includes('lost a lease'))).toEqual([]);
  });

  it('is not taken for lost while a batch goes on whose first kinds are done', async () => {
    const held = gate();
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('first')`);
    await path.sql(
      `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'second', 'second')`,
    );
    // Cut in many turns: whether the lease is still held is looked at in each.
    await path.sql(`INSERT INTO stories (title, content) VALUES ('third', repeat('A sentence of the third. ', 20000))`);
    let batches = 0;
    path.relay({ leaseMs: 1_500, sourceConcurrency: 1 }, async (step, { topic }) => {
      if (step === 'rendered' && topic === 'source' && ++batches === 2) await held.pass();
    });
    await held.reached;
    const endOf = async (): Promise<number> => {
      const [row] = await path.sql<{ end: Date }>(
        `SELECT leased_until AS end FROM outbox_events WHERE topic = 'source' AND kind = 'story'`,
      );
      return row?.end.getTime() ?? 0;
    };
    const first = await endOf();
    await eventually(async () => expect(await endOf()).toBeGreaterThan(first + 1_500));
    held.open();
    await path.idle();
    expect(batches).toBe(3);
    expect(path.logger.lines.filter((line) => line.message.includes('lost a lease'))).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });

  it('goes on for what was acknowledged in a transaction that came to nothing', async () => {
    const path = await open();
    await path.sql(insertTag, ['one']);
    await path.sql(insertTag, ['two']);
    const claim = await path.outbox.claim({ ...sources, size: 2 }, 60_000);
    if (!claim) throw new Error('there was nothing to claim');
    const [one, two] = claim.keys;
    if (!one || !two) throw new Error('two keys were expected');
    const lease = new Lease(path.outbox, claim, 60_000);
    try {
      await path.database.transaction({}, (transaction) => lease.acknowledge(transaction, [one]));
      expect(lease.unsettled).toEqual([two]);
      // Refused by the database when it is committed, after everything seemed done.
      await path.sql(`ALTER TABLE profiles ADD CONSTRAINT one_name UNIQUE (name) DEFERRABLE INITIALLY DEFERRED`);
      const failing = path.database.transaction({}, async (transaction) => {
        await transaction.query(`INSERT INTO profiles (name) VALUES ('twin'), ('twin')`);
        await lease.acknowledge(transaction, [two]);
        expect(lease.unsettled).toEqual([]);
      });
      await expect(failing).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(lease.unsettled).toEqual([two]);
      await path.outbox.release(claim, lease.unsettled);
      const [left] = await path.sql<{ owner: string | null }>(
        'SELECT lease_owner AS owner FROM outbox_events WHERE id = $1',
        [two.eventIds[0]],
      );
      expect(left).toEqual({ owner: null });
    } finally {
      lease.end();
    }
  });

  it('is taken and renewed without a write to any index', async () => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 500) i`);
    const claim = await path.outbox.claim({ ...sources, size: 500 }, 60_000);
    expect(claim?.keys).toHaveLength(500);
    // Each backend tells what it did a little later.
    await eventually(async () => {
      const [row] = await path.sql<{ written: number; inPlace: number }>(
        `SELECT n_tup_upd::int AS written, n_tup_hot_upd::int AS "inPlace" FROM pg_stat_user_tables WHERE relname = 'outbox_events'`,
      );
      expect(row).toEqual({ written: 500, inPlace: 500 });
    });
  });

  it('that ended in doubt leaves its events in doubt until they are settled, whatever becomes of the attempts between', async () => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('doubtful')`);
    const take = async () => {
      const claim = await path.outbox.claim({ ...sources, size: 10 }, 60_000);
      if (!claim) throw new Error('nothing is due');
      return claim;
    };
    const first = await take();
    expect(first.keys.map((key) => key.isContested)).toEqual([false]);
    await path.outbox.release(first, first.keys, { isUncertain: true });
    const second = await take();
    expect(second.keys.map((key) => key.isContested)).toEqual([true]);
    // The model did not answer: nothing was written this time.
    await path.outbox.release(second, second.keys);
    const third = await take();
    expect(third.keys.map((key) => key.isContested)).toEqual([true]);
    await path.outbox.fail(third, third.keys, {
      code: 'MODEL_REJECTED',
      message: 'refused',
      attempts: 1,
      retryInMs: 0,
      isDead: false,
    });
    const fourth = await take();
    expect(fourth.keys.map((key) => key.isContested)).toEqual([true]);
  });

  it('that ended in doubt leaves a dead letter in doubt, and with it what is taken along', async () => {
    const path = await open();
    const point = { kind: 'tag_concept', pointId: randomUUID() };
    const take = async () => {
      const claim = await path.outbox.claim({ topic: 'point', kinds: ['tag_concept'], size: 10 }, 60_000);
      if (!claim) throw new Error('nothing is due');
      return claim;
    };
    await path.outbox.enqueuePoints([point], { isBulk: false });
    const first = await take();
    await path.outbox.release(first, first.keys, { isUncertain: true });
    const second = await take();
    await path.outbox.fail(second, second.keys, {
      code: 'MODEL_REJECTED',
      message: 'refused',
      attempts: 1,
      retryInMs: 0,
      isDead: true,
    });
    // The row goes: whoever deletes its point has to know that a request from before may still arrive.
    await path.outbox.enqueuePoints([point], { isBulk: false });
    const third = await take();
    expect(third.keys.map(({ eventIds, isContested }) => ({ events: eventIds.length, isContested }))).toEqual([
      { events: 2, isContested: true },
    ]);
  });

  it('keeps a check that is set for later in doubt where other work on the point takes it along before its time', async () => {
    const path = await open();
    const point = { kind: 'tag_concept', pointId: randomUUID() };
    await path.outbox.enqueuePoints([point], { isBulk: false, delayMs: 600_000 });
    const scope = { topic: 'point', kinds: ['tag_concept'], size: 10 } as const;
    expect(await path.outbox.claim(scope, 60_000)).toBeUndefined();
    await path.outbox.enqueuePoints([point], { isBulk: false });
    const claim = await path.outbox.claim(scope, 60_000);
    expect(claim?.keys.map(({ eventIds, isContested }) => ({ events: eventIds.length, isContested }))).toEqual([
      { events: 2, isContested: true },
    ]);
  });

  it('that is given back while somebody looks whether all is done is not overlooked', async () => {
    const path = await open();
    await path.database.transaction({}, async (transaction) => {
      // What follows has its own time, which is after the beginning of this transaction.
      await path.sql(`INSERT INTO outbox_events (topic, kind, key) VALUES ('tag', 'story', $1)`, [randomUUID()]);
      expect(await new OutboxBacklog(transaction).isIdle(kindNames)).toBe(false);
    });
    await path.sql('DELETE FROM outbox_events');
    expect(await path.backlog.isIdle(kindNames)).toBe(true);
  });

  it('of a worker that died ends, and others do its work', async () => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 20) i`);
    expect((await path.outbox.claim({ ...sources, size: 20 }, 100))?.keys).toHaveLength(20);
    path.relay();
    await path.idle();
    expect(path.embedded).toHaveLength(20);
    expect(await path.drift()).toEqual([]);
  });
});

const changes: [change: string, statements: string[]][] = [
  ['edited', [`UPDATE tag_concepts SET name = 'after'`]],
  ['edited and changed back', [`UPDATE tag_concepts SET name = 'between'`, `UPDATE tag_concepts SET name = 'storm'`]],
  ['given another payload', [`UPDATE tag_concepts SET category = 'weather'`]],
  ['archived', [`UPDATE tag_concepts SET archived_at = now()`]],
  ['deleted', [`DELETE FROM tag_concepts`]],
];
const steps: RelayStep[] = ['claimed', 'embedded', 'upserted', 'acking'];

describe('a worker that sleeps past its lease', () => {
  it.each(steps.flatMap((step) => changes.map(([change, statements]) => ({ step, change, statements }))))(
    'when $step leaves nothing of its own behind where the record is $change meanwhile',
    async ({ step, statements }) => {
      const path = await open();
      const asleep = gate();
      await path.id(insertTag, ['calm']);
      const first = path.relay();
      await path.idle();
      await first.stop();
      // A lease that is never renewed, as if the process stood still.
      const sleeper = path.relay(
        { leaseMs: 60_000, pointConcurrency: 1, urgentPointConcurrency: 0 },
        (at, { topic }) => (at === step && topic === 'point' ? asleep.pass() : undefined),
      );
      await path.sql(`UPDATE tag_concepts SET name = 'storm'`);
      await asleep.reached;
      await path.sql(`UPDATE outbox_events SET leased_until = now()`);
      for (const statement of statements) {
        await path.sql(statement);
        const other = path.relay({ leaseMs: 60_000 });
        await path.idle();
        await other.stop();
      }
      asleep.open();
      await sleeper.stop();
      path.relay();
      // A deletion that was contested is looked at again later.
      await eventually(async () => expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]));
      expect(await path.drift()).toEqual([]);
    },
  );

  const sourceSteps: RelayStep[] = ['claimed', 'rendered', 'acking', 'acked'];

  it.each(sourceSteps.flatMap((step) => changes.map(([change, statements]) => ({ step, change, statements }))))(
    'at a record, when $step, leaves nothing of its own behind where it is $change meanwhile',
    async ({ step, statements }) => {
      const path = await open();
      const asleep = gate();
      await path.id(insertTag, ['calm']);
      const first = path.relay();
      await path.idle();
      await first.stop();
      const sleeper = path.relay({ leaseMs: 60_000 }, (at, { topic }) =>
        at === step && topic === 'source' ? asleep.pass() : undefined,
      );
      await path.sql(`UPDATE tag_concepts SET name = 'storm'`);
      await asleep.reached;
      await path.sql(`UPDATE outbox_events SET leased_until = now()`);
      const changing = (async () => {
        for (const statement of statements) await path.sql(statement);
      })();
      const taken = gate();
      taken.open();
      const other = path.relay({ leaseMs: 60_000 }, (at, { topic }) =>
        at === 'claimed' && topic === 'source' ? taken.pass() : undefined,
      );
      // In the midst of its transaction the record is its own: a deletion waits for it, and the other worker comes again.
      if (step === 'rendered' || step === 'acking') await taken.reached;
      else {
        await changing;
        await path.idle();
      }
      asleep.open();
      await changing;
      await path.idle();
      await Promise.all([sleeper.stop(), other.stop()]);
      path.relay();
      await eventually(async () => expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]));
      expect(await path.drift()).toEqual([]);
    },
  );
});
