import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { heedPromotions, type Upkeep } from '../../src/app/upkeep';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';
import { recordingLogger } from '../support/write-path';
import { filled, watchedEmbedder } from './support/model-change';
import type { MortalModelChange } from './support/mortal-model-change.process';
import { runUntilKilled } from './support/mortal-relay';

const TEXTS = Array.from({ length: 30 }, (_, i) => `word${i} tale${i * 31} hill${i * 17}`);

type Death = MortalModelChange['death'];

describe.each<[string, Death, 'former' | 'next']>([
  ['once the collections are there', { step: 'added' }, 'former'],
  ['once every point is queued', { step: 'queued' }, 'former'],
  ['while it has points to fill in', { filling: 'claimed' }, 'former'],
  ['after it has embedded some', { filling: 'embedded' }, 'former'],
  ['after it has written some', { filling: 'upserted' }, 'former'],
  ['before it acknowledges some', { filling: 'acking' }, 'former'],
  ['once everything is compared', { step: 'checked' }, 'former'],
  ['between the record and the aliases', { step: 'exchanged' }, 'former'],
  ['between the aliases and the commit', { step: 'aliased' }, 'former'],
  ['after the promotion', { step: 'promoted' }, 'next'],
  ['before the former collections are deleted', { step: 'retired' }, 'next'],
])('a change of the model that is killed %s', (_, death, live) => {
  let app: TestApp;
  let heeding: Upkeep;

  beforeAll(async () => {
    app = await startApp({
      embedder: watchedEmbedder(),
      next: watchedEmbedder({ dimensions: 32, version: '2' }),
      isRelaying: false,
      relay: { pollMs: 20 },
    });
    heeding = heedPromotions(app.core, recordingLogger());
    await app.core.database.query('INSERT INTO tag_concepts (name) SELECT unnest($1::text[])', [TEXTS]);
    await relaying(() => until(() => app.core.isIdle()));
  });

  afterAll(async () => {
    await heeding.stop();
    await app.close();
  });

  async function relaying(work: () => Promise<void>): Promise<void> {
    const relay = app.core.createRelay();
    relay.start();
    await work();
    await relay.stop();
  }

  async function expectAllFound(): Promise<void> {
    for (const text of TEXTS) {
      const { data } = await app.executeOperation<{ searchTags: { nodes: { name: string }[] } }>(
        'query ($text: String!) { searchTags(query: {text: $text, mode: SEMANTIC}, first: 1) { nodes { name } } }',
        { text },
      );
      expect(data?.searchTags.nodes).toEqual([{ name: text }]);
    }
  }

  it('leaves everything to be found, and is gone on with to its end', async () => {
    const { core } = app;
    await runUntilKilled('mortal-model-change.process.ts', {
      databaseUrl: app.databaseUrl,
      qdrantUrl: app.qdrantUrl,
      prefix: core.catalog.alias(''),
      death,
    } satisfies MortalModelChange);
    await core.catalog.refresh();
    expect(core.catalog.liveModel.dimensions).toBe(live === 'next' ? 32 : 64);
    await expectAllFound();

    // A start as usual leads every alias to what is live.
    await core.catalog.start();
    expect((await core.store.listAliases())[core.catalog.alias('tag_concept')]).toBe(
      core.catalog.route.collection('tag_concept'),
    );
    await relaying(async () => {
      if (live === 'former') {
        await core.modelChange.prepare();
        await filled(core);
        await core.modelChange.promote({ waitMs: 60_000 });
      }
      await core.modelChange.drop();
      await until(() => core.isIdle());
    });
    await expectAllFound();
    expect(await core.store.describeCollection(core.catalog.alias('tag_concept'))).toMatchObject({
      dimensions: 32,
      pointCount: TEXTS.length,
    });
    const { drift, kinds } = await core.services.consistency.check();
    expect(drift).toBe(0);
    expect(kinds.every(({ pending, dead }) => pending + dead === 0)).toBe(true);
    const collections = await core.store.listCollections();
    expect(collections.filter((name) => name.startsWith(core.catalog.alias('tag_concept__')))).toHaveLength(1);
  });
});
