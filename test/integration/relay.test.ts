import { describe, expect, it } from '@jest/globals';

import { recordKinds } from '../../src/features/registry';
import {
  ModelRejectedError,
  ModelThrottledError,
  ModelUnavailableError,
  TextTooLongError,
} from '../../src/kernel/model/embedder';
import { DeadLetters } from '../../src/kernel/outbox/dead-letters';
import { Sync } from '../../src/kernel/outbox/sync';
import { defaultCollectionSettings } from '../../src/kernel/vector/collections';
import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { eventually, kindNames } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const sources = { topic: 'source', kinds: kindNames } as const;
const insertTag = `INSERT INTO tag_concepts (name) VALUES ($1) RETURNING id`;
const insertManyTags = `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, $1) i`;

/** A store whose calls go through `intercept` first. */
function intercepting(
  store: VectorStore,
  intercept: (
    call: 'upsert' | 'overwritePayloads' | 'delete',
    texts: string[],
    repeat: () => Promise<void>,
  ) => void | Promise<void>,
): VectorStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => unknown;
      if (name !== 'upsert' && name !== 'overwritePayloads' && name !== 'delete') return method.bind(target);
      return async (collection: string, points: { payload?: Record<string, unknown> }[]) => {
        await intercept(
          name,
          points.map((point) => String(point.payload?.name)),
          () => method.call(target, collection, points) as Promise<void>,
        );
        return method.call(target, collection, points);
      };
    },
  });
}

class Gate {
  private open: () => void = () => undefined;
  private reach: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  readonly reached = new Promise<void>((resolve) => (this.reach = resolve));
  private isUsed = false;

  /** Holds the first caller until `release`. */
  pass(): Promise<void> | undefined {
    if (this.isUsed) return undefined;
    this.isUsed = true;
    this.reach();
    return this.opened;
  }

  release(): void {
    this.open();
  }
}

