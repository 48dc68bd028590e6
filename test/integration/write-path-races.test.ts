import { describe, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';

import { VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { eventually, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

/** A transaction of another program, open for as long as `work` goes on; then committed. */
async function inTransaction(
  path: WritePath,
  work: (client: PoolClient) => Promise<void>,
  isolation = 'READ COMMITTED',
): Promise<void> {
  const client = await path.database.pool.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    await work(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const insertProfile = `INSERT INTO profiles (name, headline) VALUES ('Ada', 'Keeps bees') RETURNING id`;
const insertSkill = `INSERT INTO skills (profile_id, name) VALUES ($1, 'queen rearing')`;

async function archivedFlags(path: WritePath, kind: string): Promise<unknown[]> {
  return (await path.points(kind)).map((point) => point.payload.archived);
}

describe('a record that comes while its owner is being archived', () => {
  it('is archived with it', async () => {
    const path = await open();
    path.relay();
    const profile = await path.id(insertProfile);
    await path.idle();

    await inTransaction(path, async (client) => {
      await client.query('UPDATE profiles SET archived_at = now() WHERE id = $1', [profile]);
      await path.sql(insertSkill, [profile]);
      // The skill's event can be taken now, and nobody knows yet how the archiving ends.
      await eventually(async () => {
        const [event] = await path.sql(`SELECT error_code FROM outbox_events WHERE kind = 'skill'`);
        if (event && event.error_code !== 'BUSY') throw new Error('the skill has not been looked at');
      });
    });
    await path.idle();

    expect(await archivedFlags(path, 'skill')).toEqual([true]);
    expect(await path.drift()).toEqual([]);
  });

  it('is archived with it by a transaction that does not see it', async () => {
    const path = await open();
    path.relay();
    const profile = await path.id(insertProfile);
    await path.idle();

    await inTransaction(
      path,
      async (client) => {
        await client.query('SELECT 1 FROM profiles');
        await path.sql(insertSkill, [profile]);
        await path.idle();
        await client.query('UPDATE profiles SET archived_at = now() WHERE id = $1', [profile]);
      },
      'REPEATABLE READ',
    );
    await path.idle();

    expect(await archivedFlags(path, 'skill')).toEqual([true]);
  });
});

describe('records that come with their owner', () => {
  it('are looked at once, whichever of them is looked at first', async () => {
    const path = await open();
    await path.sql(
      `WITH owner AS (${insertProfile}) INSERT INTO skills (profile_id, name)
       SELECT owner.id, 'skill ' || n FROM owner CROSS JOIN generate_series(1, 5) n`,
    );
    // The owner's event is the first, so that the others are still to come when it is looked at.
    await path.sql(`UPDATE outbox_events SET id = 0 WHERE kind = 'profile'`);
    const rendered: number[] = [];
    path.relay({}, (step, { topic, keys }) => {
      if (step === 'rendered' && topic === 'source') rendered.push(keys);
    });
    await path.idle();

    expect(rendered).toEqual([1, 5]);
    expect(await path.points('skill')).toHaveLength(5);
  });
});

describe('TRUNCATE by a transaction that does not see all rows', () => {
  it('leaves no point behind', async () => {
    const path = await open();
    path.relay();

    const truncated = inTransaction(
      path,
      async (client) => {
        await client.query('SELECT 1 FROM tag_concepts');
        await path.sql(`INSERT INTO tag_concepts (name) VALUES ('late')`);
        await path.idle();
        await client.query('TRUNCATE tag_concepts CASCADE');
      },
      'REPEATABLE READ',
    );
    await truncated.catch(() => undefined);
    await path.idle();

    expect(await path.drift()).toEqual([]);
    const [{ rows } = { rows: -1 }] = await path.sql<{ rows: number }>(
      'SELECT count(*)::int AS rows FROM tag_concepts',
    );
    expect(await path.points('tag_concept')).toHaveLength(rows);
  });
});

/** A store whose first deletion gets no answer in time, and is carried out once `arrive` is called. */
function withLateDeletion(store: VectorStore, late: { arrive?: () => Promise<void> }): VectorStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => Promise<void>;
      if (name !== 'delete') return method.bind(target);
      return (...args: unknown[]) => {
        if (late.arrive) return method.apply(target, args);
        late.arrive = () => method.apply(target, args);
        return Promise.reject(new VectorStoreUnavailableError('no answer in time'));
      };
    },
  });
}

describe('a point id that is given to a new row', () => {
  it('is not deleted by a request that arrives late', async () => {
    const late: { arrive?: () => Promise<void> } = {};
    const path = await open({ wrapStore: (store) => withLateDeletion(store, late) });
    const first = path.relay();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('beekeeping')`);
    await path.idle();
    await first.stop();
    // One that leaves records alone, or it would put a row of its own in the place of the one that is to come back.
    path.relay({ sourceConcurrency: 0 });
    const [row] = await path.sql('DELETE FROM tag_concept_embeddings RETURNING *');
    await eventually(() => {
      if (!late.arrive) throw new Error('nothing has been deleted');
    });

    // As a restored backup has it.
    await path.sql(
      `INSERT INTO tag_concept_embeddings SELECT * FROM jsonb_populate_record(NULL::tag_concept_embeddings, $1)`,
      [JSON.stringify(row)],
    );
    path.relay();
    await path.idle();
    await late.arrive?.();

    expect(await path.drift()).toEqual([]);
  });
});

describe('a collection that vanishes after a first write to it', () => {
  it('is filled again with what was written to it', async () => {
    const path = await open();
    let vanish = async (): Promise<void> => {
      vanish = () => Promise.resolve();
      await path.store.deleteCollection(`${path.prefix}tag_concept__feature-hash__1`);
      await path.catalog.restore();
    };
    path.relay({}, (step) => (step === 'upserted' ? vanish() : undefined));

    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('a'), ('b')`);
    await path.idle();

    expect(await path.points('tag_concept')).toHaveLength(2);
    expect(await path.drift()).toEqual([]);
  });
});

describe('an embedding row that somebody else inserts', () => {
  it('gets the payload of its record', async () => {
    const path = await open();
    path.relay();
    await path.sql(`INSERT INTO tag_concepts (name, category) VALUES ('beekeeping', 'craft')`);
    await path.idle();
    // Before the relay makes it anew.
    const row = await path.database.transaction({}, async (transaction) => {
      const [gone] = await transaction.query('DELETE FROM tag_concept_embeddings RETURNING *');
      await transaction.query(`DELETE FROM outbox_events WHERE topic = 'source'`);
      return gone;
    });
    await path.idle();

    await path.sql(
      `INSERT INTO tag_concept_embeddings SELECT * FROM jsonb_populate_record(NULL::tag_concept_embeddings, $1)`,
      [JSON.stringify(row)],
    );
    await path.idle();

    const points = await path.points('tag_concept');
    expect(points.map(({ payload }) => payload.category)).toEqual(['craft']);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a transaction whose connection breaks between two statements', () => {
  it('says that the database does not answer', async () => {
    const path = await open();

    const written = path.database.transaction({}, async (transaction) => {
      const [backend] = await transaction.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await path.sql('SELECT pg_terminate_backend($1)', [backend?.pid]);
      await eventually(() => {
        if (!transaction.manager.queryRunner?.isReleased) throw new Error('the end is not known yet');
      });
    });

    await expect(written).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
  });
});
