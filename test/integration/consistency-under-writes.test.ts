import { afterEach, describe, expect, it } from '@jest/globals';

import { recordKinds } from '../../src/features/registry';
import { Consistency } from '../../src/kernel/consistency/consistency';
import type { OutboxTopic } from '../../src/kernel/outbox/outbox-event.entity';
import type { RelayStep } from '../../src/kernel/outbox/relay-step';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { wrong, type Wrong } from '../support/drift';
import { until } from '../support/until';

let app: TestApp;
afterEach(() => app.close());

const sql = (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  app.core.database.query(text, values);
/** Compares in pages of a few, so that whatever changes does so between two of them. */
const inSmallPages = (): Consistency =>
  new Consistency({ ...app.core, kinds: recordKinds, batchSizes: { points: 9, records: 4, textBytes: 100 } });

async function fill(): Promise<void> {
  await sql(
    `WITH p AS (INSERT INTO profiles (name, headline) SELECT 'P ' || i, 'H' FROM generate_series(1, 15) i RETURNING id)
     INSERT INTO skills (profile_id, name) SELECT id, 'S ' || n FROM p, generate_series(1, 3) n`,
  );
  await sql(
    `INSERT INTO stories (title, content) SELECT 'T ' || i, E'One ' || i || E'.\\n\\nTwo.' FROM generate_series(1, 12) i`,
  );
  await sql(`INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 36) i`);
}

describe('a check while everything changes', () => {
  const CHECKS = 3;
  const WRITERS = 2;
  /** A tag that nobody writes in the meantime. */
  const LEFT_ALONE = `(SELECT id FROM tag_concepts WHERE name IN ('tag 7', 'tag 21', 'tag 33'))`;
  const statements: readonly ((i: number) => string)[] = [
    (i) =>
      `UPDATE stories SET content = split_part(content, E'\\n\\n', 1) || E'\\n\\nParagraph ${i}.' WHERE id % 3 = ${i % 3}`,
    (i) => `UPDATE stories SET content = 'Anew ${i}.' WHERE id = (SELECT min(id) + ${i % 6} FROM stories)`,
    (i) =>
      `UPDATE stories SET content = E'Before ${i}.\\n\\n' || split_part(content, E'\\n\\n', 1) WHERE id % 7 = ${i % 7}`,
    (i) => `DELETE FROM stories WHERE id = (SELECT min(id) + ${i % 5} FROM stories)`,
    (i) => `INSERT INTO stories (title, content) VALUES ('Comes ${i}', E'First ${i}.\\n\\nSecond.')`,
    (i) => `UPDATE profiles SET headline = 'Headline ${i}' WHERE id % 4 = ${i % 4}`,
    (i) => `UPDATE profiles SET archived_at = CASE WHEN archived_at IS NULL THEN now() END WHERE id % 5 = ${i % 5}`,
    (i) => `UPDATE skills SET name = 'Skill ${i}' WHERE id % 3 = ${i % 3}`,
    () => `DELETE FROM skills WHERE id = (SELECT min(id) FROM skills)`,
    (i) => `INSERT INTO skills (profile_id, name) SELECT id, 'New ${i}' FROM profiles ORDER BY id DESC LIMIT 1`,
    (i) => `INSERT INTO profiles (name, headline) VALUES ('Person ${i}', 'Comes')`,
    () => `DELETE FROM profiles WHERE id = (SELECT min(id) FROM profiles)`,
    (i) => `UPDATE tag_concepts SET category = 'c ${i}' WHERE id % 4 = ${i % 4} AND id NOT IN ${LEFT_ALONE}`,
    (i) => `DELETE FROM tag_concepts WHERE id % 36 = ${i % 36} AND id NOT IN ${LEFT_ALONE}`,
    (i) => `INSERT INTO tag_concepts (name) VALUES ('comes ${i}') ON CONFLICT DO NOTHING`,
  ];

  /** Writes on until `work` is done; writers that another one gets in the way of go on with what is next. */
  async function whileWriting(work: () => Promise<void>): Promise<number> {
    let isOver = false;
    const write = async (writer: number): Promise<number> => {
      let written = 0;
      for (let i = writer; !isOver; i += WRITERS) {
        const statement = (statements[i % statements.length] as (n: number) => string)(i);
        written += await sql(statement).then(
          () => 1,
          () => 0,
        );
      }
      return written;
    };
    const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    try {
      await work();
    } finally {
      isOver = true;
    }
    return (await writing).reduce((sum, written) => sum + written, 0);
  }

  it('calls nothing drift that is on its way', async () => {
    app = await startApp();
    await fill();
    const found: Wrong[] = [];
    const written = await whileWriting(async () => {
      for (let i = 0; i < CHECKS; i++) found.push(wrong(await inSmallPages().check()));
    });
    expect(written).toBeGreaterThan(statements.length);
    expect(found).toEqual(found.map(() => ({})));
    await app.settle(300_000);
    expect(wrong(await inSmallPages().check())).toEqual({});
  });

  it('finds what has drifted, and that alone', async () => {
    app = await startApp();
    await fill();
    await app.settle(300_000);
    const { store, catalog } = app.core;
    const alias = catalog.alias('tag_concept');
    const [lost, changed, unseen] = (await sql(
      `SELECT qdrant_point_id AS id FROM tag_concept_embeddings WHERE tag_concept_id IN ${LEFT_ALONE} ORDER BY id`,
    )) as { id: string }[];
    if (!lost || !changed || !unseen) throw new Error('the tags that are left alone have no points');
    const [point] = await store.retrieve(alias, [changed.id], { payload: true, vectors: [] });
    await store.delete(alias, [lost]);
    await store.overwritePayloads(alias, [{ id: changed.id, payload: { ...point?.payload, name: 'else' } }]);
    await sql(`UPDATE vector_points SET indexed_hash = repeat('0', 64) WHERE point_id = $1`, [unseen.id]);

    const found: Wrong[] = [];
    await whileWriting(async () => {
      for (let i = 0; i < CHECKS; i++) found.push(wrong(await inSmallPages().check()));
    });
    expect(found).toEqual(found.map(() => ({ tag_concept: { missing: 1, stalePayload: 1, staleText: 1 } })));
    await whileWriting(async () => void (await inSmallPages().repair()));
    await app.settle(300_000);
    expect(wrong(await inSmallPages().check())).toEqual({});
  });
});

describe('a check while a relay is behind', () => {
  const CHANGES: readonly string[] = [
    `INSERT INTO stories (title, content) SELECT 'New', E'Comes ' || i || E'.\\n\\nToo.' FROM generate_series(1, 5) i`,
    `UPDATE stories SET content = content || E'\\n\\nThe end.' WHERE id % 4 = 0`,
    `DELETE FROM stories WHERE id % 7 = 1`,
    `UPDATE profiles SET archived_at = CASE WHEN archived_at IS NULL THEN now() END WHERE id % 5 = 2`,
    `DELETE FROM profiles WHERE id IN (SELECT id FROM profiles ORDER BY id LIMIT 2)`,
    `UPDATE skills SET name = name || ' more' WHERE id % 3 = 1`,
    `UPDATE tag_concepts SET category = coalesce(category, '') || 'x' WHERE id % 3 = 0`,
  ];

  it('counts what waits as pending, be it everything there is', async () => {
    app = await startApp({ isRelaying: false });
    await fill();
    const found = await inSmallPages().check();
    expect(wrong(found)).toEqual({});
    const story = found.kinds.find(({ kind }) => kind === 'story');
    expect(story).toMatchObject({ rows: 0, points: 0, pending: 12 });
    expect(story?.oldestPendingMs).toBeGreaterThan(0);
  });

  const places: readonly (readonly [RelayStep, OutboxTopic])[] = [
    ['claimed', 'source'],
    ['rendered', 'source'],
    ['acking', 'source'],
    ['acked', 'source'],
    ['claimed', 'point'],
    ['embedded', 'point'],
    ['upserted', 'point'],
    ['acking', 'point'],
    ['acked', 'point'],
  ];

  it('finds no drift at any step that the relay is held at', async () => {
    app = await startApp({ isRelaying: false });
    await fill();
    let place: readonly [RelayStep, OutboxTopic] | undefined;
    let held = 0;
    let release: () => void = () => undefined;
    let released = Promise.resolve();
    const relay = app.core.createRelay(async (step, { topic }) => {
      if (step !== place?.[0] || topic !== place[1]) return;
      held += 1;
      await released;
    });
    relay.start();
    try {
      await app.settle(300_000);
      const found: Record<string, Wrong> = {};
      for (const next of places) {
        held = 0;
        released = new Promise((resolve) => (release = resolve));
        place = next;
        // In one transaction: a relay that is held while it has rows locked would never let the next change through.
        await app.core.database.transaction({}, async (tx) => {
          for (const change of CHANGES) await tx.query(change);
        });
        await until(() => Promise.resolve(held > 0));
        found[next.join(' ')] = wrong(await inSmallPages().check());
        place = undefined;
        release();
        await app.settle(300_000);
        found[`after ${next.join(' ')}`] = wrong(await inSmallPages().check());
      }
      expect(found).toEqual(Object.fromEntries(Object.keys(found).map((at) => [at, {}])));
      expect(Object.keys(found)).toHaveLength(2 * places.length);
    } finally {
      release();
      await relay.stop();
    }
  });
});
