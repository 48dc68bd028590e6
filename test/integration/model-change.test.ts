import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { heedPromotions } from '../../src/app/upkeep';
import { driftKinds } from '../../src/kernel/consistency/consistency-report';
import { StandbyStore } from '../../src/kernel/model-change/standby-store';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import { GenerationStore } from '../../src/kernel/vector/generation-store';
import type { Core } from '../../src/app/core';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { recordingLogger } from '../support/write-path';
import { until } from '../support/until';
import { createPerson } from './support/erasure';
import { anotherCore, filled, repeated, watchedEmbedder, type WatchedOptions } from './support/model-change';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const closer of closers.splice(0).reverse()) await closer();
});

/** An app that has both models, with a relay that has them too unless it is told otherwise. */
async function open(nextOptions: WatchedOptions = {}, options: { isRelaying?: boolean; maxTokens?: number } = {}) {
  const former = watchedEmbedder({ maxTokens: options.maxTokens });
  const next = watchedEmbedder({ dimensions: 32, version: '2', ...nextOptions });
  const app = await startApp({ embedder: former, next, relay: { pollMs: 20 }, isRelaying: options.isRelaying });
  closers.push(() => app.close());
  return { app, former, next };
}

async function another(...about: Parameters<typeof anotherCore>): Promise<Core> {
  const core = await anotherCore(...about);
  closers.push(() => core.close());
  return core;
}

const WORDS = ['amber', 'birch', 'cobalt', 'dune', 'ember', 'fjord', 'granite', 'heather', 'indigo', 'juniper'];
/** No two share words. */
const nameOf = (i: number): string => `${WORDS[i % 10]}${Math.floor(i / 10)} ${WORDS[(i * 7 + 3) % 10]}ish${i}`;

async function createTag(app: TestApp, name: string): Promise<{ id: string; syncToken: string }> {
  const { data, errors } = await app.executeOperation<{ createTag: { tag: { id: string }; syncToken: string } }>(
    'mutation ($name: String!) { createTag(input: {name: $name, description: $name}) { tag { id } syncToken } }',
    { name },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return { id: data.createTag.tag.id, syncToken: data.createTag.syncToken };
}

/** Name of the tag nearest to `text`, as a server with this core answers. */
async function nearest(app: TestApp, text: string, core = app.core, mode = 'SEMANTIC'): Promise<string | undefined> {
  const response = await app.apollo.executeOperation<{ searchTags: { nodes: { name: string }[] } }>(
    {
      query:
        'query ($text: String!, $mode: SearchMode) { searchTags(query: {text: $text, mode: $mode}, first: 1) { nodes { name } } }',
      variables: { text, mode },
    },
    { contextValue: core.createContext({ actor: 'test', role: 'reader' }) },
  );
  if (response.body.kind !== 'single') throw new Error('one answer was expected');
  const { data, errors } = response.body.singleResult;
  if (!data) throw new Error(String(errors?.[0]?.extensions?.code));
  return data.searchTags.nodes[0]?.name;
}

const isAt = (core: Core, dimensions: number): Promise<boolean> =>
  Promise.resolve(core.catalog.liveModel.dimensions === dimensions);

async function expectConsistency(core: Core): Promise<void> {
  const report = await core.services.consistency.check();
  expect(report.drifts).toEqual([]);
  expect(report.kinds.every((kind) => driftKinds.every((drift) => kind[drift] === 0))).toBe(true);
}

describe('another model than the stored embeddings have', () => {
  it('is refused with what to do, and takes over where nothing is embedded', async () => {
    const { app } = await open();
    await createTag(app, nameOf(1));
    await app.settle();
    const foreign = await another(app, watchedEmbedder({ dimensions: 16 }));
    await expect(foreign.catalog.start()).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringMatching(/KINDRED_NEXT_EMBEDDER.*kindred reindex/s) as unknown,
    });
    await foreign.catalog.start({ isModelChange: true });
    expect(foreign.catalog.liveModel.dimensions).toBe(64);
  });
});

