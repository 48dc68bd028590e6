import { afterEach, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import { ERASURE_CHANNEL } from '../../src/kernel/lifecycle/erasure-channel';
import { NotificationListener } from '../../src/kernel/db/notification-listener';
import type { TestApp, TestAppOptions } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { dataOf, refusalOf } from '../support/results';
import { until } from '../support/until';
import { recordingLogger } from '../support/write-path';
import { createPerson, ERASE, everyPayload, everything, NOTHING, type Erased } from './support/erasure';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp(options);
  opened.push(app);
  return app;
}

describe('erasing a person', () => {
  it('leaves nothing of the person and their resumes anywhere, and everything of others', async () => {
    const app = await start();
    const erased = await createPerson(app, 'Sigrid');
    const kept = await createPerson(app, 'Torvald');
    await app.settle();
    const search = 'query ($text: String!) { searchProfiles(query: { text: $text }) { nodes { name } } }';
    await app.executeOperation(search, { text: 'Sigrid of Bergen' });
    expect(await everything(app)).toContain('Sigrid');
    const { rows: allRows } = (await app.core.services.consistency.check()).kinds.reduce((sum, kind) => ({
      ...sum,
      rows: sum.rows + kind.rows,
    }));

    const { eraseProfile } = dataOf(await app.executeOperation<Erased>(ERASE, { id: erased }));

    expect(eraseProfile.erasedId).toBe(erased);
    expect(eraseProfile.found).toEqual(NOTHING);
    const { removed } = eraseProfile;
    // Half of all embedding rows, and a record of each of the six kinds.
    expect(removed).toMatchObject({ rows: allRows / 2 + 6, ledgerEntries: allRows / 2, points: allRows / 2 });
    expect(removed.cachedTexts).toBeGreaterThan(0);
    expect(await everything(app)).not.toContain('Sigrid');
    expect(await everyPayload(app)).not.toContain('Sigrid');
    expect(await everything(app)).toContain('Torvald');
    expect((await app.core.services.consistency.check()).drift).toBe(0);
    const other = await app.executeOperation('query ($id: ID!) { node(id: $id) { ... on Profile { name } } }', {
      id: kept,
    });
    expect(dataOf(other)).toEqual({ node: { name: 'Torvald' } });
    expect(refusalOf(await app.executeOperation(ERASE, { id: erased })).code).toBe('NOT_FOUND');
  });

  it('takes what still waits and what was given up', async () => {
    const app = await start({
      embedder: createDeterministicEmbedder({
        onEmbed: (texts) => {
          const text = texts.find((one) => one.includes('Raft'));
          if (text !== undefined) throw new ModelRejectedError(`Not that: ${text}`);
        },
      }),
    });
    const id = await createPerson(app, 'Sigrid');
    await app.settle();
    await app.executeOperation(
      'mutation ($id: ID!) { updateProfile(id: $id, input: { headline: "Pilot" }) { syncToken } }',
      {
        id,
      },
    );
    const { eraseProfile } = dataOf(await app.executeOperation<Erased>(ERASE, { id }));
    expect(eraseProfile.removed.deadLetters).toBeGreaterThan(0);
    expect(eraseProfile.found).toEqual(NOTHING);
    expect(await everything(app)).not.toMatch(/Sigrid|Raft/);
    expect(await app.core.database.query('SELECT 1 FROM outbox_events')).toEqual([]);
  });

  it('takes what a relay is at work on, and what becomes of that work', async () => {
    let release: () => void = () => undefined;
    let reach: () => void = () => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    const isReached = new Promise<void>((resolve) => (reach = resolve));
    const app = await start({
      embedder: createDeterministicEmbedder({
        onEmbed: async (texts) => {
          const own = texts.filter((text) => text.includes('Sigrid'));
          if (own.length === 0) return;
          reach();
          await isReleased;
          // One is refused with a quotation; the vectors of the others come when nobody may have them any more.
          const refused = own.find((text) => text.includes('Raft'));
          if (refused !== undefined) throw new ModelRejectedError(`Not that: ${refused}`);
        },
      }),
    });
    const id = await createPerson(app, 'Sigrid');
    await isReached;
    const erasing = app.executeOperation<Erased>(ERASE, { id });
    await until(async () => (await app.core.database.query('SELECT 1 FROM profiles')).length === 0);
    release();
    expect(dataOf(await erasing).eraseProfile.found).toEqual(NOTHING);
    await app.settle();
    expect(await everything(app)).not.toContain('Sigrid');
    expect(await everyPayload(app)).not.toContain('Sigrid');
    expect((await app.core.services.consistency.check()).drift).toBe(0);
  });

  it('takes points that the ledger does not know', async () => {
    const app = await start();
    const id = await createPerson(app, 'Sigrid');
    await app.settle();
    await app.core.database.query(`DELETE FROM vector_points WHERE kind = 'skill'`);
    const { eraseProfile } = dataOf(await app.executeOperation<Erased>(ERASE, { id }));
    expect(eraseProfile.found).toEqual(NOTHING);
    expect(await everyPayload(app)).not.toContain('Sigrid');
  });

  it('says what is left when nobody deletes the points in time, and has deleted the rest', async () => {
    const app = await start({ isRelaying: false });
    const relay = app.core.createRelay();
    relay.start();
    const id = await createPerson(app, 'Sigrid');
    await app.settle();
    await relay.stop();
    const refusal = refusalOf(await app.executeOperation(ERASE, { id, timeoutMs: 50 }));
    expect(refusal.code).toBe('ERASURE_INCOMPLETE');
    expect(refusal.extensions.found).toMatchObject({ points: expect.any(Number), vectorHits: expect.any(Number) });
    expect(await everything(app)).not.toContain('Sigrid');
  });

  it.each([
    ['lost', 'DELETE FROM outbox_events'],
    ['given up', `UPDATE outbox_events SET dead_at = now(), error = 'not now'`],
  ])('is gone on with by asking again, also when what was queued was %s', async (_, statement) => {
    const app = await start({ isRelaying: false });
    const first = app.core.createRelay();
    first.start();
    const id = await createPerson(app, 'Sigrid');
    await createPerson(app, 'Torvald');
    await app.settle();
    await first.stop();
    const ask = (timeoutMs: number) => app.executeOperation<Erased>(ERASE, { id, timeoutMs });
    const refusal = refusalOf(await ask(50));
    expect([refusal.code, refusal.extensions.retryable]).toEqual(['ERASURE_INCOMPLETE', true]);
    // Nobody has deleted the points yet, so they are still found by every way.
    const again = refusalOf(await ask(50));
    expect(again.code).toBe('ERASURE_INCOMPLETE');
    expect(again.extensions.found).toMatchObject({
      points: expect.any(Number),
      lexicalHits: expect.any(Number),
      vectorHits: expect.any(Number),
    });
    expect(await everything(app)).not.toContain('Sigrid');
    await app.core.database.query(statement);

    const second = app.core.createRelay();
    second.start();
    opened.push({ close: () => second.stop() });
    const { eraseProfile } = dataOf(await ask(60_000));

    expect(eraseProfile.found).toEqual(NOTHING);
    expect(eraseProfile.removed.points).toBeGreaterThan(0);
    expect(eraseProfile.removed.rows).toBeGreaterThan(eraseProfile.removed.points ?? 0);
    expect(await everyPayload(app)).not.toContain('Sigrid');
    expect(await app.core.database.query('SELECT 1 FROM unfinished_erasures')).toEqual([]);
    expect((await app.core.services.consistency.check()).drift).toBe(0);
    expect(refusalOf(await ask(50)).code).toBe('NOT_FOUND');
  });

  it('is gone on with where everything was done but nobody was told', async () => {
    const app = await start();
    const id = await createPerson(app, 'Sigrid');
    await app.settle();
    await app.core.database.query(
      `CREATE TABLE kept AS SELECT kind, record_id, belongings, erased, removed FROM unfinished_erasures`,
    );
    await app.core.database.query(
      `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO kept VALUES (NEW.kind, NEW.record_id, NEW.belongings, NEW.erased, NEW.removed); RETURN NULL; END $$`,
    );
    await app.core.database.query(
      `CREATE TRIGGER keep AFTER INSERT ON unfinished_erasures FOR EACH ROW EXECUTE FUNCTION keep()`,
    );
    const { removed } = dataOf(await app.executeOperation<Erased>(ERASE, { id })).eraseProfile;
    await app.relay?.stop();
    await app.core.database.query(
      `INSERT INTO unfinished_erasures (kind, record_id, belongings, erased, removed) SELECT * FROM kept`,
    );
    const { eraseProfile } = dataOf(await app.executeOperation<Erased>(ERASE, { id, timeoutMs: 0 }));
    expect(eraseProfile.found).toEqual(NOTHING);
    expect(eraseProfile.removed).toEqual({ ...removed, cachedTexts: 0 });
  });

  it.each(['profiles', 'skills', 'outbox_events', 'vector_points'])(
    'says so in time, and removes nothing, while another writer holds rows of %s',
    async (table) => {
      const app = await start({ isRelaying: false });
      const id = await createPerson(app, 'Sigrid');
      const relay = app.core.createRelay();
      relay.start();
      await app.settle();
      await relay.stop();
      await app.executeOperation('mutation ($id: ID!) { archiveProfile(id: $id) { syncToken } }', { id });
      let letGo = (): void => undefined;
      const isHeld = new Promise<void>((resolve) => (letGo = resolve));
      let hasLocked = false;
      const holding = app.core.database.transaction({}, async (transaction) => {
        await transaction.query(`SELECT 1 FROM ${table} FOR UPDATE`);
        hasLocked = true;
        await isHeld;
      });
      await until(() => Promise.resolve(hasLocked));
      const refusal = refusalOf(await app.executeOperation(ERASE, { id, timeoutMs: 50 }));
      expect(refusal).toMatchObject({ code: 'CONFLICT', extensions: { retryable: true } });
      expect(refusal.message).toMatch(/^Nothing has been erased/);
      expect(await everything(app)).toContain('Sigrid');
      letGo();
      await holding;
      const second = app.core.createRelay();
      second.start();
      opened.push({ close: () => second.stop() });
      expect(dataOf(await app.executeOperation<Erased>(ERASE, { id })).eraseProfile.found).toEqual(NOTHING);
    },
  );

  it('is for admins, and keeps to its limits', async () => {
    const app = await start();
    const id = await createPerson(app, 'Sigrid');
    expect(refusalOf(await app.executeOperation(ERASE, { id }, { role: 'writer' })).code).toBe('FORBIDDEN');
    expect(refusalOf(await app.executeOperation(ERASE, { id, timeoutMs: 1_000_000 })).code).toBe('BAD_INPUT');
    expect(await everything(app)).toContain('Sigrid');
  });

  it('is heard of by every process', async () => {
    const app = await start();
    const id = await createPerson(app, 'Sigrid');
    const heard: (string | undefined)[] = [];
    const listener = new NotificationListener(
      app.core.database.pool,
      ERASURE_CHANNEL,
      (payload) => heard.push(payload),
      recordingLogger(),
    );
    listener.start();
    opened.push(listener);
    await until(() => Promise.resolve(heard.length === 1));
    await app.executeOperation(ERASE, { id });
    await until(() => Promise.resolve(heard.includes('profile')));
  });
});
