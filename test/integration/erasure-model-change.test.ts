import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { ModelRejectedError } from '../../src/kernel/model/embedder';
import type { Relay } from '../../src/kernel/outbox/relay';
import type { StepHook } from '../../src/kernel/outbox/relay-step';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { dataOf, refusalOf } from '../support/results';
import { until } from '../support/until';
import { createPerson, ERASE, everyPayload, everything, NOTHING, type Erased } from './support/erasure';
import { anotherCore, filled, watchedEmbedder, type WatchedOptions } from './support/model-change';

const closers: (() => Promise<unknown>)[] = [];
const gates: { open: () => void }[] = [];
afterEach(async () => {
  for (const { open } of gates.splice(0)) open();
  jest.restoreAllMocks();
  for (const closer of closers.splice(0).reverse()) await closer();
});

/** An app that has both models. Two people are in the live collections, and nobody relays. */
async function openApp(next: WatchedOptions = {}) {
  const app = await startApp({
    embedder: watchedEmbedder(),
    next: watchedEmbedder({ dimensions: 32, version: '2', ...next }),
    relay: { pollMs: 20, leaseMs: 1_000, stopGraceMs: 100, recheckMs: 500 },
    isRelaying: false,
  });
  closers.push(() => app.close());
  const erased = await createPerson(app, 'Sigrid');
  await createPerson(app, 'Torvald');
  await relaying(app, () => app.settle());
  return { app, erased };
}

function startRelay(app: TestApp, onStep?: StepHook): Relay {
  const relay = app.core.createRelay(onStep);
  relay.start();
  closers.push(() => relay.stop());
  return relay;
}

async function relaying(app: TestApp, work: () => Promise<unknown>): Promise<void> {
  const relay = startRelay(app);
  await work();
  await relay.stop();
}

async function prepare(app: TestApp): Promise<void> {
  await app.core.modelChange.prepare();
  await relaying(app, () => filled(app.core));
}

function gate(): { isReached: Promise<void>; isOpen: Promise<void>; reach: () => void; open: () => void } {
  let reach: () => void = () => undefined;
  let open: () => void = () => undefined;
  const isReached = new Promise<void>((resolve) => (reach = resolve));
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  const made = { isReached, isOpen, reach, open };
  gates.push(made);
  return made;
}

/** Holds requests that write Sigrid's points to these collections until the gate is opened. */
function holdWrites(app: TestApp, collections: readonly string[]) {
  const held = gate();
  const upsert = app.core.store.upsert.bind(app.core.store);
  jest.spyOn(app.core.store, 'upsert').mockImplementation(async (collection, points) => {
    if (collections.includes(collection) && JSON.stringify(points).includes('Sigrid')) {
      held.reach();
      await held.isOpen;
    }
    return upsert(collection, points);
  });
  return held;
}

const collectionsOf = (app: TestApp, role: 'live' | 'standby'): string[] =>
  app.core.catalog.route.of(role).map(({ collection }) => collection);

const ask = (app: TestApp, id: string, timeoutMs = 20_000) => app.executeOperation<Erased>(ERASE, { id, timeoutMs });

const isDeleted = (app: TestApp): Promise<void> =>
  until(async () => (await app.core.database.query(`SELECT 1 FROM profiles WHERE name = 'Sigrid'`)).length === 0);

