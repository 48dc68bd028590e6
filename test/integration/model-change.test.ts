import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { createCore, type Core } from '../../src/app/core';
import { driftKinds } from '../../src/kernel/consistency/consistency-report';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';

describe('another model', () => {
  let app: TestApp;
  let core: Core;
  const embedder = createDeterministicEmbedder({ dimensions: 32, version: '2' });

  beforeAll(async () => {
    app = await startApp();
    await app.executeOperation(
      'mutation { createTag(input: {name: "Harbour", description: "Where ships rest"}) { syncToken } }',
    );
    await app.executeOperation(
      'mutation { createStory(input: {title: "Port", content: "Where ships rest\\n\\nThe harbour where ships rest"}) { syncToken } }',
    );
    await app.settle();
    await app.core.database.query(
      `UPDATE story_chunk_tags SET status = 'accepted' WHERE story_chunk_id = (SELECT min(id) FROM story_chunk_embeddings)`,
    );
    await app.settle();
    await app.relay?.stop();
    core = await createCore({
      databaseUrl: app.databaseUrl,
      poolSize: 4,
      applicationName: 'model change test',
      qdrantUrl: app.qdrantUrl,
      qdrantApiKey: process.env.QDRANT_API_KEY,
      embedder,
      collections: { prefix: app.core.catalog.alias('') },
      logger: pino({ level: 'silent' }),
    });
  });
  afterAll(async () => {
    await core.close();
    await app.close();
  });

  it('is refused with what to do', async () => {
    await expect(core.catalog.start()).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringContaining('kindred reindex') as unknown,
    });
  });

  it('embeds everything anew, leads the alias there and drops the former collections', async () => {
    await core.catalog.start({ isModelChange: true });
    const relay = core.createRelay();
    relay.start();
    await until(() => core.isIdle());
    await relay.stop();
    const alias = core.catalog.alias('tag_concept');
    expect(await core.store.describeCollection(alias)).toMatchObject({ dimensions: 32, pointCount: 1 });
    const report = await core.services.consistency.check();
    expect(report.drift).toBe(0);
    expect(report.kinds.every((kind) => driftKinds.every((drift) => kind[drift] === 0))).toBe(true);
    expect(await core.catalog.dropRetired()).toContain(`${alias}__feature-hash__1`);
    expect(await core.store.listCollections()).not.toContain(`${alias}__feature-hash__1`);
    // A start as usual has nothing left to refuse.
    await core.catalog.start();
  });

  it('tags everything anew by its scores, and leaves decisions', async () => {
    const tagged = await core.database.query(
      `SELECT a.status, a.source, model.version, a.score > 0.4 AS "isNear" FROM story_chunk_tags a
       JOIN embedding_models model ON model.id = a.model_id ORDER BY a.story_chunk_id`,
    );
    expect(tagged).toEqual([
      { status: 'accepted', source: 'auto', version: '2', isNear: true },
      { status: 'suggested', source: 'auto', version: '2', isNear: true },
    ]);
  });
});
