import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { createCore } from '../../src/app/core';
import { recordKinds } from '../../src/features/registry';
import { DEFAULT_BATCH_SIZES } from '../../src/kernel/consistency/batch-sizes';
import { Consistency } from '../../src/kernel/consistency/consistency';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { wrong } from '../support/drift';
import { watchedStore } from '../support/watched-store';

const TAGS = { kinds: ['tag_concept'] };

describe('a point that is looked at for a second time', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
    await app.core.database.query(`INSERT INTO tag_concepts (name) VALUES ('ash'), ('birch'), ('cedar'), ('dogwood')`);
    await app.settle();
  });
  afterAll(() => app.close());

  const pointOf = async (name: string): Promise<string> => {
    const [row] = await app.core.database.query<{ id: string }>(
      `SELECT qdrant_point_id AS id FROM tag_concept_embeddings WHERE text = $1`,
      [name],
    );
    if (!row) throw new Error(`there is no tag ${name}`);
    return row.id;
  };

  /** Checks in a store whose pages do not have the tag's point; then `change` comes and is followed before Qdrant's answer is. */
  async function checkWhile(name: string, change: string) {
    const hidden = await pointOf(name);
    let changes = 0;
    const store = watchedStore(app.core.store, (real) => ({
      scroll: async (...request) => {
        const page = await real.scroll(...request);
        return { ...page, points: page.points.filter(({ id }) => id !== hidden) };
      },
      retrieve: async (...request) => {
        const answer = await real.retrieve(...request);
        changes += 1;
        await app.core.database.query(change);
        await app.settle();
        return answer;
      },
    }));
    const found = await new Consistency({ ...app.core, store, kinds: recordKinds }).check(TAGS);
    expect(changes).toBe(1);
    return wrong(found);
  }

  it('is right when nothing is wrong with it', async () => {
    expect(await checkWhile('ash', 'SELECT 1')).toEqual({});
  });

  it('is no drift when its text changed meanwhile, and all of that was followed', async () => {
    expect(await checkWhile('birch', `UPDATE tag_concepts SET name = 'beech' WHERE name = 'birch'`)).toEqual({});
  });

  it('is no drift when its payload changed meanwhile', async () => {
    expect(await checkWhile('cedar', `UPDATE tag_concepts SET category = 'tree' WHERE name = 'cedar'`)).toEqual({});
  });

  it('is no drift when it was deleted meanwhile', async () => {
    expect(await checkWhile('dogwood', `DELETE FROM tag_concepts WHERE name = 'dogwood'`)).toEqual({});
  });
});

describe('another model that comes live while a check goes on', () => {
  it('ends it with what happened; the points of that model are not drift', async () => {
    const app = await startApp();
    try {
      await app.core.database.query(
        `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 30) AS i`,
      );
      await app.settle();
      await app.relay?.stop();
      let hasChanged = false;
      const store = watchedStore(app.core.store, (real) => ({
        scroll: async (...request) => {
          const page = await real.scroll(...request);
          if (!hasChanged) await changeModel(app);
          hasChanged = true;
          return page;
        },
      }));
      const consistency = new Consistency({
        ...app.core,
        store,
        kinds: recordKinds,
        batchSizes: { ...DEFAULT_BATCH_SIZES, points: 10 },
      });
      await expect(consistency.repair(TAGS)).rejects.toMatchObject({ code: 'COLLECTION_MISMATCH' });
      expect(await app.core.isIdle()).toBe(true);
    } finally {
      await app.close();
    }
  });

  async function changeModel(app: TestApp): Promise<void> {
    const core = await createCore({
      databaseUrl: app.databaseUrl,
      poolSize: 4,
      applicationName: 'consistency test',
      qdrantUrl: app.qdrantUrl,
      qdrantApiKey: process.env.QDRANT_API_KEY,
      embedder: createDeterministicEmbedder({ version: '2' }),
      collections: { prefix: app.core.catalog.alias('') },
      logger: pino({ level: 'silent' }),
    });
    try {
      await core.catalog.start({ isModelChange: true });
      const relay = core.createRelay(undefined, { isFillingOnly: true });
      relay.start();
      await core.modelChange.prepare();
      await core.modelChange.waitUntilFilled({});
      await core.modelChange.promote();
      await relay.stop();
      await core.modelChange.drop();
      // What follows from it is not what is asked about here.
      await core.database.query('DELETE FROM outbox_events');
    } finally {
      await core.close();
    }
  }
});