/** How many points all collections have together. */
async function countPoints(app: TestApp): Promise<number> {
  const collections = (await app.core.store.listCollections()).filter((name) =>
    name.startsWith(app.core.catalog.alias('')),
  );
  const counts = await Promise.all(collections.map((name) => app.core.store.count(name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function expectGone(app: TestApp, response: Awaited<ReturnType<typeof ask>>): Promise<void> {
  expect(dataOf(response).eraseProfile.found).toEqual(NOTHING);
  await expectNoTrace(app);
}

async function expectNoTrace(app: TestApp): Promise<void> {
  expect(await everything(app)).not.toContain('Sigrid');
  expect(await everyPayload(app)).not.toContain('Sigrid');
  // Torvald has as many in each collection beside each other as there are entries.
  const [{ live, beside } = { live: 0, beside: 0 }] = await app.core.database.query<{ live: number; beside: number }>(
    `SELECT (SELECT count(*) FROM vector_points)::int AS live, (SELECT count(*) FROM standby_points)::int AS beside`,
  );
  expect(await countPoints(app)).toBe(live + beside);
  expect((await app.core.services.consistency.check()).drift).toBe(0);
}

describe('erasing a person while the model is changed', () => {
  it('takes what is about to be written beside the live collections', async () => {
    const { app, erased } = await openApp();
    const held = gate();
    await app.core.modelChange.prepare();
    startRelay(app, async (step, { topic }) => {
      if (step !== 'embedded' || topic !== 'build') return;
      held.reach();
      await held.isOpen;
    });
    await held.isReached;
    const erasing = ask(app, erased);
    await isDeleted(app);
    held.open();
    await expectGone(app, await erasing);
    await filled(app.core);
    await expectNoTrace(app);
  });

  it.each<[string, (app: TestApp) => Promise<unknown>]>([
    ['are complete', () => Promise.resolve()],
    ['have been promoted', (app) => app.core.modelChange.promote()],
    [
      'have been promoted and taken back',
      async (app) => {
        await app.core.modelChange.promote();
        await relaying(app, () => filled(app.core));
        await app.core.modelChange.promote({ role: 'former' });
      },
    ],
  ])('takes the points of both models once the collections of the next one %s', async (_, change) => {
    const { app, erased } = await openApp();
    await prepare(app);
    await change(app);
    const before = await countPoints(app);
    startRelay(app);
    const response = await ask(app, erased);
    await expectGone(app, response);
    const { removed } = dataOf(response).eraseProfile;
    expect(removed.points).toBe(before / 2);
    expect(removed.ledgerEntries).toBe(before / 4);
  });

  it('waits for what is on its way to the collections beside the live ones, and takes it', async () => {
    const { app, erased } = await openApp();
    await app.core.modelChange.prepare();
    const held = holdWrites(app, collectionsOf(app, 'standby'));
    startRelay(app);
    await held.isReached;
    const refusal = refusalOf(await ask(app, erased, 300));
    expect(refusal).toMatchObject({
      code: 'ERASURE_INCOMPLETE',
      extensions: { found: { events: expect.any(Number) as unknown } },
    });
    held.open();
    await expectGone(app, await ask(app, erased));
  });

  it('is gone on with where the relay that wrote to them was stopped', async () => {
    const { app, erased } = await openApp();
    await app.core.modelChange.prepare();
    const held = holdWrites(app, collectionsOf(app, 'standby'));
    const relay = startRelay(app);
    await held.isReached;
    expect(refusalOf(await ask(app, erased, 300)).code).toBe('ERASURE_INCOMPLETE');
    const stopping = relay.stop();
    await app.core.endLeases();
    startRelay(app);
    // The request of the one that was stopped arrives when another has taken its work over and deleted the point.
    const erasing = ask(app, erased);
    await until(async () => {
      const rows = await app.core.database.query(
        `SELECT 1 FROM outbox_events WHERE topic = 'build' AND available_at > now()`,
      );
      return rows.length > 0;
    });
    held.open();
    await stopping;
    await expectGone(app, await erasing);
  });

  it('takes what was given up for them, errors that quote included', async () => {
    const { app, erased } = await openApp({
      onText: (text) => {
        if (text.includes('Raft of Sigrid')) throw new ModelRejectedError(`Not that: ${text}`);
      },
    });
    await app.core.modelChange.prepare();
    await relaying(app, () => expect(filled(app.core)).rejects.toMatchObject({ code: 'GENERATION_INCOMPLETE' }));
    expect(await everything(app)).toContain('Not that: Raft of Sigrid');
    startRelay(app);
    const response = await ask(app, erased);
    await expectGone(app, response);
    expect(dataOf(response).eraseProfile.removed.deadLetters).toBeGreaterThan(0);
    expect(await app.core.database.query('SELECT 1 FROM outbox_events')).toEqual([]);
  });

  it('goes on where the next model is promoted meanwhile', async () => {
    const { app, erased } = await openApp();
    await prepare(app);
    const erasing = ask(app, erased);
    await isDeleted(app);
    await app.core.modelChange.promote();
    startRelay(app);
    await expectGone(app, await erasing);
  });

  it('goes on where collections are deleted meanwhile', async () => {
    const { app, erased } = await openApp();
    await prepare(app);
    await app.core.modelChange.promote();
    const beside = collectionsOf(app, 'standby');
    const count = app.core.store.count.bind(app.core.store);
    jest.spyOn(app.core.store, 'count').mockImplementation(async (collection, filter) => {
      if (beside.includes(collection)) await app.core.modelChange.drop();
      return count(collection, filter);
    });
    startRelay(app);
    const response = await ask(app, erased);
    jest.restoreAllMocks();
    await expectGone(app, response);
  });

  it('takes what collections that are given up meanwhile still hold', async () => {
    const { app, erased } = await openApp();
    await prepare(app);
    const other = await anotherCore(app, watchedEmbedder({ dimensions: 32, version: '2' }));
    closers.push(() => other.close());
    await other.catalog.start({ isModelChange: true });
    const erasing = ask(app, erased);
    await isDeleted(app);
    // It does not have the former model, so it does not keep the former collections.
    expect(await other.modelChange.promote()).toMatchObject({ keepsFormer: false });
    startRelay(app);
    expect(dataOf(await erasing).eraseProfile.found).toEqual(NOTHING);
    expect(await everyPayload(app)).not.toContain('Sigrid');
  });
});