describe('a change of the model', () => {
  it('misses no known answer at any moment, while records are written, changed and deleted', async () => {
    const { app, former, next } = await open();
    const server = await another(app, former, next);
    await server.catalog.start();
    const heeding = heedPromotions(server, recordingLogger());
    closers.push(() => heeding.stop());
    const known: string[] = [];
    const write = async (i: number): Promise<void> => {
      const { syncToken } = await createTag(app, nameOf(i));
      await app.core.sync.awaitSync(syncToken, 60_000);
      known.push(nameOf(i));
    };
    for (let i = 0; i < 40; i++) await createTag(app, nameOf(i));
    await app.settle();
    known.push(...Array.from({ length: 40 }, (_, i) => nameOf(i)));

    let isOver = false;
    let asked = 0;
    const missed: string[] = [];
    const ask = async (core: Core): Promise<void> => {
      while (!isOver) {
        const text = known[(asked++ * 13) % known.length] as string;
        const found = await nearest(app, text, core);
        if (found !== text) missed.push(`${text}: ${found}`);
      }
    };
    const asking = [ask(app.core), ask(server)];
    let written = 40;
    const writing = (async () => {
      while (!isOver && written < 80) await write(written++);
    })();

    const { modelChange } = app.core;
    expect(await modelChange.prepare()).toBeGreaterThanOrEqual(40);
    await filled(app.core);
    const doomed = await createTag(app, 'doomed and soon gone');
    await app.executeOperation('mutation ($id: ID!) { deleteTag(id: $id) { syncToken } }', { id: doomed.id });
    const promotion = await modelChange.promote({ waitMs: 60_000 });
    expect(promotion).toMatchObject({ live: { dimensions: 32 }, former: { dimensions: 64 }, keepsFormer: true });
    await until(() => isAt(server, 32));
    await writing;
    await until(() => app.core.isIdle());
    await filled(app.core);
    expect(await modelChange.promote({ role: 'former', waitMs: 60_000 })).toMatchObject({ live: { dimensions: 64 } });
    await filled(app.core);
    await modelChange.promote({ role: 'former', waitMs: 60_000 });
    await until(() => isAt(server, 32));
    const alias = app.core.catalog.alias('tag_concept');
    expect(await modelChange.drop()).toContain(`${alias}__feature-hash__1`);
    const before = asked;
    await until(() => Promise.resolve(asked > before + 20));
    isOver = true;
    await Promise.all(asking);

    expect(missed).toEqual([]);
    expect(asked).toBeGreaterThan(100);
    // Writers wait for each of their writes: only one text can be under way at each of the three promotions.
    expect(repeated(former.documents).length + repeated(next.documents).length).toBeLessThanOrEqual(3);
    expect(next.queries.length).toBeGreaterThan(0);
    await app.settle();
    await expectConsistency(app.core);
    expect(await app.core.store.describeCollection(alias)).toMatchObject({
      dimensions: 32,
      pointCount: known.length,
    });
    expect(await app.core.modelChange.status()).toMatchObject({ live: { dimensions: 32 }, standby: null });
  });

  it('follows what happens to records while it is built, and after it was promoted on the other side', async () => {
    const { app } = await open();
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await createTag(app, nameOf(i))).id);
    await app.settle();
    await app.core.modelChange.prepare();
    await filled(app.core);
    const change = async (input: string, id = ids[0]): Promise<void> => {
      const { errors } = await app.executeOperation(
        `mutation ($id: ID!) { updateTag(id: $id, input: {${input}}) { syncToken } }`,
        { id },
      );
      expect(errors).toBeUndefined();
      await app.settle();
      await filled(app.core);
    };
    await change('description: "lanterns at the harbour"');
    await change('category: "places"', ids[1]);
    // Changed and changed back: only the text of now may be there.
    await change('description: "a passing thought"', ids[2]);
    await change(`description: "${nameOf(2)}"`, ids[2]);
    await app.executeOperation('mutation ($id: ID!) { archiveTag(id: $id) { syncToken } }', { id: ids[3] });
    await app.executeOperation('mutation ($id: ID!) { deleteTag(id: $id) { syncToken } }', { id: ids[4] });
    await app.settle();
    await filled(app.core);
    await app.core.modelChange.promote();
    expect(await nearest(app, 'lanterns at the harbour')).toBe(nameOf(0));
    expect(await nearest(app, nameOf(2))).toBe(nameOf(2));
    await app.settle();
    await expectConsistency(app.core);

    await change('description: "ships under sail"');
    await app.core.modelChange.promote({ role: 'former' });
    expect(await nearest(app, 'ships under sail')).toBe(nameOf(0));
    await app.settle();
    await expectConsistency(app.core);
  });

  it('is promoted only when it is complete', async () => {
    const { app } = await open({}, { isRelaying: false });
    const relaying = async (): Promise<void> => {
      const relay = app.core.createRelay();
      relay.start();
      await until(() => app.core.isIdle());
      if ((await app.core.modelChange.status()).standby) await filled(app.core);
      await relay.stop();
    };
    for (let i = 0; i < 3; i++) await createTag(app, nameOf(i));
    await relaying();
    const { modelChange } = app.core;
    await expect(modelChange.promote()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('models prepare') as unknown,
    });
    await modelChange.prepare();
    const refusal = { code: 'GENERATION_INCOMPLETE', message: expect.stringContaining('3 of tag_concept') as unknown };
    await expect(modelChange.promote()).rejects.toMatchObject(refusal);
    const { standby } = await modelChange.status();
    expect(standby).toMatchObject({ role: 'next', isComplete: false, isConfigured: true });
    expect(standby?.kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({
      rows: 3,
      filled: 0,
      missing: 3,
      dead: 0,
    });
    // What is being built is on its way, and no drift.
    const { kinds } = await app.core.services.consistency.check();
    expect(kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({ rows: 3, points: 3, pending: 3 });
    expect(await app.core.isIdle()).toBe(true);
    await relaying();

    // The vector server loses a point: the count alone would not tell.
    const collection = app.core.catalog.route.standby.find(({ kind }) => kind === 'tag_concept')?.collection ?? '';
    const { points } = await app.core.store.scroll(collection, { limit: 1, payload: false });
    await app.core.store.delete(collection, [{ id: points[0]?.id ?? '' }]);
    await expect(modelChange.promote()).rejects.toMatchObject({
      code: 'GENERATION_INCOMPLETE',
      message: expect.stringContaining('1 of tag_concept') as unknown,
    });
    await relaying();
    await modelChange.promote();
    await relaying();
    await expectConsistency(app.core);
  });

  it('is not promoted over texts that the next model refuses, and says so', async () => {
    const { app } = await open({
      onText: (text) => {
        if (text.includes('unspeakable')) throw new ModelRejectedError('not this text');
      },
    });
    await createTag(app, nameOf(1));
    const refused = await createTag(app, 'unspeakable');
    await app.settle();
    await app.core.modelChange.prepare();
    await expect(filled(app.core)).rejects.toMatchObject({
      code: 'GENERATION_INCOMPLETE',
      message: expect.stringContaining('dead-letters') as unknown,
    });
    const { standby } = await app.core.modelChange.status();
    expect(standby?.kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({
      rows: 2,
      filled: 1,
      missing: 0,
      dead: 1,
    });
    await expect(app.core.modelChange.promote()).rejects.toMatchObject({ code: 'GENERATION_INCOMPLETE' });
    expect(await nearest(app, 'unspeakable')).toBe('unspeakable');
    // The record itself is well: its live point is there.
    const [point] = await app.core.database.query(`SELECT state FROM vector_points ORDER BY entity_id DESC LIMIT 1`);
    expect(point).toEqual({ state: 'indexed' });
    await app.executeOperation('mutation ($id: ID!) { deleteTag(id: $id) { syncToken } }', { id: refused.id });
    await app.settle();
    await filled(app.core);
    await app.core.modelChange.promote();
    await expectConsistency(app.core);
  });

  it('brings in what the former model had refused, and tags it', async () => {
    const former = watchedEmbedder({
      onText: (text) => {
        if (text.includes('anchor')) throw new ModelRejectedError('not this text');
      },
    });
    const app = await startApp({ embedder: former, next: watchedEmbedder({ dimensions: 32 }), relay: { pollMs: 20 } });
    closers.push(() => app.close());
    await createTag(app, 'Harbour');
    await app.executeOperation(
      'mutation { createStory(input: {title: "Port", content: "Harbour, harbour, an anchor"}) { syncToken } }',
    );
    await app.settle();
    const chunk = async (): Promise<unknown> =>
      (
        await app.core.database.query(
          `SELECT p.state, (SELECT count(*)::int FROM story_chunk_tags) AS tags FROM vector_points p WHERE kind = 'story'`,
        )
      )[0];
    expect(await chunk()).toEqual({ state: 'failed', tags: 0 });
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    await app.settle();
    expect(await chunk()).toEqual({ state: 'indexed', tags: 1 });
  });

  it('copies vectors where the model stays the same', async () => {
    const { app, former } = await open({ dimensions: 64, version: '1' });
    for (let i = 0; i < 5; i++) await createTag(app, nameOf(i));
    await app.settle();
    const texts = former.documents.length;
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    expect(former.documents).toHaveLength(texts);
    expect(app.core.catalog.route.collection('tag_concept')).toMatch(/__2$/);
    expect(await nearest(app, nameOf(3))).toBe(nameOf(3));
    await expect(app.core.modelChange.prepare()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('models drop') as unknown,
    });
    await app.core.modelChange.drop();
    await app.settle();
    await expectConsistency(app.core);
  });

  it('cuts texts to the smaller window while there are two', async () => {
    const { app } = await open({ maxTokens: 64 }, { maxTokens: 512 });
    const sentences = Array.from({ length: 60 }, (_, i) => `Sentence ${i} tells of ${nameOf(i)} and little else.`);
    await app.executeOperation(
      'mutation ($content: String!) { createStory(input: {title: "Long", content: $content}) { syncToken } }',
      { content: sentences.join(' ') },
    );
    await app.settle();
    const chunks = async (): Promise<number> => {
      const [row] = await app.core.database.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM story_chunk_embeddings',
      );
      return row?.count ?? 0;
    };
    const before = await chunks();
    await app.core.modelChange.prepare();
    await until(() => app.core.isIdle());
    await filled(app.core);
    const between = await chunks();
    expect(between).toBeGreaterThan(before);
    await expectConsistency(app.core);
    await app.core.modelChange.promote();
    await app.core.modelChange.drop();
    await app.settle();
    expect(await chunks()).toBe(between);
    await expectConsistency(app.core);
  });

  it('tags everything anew by its scores, and leaves decisions', async () => {
    const { app } = await open();
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
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    await app.settle();
    const tagged = await app.core.database.query(
      `SELECT a.status, a.source, model.version, a.score > 0.4 AS "isNear" FROM story_chunk_tags a
       JOIN embedding_models model ON model.id = a.model_id ORDER BY a.story_chunk_id`,
    );
    expect(tagged).toEqual([
      { status: 'accepted', source: 'auto', version: '2', isNear: true },
      { status: 'suggested', source: 'auto', version: '2', isNear: true },
    ]);
  });
});