describe('several relays on one outbox', () => {
  it('share the work without doing any of it twice', async () => {
    const path = await open();
    await path.sql(insertManyTags, [300]);
    path.relay();
    path.relay();
    path.relay({ pointBatchSize: 5 });
    await path.idle();
    expect(path.embedded).toHaveLength(300);
    expect(new Set(path.embedded).size).toBe(300);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a text that the model cannot take', () => {
  it.each([
    ['is refused', (index: number) => (void index, new ModelRejectedError('no such words here'))],
    ['is too long', (index: number) => new TextTooLongError(index, 'too long by far')],
  ])('%s and goes to the dead letters at once, and nothing else does', async (_, makeError) => {
    const path = await open({
      onEmbed: (texts) => {
        const index = texts.findIndex((text) => text.includes('tag 7 '));
        if (index >= 0) throw makeError(index);
      },
    });
    await path.sql(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i || ' of ten' FROM generate_series(1, 10) i`);
    path.relay();
    await path.idle();
    const states = await path.sql(`SELECT state, count(*)::int FROM vector_points GROUP BY 1 ORDER BY 1`);
    expect(states).toEqual([
      { state: 'failed', count: 1 },
      { state: 'indexed', count: 9 },
    ]);
    const dead = await path.sql('SELECT attempts, error_code, error FROM outbox_events WHERE dead_at IS NOT NULL');
    expect(dead).toHaveLength(1);
    expect(dead[0]).toMatchObject({ attempts: 1, error_code: makeError(0).code, error: makeError(0).message });
  });

  it('is indexed once it has been corrected, and its dead letter goes', async () => {
    const path = await open({
      onEmbed: (texts) => {
        if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
      },
    });
    const id = await path.id(insertTag, ['poison']);
    path.relay();
    await path.idle();
    expect(await path.sql('SELECT 1 FROM outbox_events WHERE dead_at IS NOT NULL')).toHaveLength(1);
    await path.sql(`UPDATE tag_concepts SET name = 'remedy' WHERE id = $1`, [id]);
    await path.idle();
    expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });

  it('says so although a writer held it when it was given up, and then left it as it was', async () => {
    let isHeld: () => void = () => undefined;
    const hasHold = new Promise<void>((resolve) => (isHeld = resolve));
    const gate = new Gate();
    const path = await open({
      onEmbed: async (texts) => {
        if (!texts.includes('poison')) return;
        void gate.pass();
        await hasHold;
        throw new ModelRejectedError('not that');
      },
    });
    const id = await path.id(insertTag, ['poison']);
    path.relay();
    await gate.reached;
    const undone = path.database.transaction({}, async (transaction) => {
      await transaction.query('UPDATE tag_concept_embeddings SET archived_at = now()');
      isHeld();
      await eventually(async () =>
        expect(
          await path.sql(
            `SELECT 1 FROM outbox_events WHERE topic = 'point' AND (dead_at IS NOT NULL OR error_code IS NOT NULL)`,
          ),
        ).toHaveLength(1),
      );
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await path.idle();
    const [status] = await new Sync(path.database).indexingStatus('tag_concept', [id]);
    expect(status).toMatchObject({ state: 'FAILED', failed: 1, pending: 0, error: 'not that' });
    expect(await path.sql('SELECT error FROM outbox_events WHERE dead_at IS NOT NULL')).toEqual([
      { error: 'not that' },
    ]);
  });

  it('is tried again a few times when the model might take it later', async () => {
    let calls = 0;
    const path = await open({
      onEmbed: (texts) => {
        if (!texts.some((text) => text.includes('hesitant'))) return;
        calls++;
        throw new ModelUnavailableError('not now');
      },
    });
    await path.id(insertTag, ['hesitant']);
    path.relay({ maxAttempts: 3 });
    await path.idle();
    const [dead] = await path.sql('SELECT attempts, error FROM outbox_events WHERE dead_at IS NOT NULL');
    expect(dead).toEqual({ attempts: 3, error: 'not now' });
    expect(calls).toBe(3);
  });
});

describe('a record that cannot be carried over', () => {
  it('has too many chunks: it is given up at once, and the others of its batch are not', async () => {
    const path = await open();
    await path.sql(`INSERT INTO stories (title, content)
      SELECT 'Story ' || i, CASE i WHEN 3 THEN repeat(E'One.\\n\\n', 20001) ELSE 'Short.' END FROM generate_series(1, 5) i`);
    path.relay();
    await path.idle();
    expect(await path.sql('SELECT state, count(*)::int FROM vector_points GROUP BY 1')).toEqual([
      { state: 'indexed', count: 4 },
    ]);
    expect(await path.sql('SELECT topic, attempts, error_code FROM outbox_events')).toEqual([
      { topic: 'source', attempts: 1, error_code: 'TOO_MANY_CHUNKS' },
    ]);
  });

  it('is refused by the database: the others of its transaction are carried over without it', async () => {
    const path = await open();
    await path.sql(`ALTER TABLE tag_concept_embeddings ADD CHECK (text NOT LIKE '%poison%')`);
    await path.sql(`INSERT INTO tag_concepts (name) SELECT CASE i WHEN 3 THEN 'poison' ELSE 'tag ' || i END
      FROM generate_series(1, 5) i`);
    path.relay({ maxAttempts: 2 });
    await path.idle();
    expect(await path.sql('SELECT state, count(*)::int FROM vector_points GROUP BY 1')).toEqual([
      { state: 'indexed', count: 4 },
    ]);
    expect(await path.sql('SELECT topic FROM outbox_events WHERE dead_at IS NOT NULL')).toEqual([{ topic: 'source' }]);
  });
});

describe('what was given up about a record that is deleted', () => {
  const dead = 'SELECT topic FROM outbox_events WHERE dead_at IS NOT NULL';

  it('goes with the point that could not be made', async () => {
    const path = await open({
      onEmbed: (texts) => {
        if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
      },
    });
    await path.sql(insertTag, ['poison']);
    path.relay();
    await path.idle();
    expect(await path.sql(dead)).toEqual([{ topic: 'point' }]);
    await path.sql('DELETE FROM tag_concepts');
    await path.idle();
    expect(await path.sql('SELECT 1 FROM outbox_events')).toEqual([]);
    expect(await path.sql('SELECT 1 FROM vector_points')).toEqual([]);
  });

  it('is forgotten where nothing is left to be done about it, and nothing else is', async () => {
    const path = await open();
    const stories = await path.sql<{ id: number }>(
      `INSERT INTO stories (title, content) SELECT 'Story ' || i, 'Short.' FROM generate_series(1, 2) i RETURNING id`,
    );
    path.relay();
    await path.idle();
    const [gone, kept] = stories.map(({ id }) => id);
    const point = 'SELECT qdrant_point_id FROM story_chunk_embeddings WHERE story_id = $1';
    for (const id of [gone, kept]) {
      await path.sql(
        `INSERT INTO outbox_events (topic, kind, key, dead_at) SELECT 'source', 'story', $1::text, now()
         UNION ALL SELECT 'tag', 'story', (${point.replace('$1', '$1::int')})::text, now()`,
        [id],
      );
    }
    // Its deletion was refused: an orphan, which somebody has to see.
    await path.sql(
      `INSERT INTO outbox_events (topic, kind, key, dead_at) VALUES ('point', 'story', gen_random_uuid()::text, now())`,
    );
    const letters = new DeadLetters(
      path.database,
      recordKinds.filter(({ embedding }) => embedding),
    );
    expect(await letters.forgetGone()).toBe(0);

    await path.sql('DELETE FROM stories WHERE id = $1', [gone]);
    await path.idle();
    expect(await letters.forgetGone()).toBe(2);
    expect((await path.sql<{ topic: string }>(dead)).map(({ topic }) => topic).sort()).toEqual([
      'point',
      'source',
      'tag',
    ]);
    await path.sql(`DELETE FROM outbox_events WHERE topic = 'point'`);
    await letters.redriveAll();
    await path.idle();
    expect(await path.sql('SELECT 1 FROM outbox_events')).toEqual([]);
  });
});

describe('a point whose writing fails in a way that nobody foresaw', () => {
  it('is given up alone, after all attempts, and its record says so', async () => {
    const path = await open({
      wrapStore: (store) =>
        intercepting(store, (_, names) => {
          if (names.includes('tag 3')) throw new TypeError('a bug');
        }),
    });
    await path.sql(insertManyTags, [10]);
    path.relay({ maxAttempts: 3 });
    await path.idle();
    expect(await path.sql('SELECT attempts, error_code, error FROM outbox_events WHERE dead_at IS NOT NULL')).toEqual([
      { attempts: 3, error_code: 'INTERNAL', error: 'a bug' },
    ]);
    expect(
      await path.sql(`SELECT payload->>'name' AS name, state, error FROM vector_points WHERE state <> 'indexed'`),
    ).toEqual([{ name: 'tag 3', state: 'failed', error: 'a bug' }]);
  });
});

describe('a model that does not work', () => {
  it.each([
    ['does not answer', () => new ModelUnavailableError('down')],
    ['throttles', () => new ModelThrottledError('slow down', 20)],
    ['refuses the key', () => new ModelRejectedError('bad key')],
  ])('%s: everything waits and no attempt is spent', async (_, makeError) => {
    let isDown = true;
    const path = await open({
      onEmbed: () => {
        if (isDown) throw makeError();
      },
    });
    await path.sql(insertManyTags, [50]);
    const relay = path.relay();
    await eventually(() => expect(relay.outage?.code).toBe(makeError().code));
    await eventually(() =>
      expect(path.logger.lines.filter((line) => line.fields.pump === 'point').length).toBeGreaterThan(3),
    );
    expect(await path.sql('SELECT 1 FROM outbox_events WHERE attempts > 0')).toEqual([]);
    isDown = false;
    await path.idle();
    // The last event is acknowledged a moment before its step returns.
    await eventually(() => expect(relay.outage).toBeUndefined());
    expect(await path.drift()).toEqual([]);
  });
});

describe('a vector server that does not work', () => {
  it('is waited for without spending attempts', async () => {
    let failures = 5;
    const path = await open({
      wrapStore: (store) =>
        intercepting(store, () => {
          if (failures-- > 0) throw new VectorStoreUnavailableError('hung up');
        }),
    });
    await path.sql(insertManyTags, [20]);
    path.relay();
    await path.idle();
    expect(failures).toBeLessThan(0);
    expect(path.logger.lines.filter((line) => line.level === 'error')).toEqual([]);
    expect(await path.drift()).toEqual([]);
  });

  it('refuses one point: only that one is given up', async () => {
    const path = await open({
      wrapStore: (store) =>
        intercepting(store, (_, names) => {
          if (names.includes('tag 3')) throw new VectorStoreRejectedError('will not have it', 400);
        }),
    });
    await path.sql(insertManyTags, [10]);
    path.relay();
    await path.idle();
    const failed = await path.sql(
      `SELECT error_code, error, payload->>'name' AS name FROM vector_points WHERE state <> 'indexed'`,
    );
    expect(failed).toEqual([{ error_code: 'VECTOR_STORE_REJECTED', error: 'will not have it', name: 'tag 3' }]);
    expect(await path.points('tag_concept')).toHaveLength(9);
  });

  it('has another collection in the place of ours: all waits, and none is to blame', async () => {
    const path = await open();
    await path.sql(insertManyTags, [5]);
    path.relay();
    await path.idle();
    const collections = await path.store.listCollections();
    const ours = collections.find((name) => name.startsWith(`${path.prefix}tag_concept`)) ?? '';
    await path.store.deleteCollection(ours);
    const { prefix: _, ...layout } = defaultCollectionSettings;
    await path.store.createCollection({ name: ours, dimensions: 3, payloadIndexes: {}, ...layout });
    await path.sql(`UPDATE tag_concepts SET name = 'new ' || name`);
    await eventually(() =>
      expect(path.logger.lines.filter(({ fields }) => fields.code === 'COLLECTION_MISMATCH').length).toBeGreaterThan(2),
    );
    expect(await path.sql('SELECT 1 FROM outbox_events WHERE attempts > 0 OR dead_at IS NOT NULL')).toEqual([]);

    await path.store.deleteCollection(ours);
    await path.idle();
    expect(await path.drift()).toEqual([]);
  });

  it('lost a collection: it is made again and filled again', async () => {
    const path = await open();
    await path.sql(insertManyTags, [20]);
    path.relay();
    await path.idle();
    const collections = await path.store.listCollections();
    const lost = collections.find((name) => name.startsWith(`${path.prefix}tag_concept`)) ?? '';
    await path.store.deleteCollection(lost);
    await path.sql(`UPDATE tag_concepts SET name = 'changed' WHERE name = 'tag 1'`);
    await path.idle();
    expect(await path.points('tag_concept')).toHaveLength(20);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a database that drops every connection', () => {
  it('is come back to, and hears of new work again', async () => {
    const path = await open();
    await path.sql(insertManyTags, [30]);
    const relay = path.relay({ pollMs: 60_000 });
    await path.idle();
    await path
      .sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()')
      .catch(() => undefined);
    await eventually(() => path.id(insertTag, ['after the loss']));
    await eventually(async () => expect(await path.points('tag_concept')).toHaveLength(31));
    await eventually(() => expect(relay.outage).toBeUndefined());
    expect(await path.drift()).toEqual([]);
  });
});

describe('a worker that is late', () => {
  it('gives up what another worker has taken over', async () => {
    const gate = new Gate();
    const path = await open({ onEmbed: () => gate.pass() });
    await path.id(insertTag, ['first']);
    const late = path.relay({ leaseMs: 60, pointConcurrency: 1 });
    await gate.reached;
    // What another worker does once a lease has ended.
    await path.sql(
      `UPDATE outbox_events SET lease_owner = gen_random_uuid(), leased_until = now() + interval '300 ms'`,
    );
    await eventually(() =>
      expect(path.logger.lines.map((line) => line.message)).toContainEqual(expect.stringContaining('lost a lease')),
    );
    gate.release();
    await path.idle();
    await late.stop();
    expect(await path.drift()).toEqual([]);
  });

  it('does not bring back a point that was deleted while it wrote', async () => {
    const gate = new Gate();
    const path = await open({
      wrapStore: (store) => intercepting(store, (call) => (call === 'upsert' ? gate.pass() : undefined)),
    });
    const id = await path.id(insertTag, ['fleeting']);
    path.relay({ pointConcurrency: 2 });
    await gate.reached;
    await path.sql('DELETE FROM tag_concepts WHERE id = $1', [id]);
    await eventually(async () => expect(await path.sql('SELECT * FROM vector_points')).toEqual([]));
    gate.release();
    await path.idle();
    expect(await path.points('tag_concept')).toEqual([]);
  });

  it('does not leave the vector of a text that was changed and changed back', async () => {
    const gate = new Gate();
    let isArmed = false;
    const path = await open();
    const id = await path.id(insertTag, ['calm']);
    // The storm is in the vector server, and its writer has not yet said so.
    path.relay({ pointConcurrency: 2 }, (step) => (isArmed && step === 'upserted' ? gate.pass() : undefined));
    await path.idle();
    isArmed = true;
    await path.sql(`UPDATE tag_concepts SET name = 'storm' WHERE id = $1`, [id]);
    await gate.reached;
    await path.sql(`UPDATE tag_concepts SET name = 'calm' WHERE id = $1`, [id]);
    await eventually(async () => {
      const [point] = await path.sql<{ state: string }>('SELECT state FROM vector_points');
      expect(point?.state).toBe('indexed');
    });
    gate.release();
    await path.idle();
    expect(await path.drift()).toEqual([]);
  });

  it('is found out when it ended between writing and saying so', async () => {
    let isArmed = true;
    const path = await open();
    await path.sql(insertManyTags, [10]);
    const dying = path.relay({ pointConcurrency: 1, leaseMs: 200 }, (step) => {
      if (step !== 'upserted' || !isArmed) return;
      isArmed = false;
      throw new VectorStoreUnavailableError('the answer never came');
    });
    await path.idle();
    await dying.stop();
    expect(isArmed).toBe(false);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a request without an answer', () => {
  it('brings no point back when it arrives after the write was repeated and the record deleted', async () => {
    let arrive: (() => Promise<void>) | undefined;
    const path = await open({
      wrapStore: (store) =>
        intercepting(store, (call, _texts, repeat) => {
          if (call !== 'upsert' || arrive) return;
          arrive = repeat;
          throw new VectorStoreUnavailableError('no answer in time');
        }),
    });
    const id = await path.id(insertTag, ['fleeting']);
    path.relay({ recheckMs: 600_000 });
    await path.idle();
    expect(await path.points('tag_concept')).toHaveLength(1);
    await path.sql('DELETE FROM tag_concepts WHERE id = $1', [id]);
    await path.idle();
    expect(await path.points('tag_concept')).toEqual([]);
    await arrive?.();
    expect(await path.points('tag_concept')).toHaveLength(1);
    // The time passes in which such a request may arrive.
    await path.sql(`UPDATE outbox_events SET available_at = now()`);
    await eventually(async () => expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]));
    expect(await path.points('tag_concept')).toEqual([]);
  });
});

describe('stopping', () => {
  it('gives back at once what does not end in time', async () => {
    const gate = new Gate();
    const path = await open({ onEmbed: () => gate.pass() });
    await path.id(insertTag, ['slow']);
    const relay = path.relay({ stopGraceMs: 30, leaseMs: 60_000 });
    await gate.reached;
    const stopped = relay.stop();
    gate.release();
    await stopped;
    const events = await path.sql(
      'SELECT leased_until, lease_owner, attempts, available_at <= now() AS is_due FROM outbox_events',
    );
    // Whether it was cut off or just made it, nothing stays leased.
    for (const event of events)
      expect(event).toEqual({ leased_until: null, lease_owner: null, attempts: 0, is_due: true });
    path.relay();
    await path.idle();
    expect(await path.drift()).toEqual([]);
  });
});

describe('a claim', () => {
  it('takes what someone waits for before bulk work', async () => {
    const path = await open();
    await path.database.transaction({ isBulk: true }, (transaction) => transaction.query(insertManyTags, [50]));
    const urgent = await path.id(insertTag, ['now']);
    const claim = await path.outbox.claim({ ...sources, size: 10 }, 1000);
    expect(claim?.keys.map((key) => key.key)).toEqual([String(urgent)]);
    expect(claim?.isBulk).toBe(false);
    const next = await path.outbox.claim({ ...sources, size: 10 }, 1000);
    expect(next?.isBulk).toBe(true);
    expect(next?.keys).toHaveLength(10);
  });

  it('gives each kind its share', async () => {
    const path = await open();
    await path.sql(insertManyTags, [100]);
    await path.sql(`INSERT INTO stories (title, content) VALUES ('a', 'a'), ('b', 'b')`);
    const claim = await path.outbox.claim({ ...sources, size: 20 }, 1000);
    const kinds = claim?.keys.map((key) => key.kind) ?? [];
    expect(kinds.filter((kind) => kind === 'story')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'tag_concept')).toHaveLength(10);
  });

  it('takes all events of a key together, and those that come later separately', async () => {
    const path = await open();
    const id = await path.id(insertTag, ['one']);
    await path.sql(`UPDATE tag_concepts SET name = 'two' WHERE id = $1`, [id]);
    const claim = await path.outbox.claim({ ...sources, size: 10 }, 1000);
    expect(claim?.keys).toHaveLength(1);
    expect(claim?.keys[0]?.eventIds).toHaveLength(2);
    await path.sql(`UPDATE tag_concepts SET name = 'three' WHERE id = $1`, [id]);
    if (claim) expect(await path.outbox.acknowledge(claim, claim.keys)).toEqual([]);
    expect(await path.sql('SELECT 1 FROM outbox_events')).toHaveLength(1);
  });

  it('is contested after a lease that ran out, and the former owner can settle nothing', async () => {
    const path = await open();
    await path.id(insertTag, ['one']);
    const first = await path.outbox.claim({ ...sources, size: 10 }, 0);
    const second = await path.outbox.claim({ ...sources, size: 10 }, 1000);
    if (!first || !second) throw new Error('nothing was claimed');
    expect(first.keys[0]?.isContested).toBe(false);
    expect(second.keys[0]?.isContested).toBe(true);
    expect(await path.outbox.renew(first, first.keys, 1000)).toBe(false);
    expect(await path.outbox.acknowledge(first, first.keys)).toHaveLength(1);
    expect(await path.outbox.acknowledge(second, second.keys)).toEqual([]);
  });
});

describe('a record that a writer holds', () => {
  it('is neither waited for nor forgotten', async () => {
    const path = await open();
    const id = await path.id(insertTag, ['kept']);
    const other = await path.id(insertTag, ['free']);
    const rolledBack = path.database
      .transaction({}, async (transaction) => {
        await transaction.query('DELETE FROM tag_concepts WHERE id = $1', [id]);
        path.relay();
        await eventually(async () => {
          const [row] = await path.sql<{ state: string }>('SELECT state FROM vector_points WHERE entity_id = $1', [
            other,
          ]);
          expect(row?.state).toBe('indexed');
        });
        throw new Error('changed my mind');
      })
      .catch((error: Error) => error.message);
    expect(await rolledBack).toBe('changed my mind');
    await path.idle();
    expect(await path.points('tag_concept')).toHaveLength(2);
    expect(await path.drift()).toEqual([]);
  });
});
