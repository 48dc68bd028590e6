import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { recordKinds } from '../../src/features/registry';
import { Consistency } from '../../src/kernel/consistency/consistency';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { watchedStore } from '../support/watched-store';

const SIZES = { points: 8, records: 5, textBytes: 100_000 };
const STORIES = 60;
const PASSAGES = 4;
const POINTS = STORIES * PASSAGES;
const CHECKED = { kinds: ['story'] };

/** What a check asked for, in order. */
interface Asked {
  of: 'rows' | 'points' | 'recheckedPoints' | 'records' | 'recordRows' | 'queued' | 'strays';
  count: number;
}

/** The statements of a check and a repair that answer with as many rows as there are things to look at. */
const STATEMENTS: readonly (readonly [Asked['of'], RegExp])[] = [
  ['strays', /FROM vector_points p\s+WHERE p\.kind = \$1 AND/],
  ['rows', /FROM story_chunk_embeddings row LEFT JOIN/],
  ['recordRows', /SELECT \* FROM story_chunk_embeddings WHERE story_id/],
  ['records', /FROM stories t\s+WHERE t\.id = ANY/],
  ['queued', /INSERT INTO outbox_events/],
];

describe('what a check holds at once', () => {
  const asked: Asked[] = [];
  let app: TestApp;
  let consistency: Consistency;

  beforeAll(async () => {
    app = await startApp();
    const { core } = app;
    await core.database.query(
      `INSERT INTO stories (title, content)
       SELECT 'T' || i, (SELECT string_agg('Passage ' || j || ' of ' || i || '.', E'\\n\\n') FROM generate_series(1, ${PASSAGES}) j)
       FROM generate_series(1, ${STORIES}) i`,
    );
    await app.settle();
    await app.relay?.stop();
    core.database.observe(({ sql, rowCount }) => {
      const of = STATEMENTS.find(([, pattern]) => pattern.test(sql))?.[0];
      if (of) asked.push({ of, count: rowCount });
    });
    consistency = new Consistency({
      ...core,
      store: watched(core.store),
      kinds: recordKinds,
      batchSizes: SIZES,
    });
  });
  beforeEach(() => void asked.splice(0));
  afterAll(() => app.close());

  /** Notes how many points each read is about. */
  const watched = (store: VectorStore): VectorStore =>
    watchedStore(store, (real) => ({
      scroll: async (...request) => {
        const page = await real.scroll(...request);
        asked.push({ of: 'points', count: page.points.length });
        return page;
      },
      retrieve: (collection, ids, want) => {
        asked.push({ of: 'recheckedPoints', count: ids.length });
        return real.retrieve(collection, ids, want);
      },
    }));
  const counts = (of: Asked['of']): number[] => asked.filter((one) => one.of === of).map(({ count }) => count);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

  /** That no answer was longer than a page. */
  function expectPages(): void {
    const most = (of: Asked['of']): number => Math.max(0, ...counts(of));
    expect(most('rows')).toBeLessThanOrEqual(SIZES.points);
    expect(most('points')).toBeLessThanOrEqual(SIZES.points);
    expect(most('recheckedPoints')).toBeLessThanOrEqual(SIZES.points);
    expect(most('strays')).toBeLessThanOrEqual(SIZES.points);
    expect(most('records')).toBeLessThanOrEqual(SIZES.records);
    expect(most('recordRows')).toBeLessThanOrEqual(SIZES.records * PASSAGES);
    expect(most('queued')).toBeLessThanOrEqual(SIZES.points);
  }

  it('is a page of each store and the next, where all is well', async () => {
    const { drift, kinds } = await consistency.check(CHECKED);
    expect([drift, kinds[0]?.rows, kinds[0]?.points]).toEqual([0, POINTS, POINTS]);
    expectPages();
    expect([sum(counts('rows')), sum(counts('points')), sum(counts('records'))]).toEqual([POINTS, POINTS, STORIES]);
    expect(counts('rows').length).toBeGreaterThanOrEqual(POINTS / SIZES.points);
    // Neither store is read ahead of the other by more than what is held: the page at hand and the next.
    let [rows, points] = [0, 0];
    for (const { of, count } of asked) {
      if (of === 'rows') rows += count;
      if (of === 'points') points += count;
      expect(Math.abs(rows - points)).toBeLessThanOrEqual(2 * SIZES.points);
    }
  });

  it('is no more text than it may be, but for one record whose text is longer', async () => {
    const { database } = app.core;
    const [{ longest } = { longest: 0 }] = await database.query<{ longest: number }>(
      'SELECT max(octet_length(content)) AS longest FROM stories',
    );
    for (const [textBytes, most] of [
      [1, 1],
      [longest + 1, 2],
    ] as const) {
      asked.splice(0);
      const { drift } = await new Consistency({
        ...app.core,
        kinds: recordKinds,
        batchSizes: { ...SIZES, textBytes },
      }).check(CHECKED);
      expect(drift).toBe(0);
      expect(Math.max(...counts('records'))).toBe(most);
      expect(sum(counts('records'))).toBe(STORIES);
    }
  });

  it('is no more where every point is lost: what differs is counted, and some of it named', async () => {
    const { store, catalog } = app.core;
    const { points } = await store.scroll(catalog.alias('story'), { limit: POINTS, payload: false });
    await store.delete(catalog.alias('story'), points);
    asked.splice(0);

    const found = await consistency.check({ ...CHECKED, maxDrifts: 7 });
    expect(found.kinds[0]).toMatchObject({ rows: POINTS, points: 0, missing: POINTS });
    expect([found.drift, found.drifts.length, found.isCut]).toEqual([POINTS, 7, true]);
    expectPages();
    expect(sum(counts('recheckedPoints'))).toBe(POINTS);
  });

  it('is no more where all of that is repaired: it is queued while the stores are read', async () => {
    const { findings, queued, plan } = await consistency.repair({ ...CHECKED, maxDrifts: 7 });
    expect([findings.drift, findings.drifts.length, queued]).toEqual([POINTS, 7, POINTS]);
    expect(plan).toEqual([{ kind: 'story', records: 0, writes: POINTS, payloads: 0, deletions: 0 }]);
    expectPages();
    expect(sum(counts('queued'))).toBe(POINTS);
    const order = asked.map(({ of }) => of);
    expect(order.indexOf('queued')).toBeLessThan(order.indexOf('rows') + 2 * SIZES.points);
    expect(order.indexOf('queued')).toBeLessThan(order.lastIndexOf('rows'));
  });

  it('is no more while all of it is on its way, which is no drift', async () => {
    const { drift, kinds } = await consistency.check(CHECKED);
    expect([drift, kinds[0]?.pending, kinds[0]?.rows, kinds[0]?.points]).toEqual([0, POINTS, POINTS, 0]);
    expectPages();
  });

  it('is no more where every row and every entry is lost', async () => {
    const { database } = app.core;
    await database.query('DELETE FROM story_chunk_embeddings');
    await database.query('DELETE FROM outbox_events');
    asked.splice(0);
    const found = await consistency.repair({ ...CHECKED, maxDrifts: 7 });
    // The ledger has its entries still, without rows and without points.
    expect(found.findings.kinds[0]).toMatchObject({ rows: 0, points: 0, orphaned: POINTS, missingRows: POINTS });
    expect([found.findings.drifts.length, found.queued]).toEqual([7, POINTS + STORIES]);
    expectPages();
  });
});