describe('a process without the model that was promoted', () => {
  it('says so, and goes on with what needs no model', async () => {
    const { app, former, next } = await open();
    const old = await another(app, former);
    await old.catalog.start();
    const heeding = heedPromotions(old, recordingLogger());
    closers.push(() => heeding.stop());
    await createTag(app, nameOf(1));
    await createTag(app, nameOf(2));
    await app.settle();
    await old.modelReady();
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    await until(() => isAt(old, 32));
    await expect(nearest(app, nameOf(1), old)).rejects.toThrow('COLLECTION_MISMATCH');
    await expect(old.modelReady()).rejects.toMatchObject({ code: 'COLLECTION_MISMATCH' });
    expect(await nearest(app, nameOf(1), old, 'LEXICAL')).toBe(nameOf(1));
    // A start with the new model alone is a start as usual.
    const renewed = await another(app, next);
    await renewed.catalog.start();
    expect(await nearest(app, nameOf(2), renewed)).toBe(nameOf(2));
  });

  it('finds its way when the collections that it reads are dropped before it knows', async () => {
    const { app, former, next } = await open();
    const unaware = await another(app, former, next);
    await unaware.catalog.start();
    await createTag(app, nameOf(1));
    await app.settle();
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    expect(await nearest(app, nameOf(1), unaware)).toBe(nameOf(1));
    expect(unaware.catalog.liveModel.dimensions).toBe(64);
    await app.core.modelChange.drop();
    expect(await nearest(app, nameOf(1), unaware)).toBe(nameOf(1));
    expect(unaware.catalog.liveModel.dimensions).toBe(32);
  });
});

describe('a change with the new model alone', () => {
  it('fills beside the live collections and promotes, although nobody can embed with the former one', async () => {
    const { app } = await open({}, { isRelaying: false });
    for (let i = 0; i < 3; i++) await createTag(app, nameOf(i));
    const relay = app.core.createRelay();
    relay.start();
    await until(() => app.core.isIdle());
    await relay.stop();
    await createTag(app, 'written while nobody relays');
    const core = await another(app, watchedEmbedder({ dimensions: 48, version: '3' }));
    await core.catalog.start({ isModelChange: true });
    const filling = core.createRelay(undefined, { isFillingOnly: true });
    filling.start();
    await core.modelChange.prepare();
    await filled(core);
    expect(await core.modelChange.promote()).toMatchObject({ live: { dimensions: 48 }, keepsFormer: false });
    await filling.stop();
    const all = core.createRelay();
    all.start();
    await until(() => core.isIdle());
    await all.stop();
    expect(await nearest(app, nameOf(2), core)).toBe(nameOf(2));
    expect(await nearest(app, 'written while nobody relays', core)).toBe('written while nobody relays');
    await expectConsistency(core);
    expect(await core.modelChange.drop()).not.toEqual([]);
    await core.catalog.start();
  });
});

describe('what is beside the live collections', () => {
  const topics = async (app: TestApp): Promise<string[]> => {
    const rows = await app.core.database.query<{ topic: string }>('SELECT topic FROM outbox_events ORDER BY topic');
    return rows.map(({ topic }) => topic);
  };
  const isEmpty = async (app: TestApp): Promise<boolean> => (await topics(app)).length === 0;

  it('leaves nothing to do for nobody when it is dropped while it is written to', async () => {
    const { app } = await open();
    await createTag(app, nameOf(1));
    await app.settle();
    let reach = (): void => undefined;
    let letGo = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reach = resolve));
    const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
    const upsert = app.core.store.upsert.bind(app.core.store);
    const held = jest.spyOn(app.core.store, 'upsert').mockImplementation(async (collection, points) => {
      await upsert(collection, points);
      reach();
      await isLetGo;
    });
    await app.core.modelChange.prepare();
    await isReached;
    await app.core.modelChange.drop();
    letGo();
    await until(() => isEmpty(app));
    held.mockRestore();
    // Nor does it come back.
    await createTag(app, nameOf(2));
    await app.settle();
    await until(() => isEmpty(app));
    await expectConsistency(app.core);
  });

  it('is not followed by a relay that has waited for it to be dropped', async () => {
    const { app, former } = await open({}, { isRelaying: false });
    const { database, modelChange } = app.core;
    const kinds = ['tag_concept'];
    await modelChange.prepare();
    await createTag(app, nameOf(1));
    // It does not have the next model, so it takes nothing that is queued for it.
    const worker = await another(app, former);
    await worker.catalog.start();
    let reach = (): void => undefined;
    let letGo = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reach = resolve));
    const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
    const relay = worker.createRelay(async (step, { topic }) => {
      if (step !== 'upserted' || topic !== 'point') return;
      reach();
      await isLetGo;
    });
    closers.push(() => relay.stop());
    closers.push(() => Promise.resolve(letGo()));
    relay.start();
    await isReached;
    await database.transaction({}, async (transaction) => {
      const generations = new GenerationStore(transaction);
      await generations.lock(kinds);
      letGo();
      // It is about to record that it has written the point.
      await until(async () => {
        const rows = await database.query(
          `SELECT 1 FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH%written AS%'`,
        );
        return rows.length > 0;
      });
      await generations.retireStandby(kinds);
      await new StandbyStore(transaction, kinds).forget();
    });
    await until(() => isEmpty(app));
  });

  it('is looked at again once it is live, where a request to it is late', async () => {
    const next = watchedEmbedder({ dimensions: 32, version: '2' });
    const relay = { pollMs: 20, recheckMs: 500 };
    const app = await startApp({ embedder: watchedEmbedder(), next, relay });
    closers.push(() => app.close());
    await createPerson(app, 'Torvald');
    await app.settle();
    await app.core.modelChange.prepare();
    await filled(app.core);
    const beside = app.core.catalog.route.standby.map(({ collection }) => collection);
    let reach = (): void => undefined;
    let letGo = (): void => undefined;
    let arrive = (): void => undefined;
    let end = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reach = resolve));
    const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
    const hasArrived = new Promise<void>((resolve) => (arrive = resolve));
    const isOver = new Promise<void>((_, reject) => (end = () => reject(new Error('the process was killed'))));
    isOver.catch(() => undefined);
    closers.push(() => {
      letGo();
      end();
      return Promise.resolve();
    });
    const upsert = app.core.store.upsert.bind(app.core.store);
    const held = jest.spyOn(app.core.store, 'upsert').mockImplementation(async (collection, points) => {
      if (!beside.includes(collection)) return upsert(collection, points);
      reach();
      await isLetGo;
      await upsert(collection, points);
      arrive();
      return isOver;
    });
    const { id } = await createTag(app, nameOf(1));
    await isReached;
    await app.executeOperation('mutation ($id: ID!) { deleteTag(id: $id) { syncToken } }', { id });
    await app.settle();
    const server = await another(app, next);
    await server.catalog.start({ isModelChange: true });
    // It does not keep the former collections, so nothing is beside what was written to.
    expect(await server.modelChange.promote()).toMatchObject({ keepsFormer: false });
    await app.core.endLeases();
    letGo();
    await hasArrived;
    await until(() => isEmpty(app));
    held.mockRestore();
    await server.catalog.refresh();
    await expectConsistency(server);
  });

  it('is not waited for once it has been dropped', async () => {
    const { app } = await open({}, { isRelaying: false });
    await createTag(app, nameOf(1));
    const relay = app.core.createRelay();
    relay.start();
    await app.settle();
    await relay.stop();
    await app.core.modelChange.prepare();
    const waiting = expect(filled(app.core)).rejects.toMatchObject({ code: 'CONFLICT' });
    await app.core.modelChange.drop();
    await waiting;
    expect(await topics(app)).toEqual([]);
  });
});

describe('a process that hears of a promotion', () => {
  it('looks again when it could not see what is live', async () => {
    const { app, former, next } = await open();
    const server = await another(app, former, next);
    await server.catalog.start();
    const refresh = server.catalog.refresh.bind(server.catalog);
    let failures = 0;
    jest.spyOn(server.catalog, 'refresh').mockImplementation(() => {
      if (!server.catalog.route.isKnown || failures++ > 2) return refresh();
      return Promise.reject(new Error('the database restarts'));
    });
    const heeding = heedPromotions(server, recordingLogger());
    closers.push(() => heeding.stop());
    await until(() => Promise.resolve(failures > 0));
    await app.core.modelChange.prepare();
    await filled(app.core);
    await app.core.modelChange.promote();
    await until(() => isAt(server, 32));
  });
});
