import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { waitUntilIndexed } from '../../src/cli/indexing-progress';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import type { IndexingProgress } from '../../src/kernel/outbox/indexing-progress';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { until } from '../support/until';

describe('the indexing progress', () => {
  let app: TestApp;
  let release: () => void = () => undefined;
  let isHeld: Promise<void> | undefined;

  const hold = (): void => {
    isHeld = new Promise((resolve) => (release = resolve));
  };
  const insertTags = (from: number, count: number): Promise<object[]> =>
    app.core.database.query(
      `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series($1::int, $2::int) i`,
      [from, from + count - 1],
    );

  beforeAll(async () => {
    app = await startApp({
      embedder: createDeterministicEmbedder({
        onEmbed: async (texts) => {
          await isHeld;
          if (texts.some((text) => text.includes('tag 13'))) throw new ModelRejectedError('bad luck');
        },
      }),
    });
  });
  afterAll(async () => {
    release();
    await app.close();
  });

  it('is told at once, whenever it changes, and ends once all is still when asked to', async () => {
    const { progress } = app.core.services;
    hold();
    await insertTags(1, 10);
    const seen: IndexingProgress[] = [];
    const watching = (async () => {
      for await (const step of progress.watch({ isUntilIdle: true })) seen.push(step);
    })();
    await until(() => Promise.resolve(seen.some((step) => step.pending === 10)));
    expect(seen.at(-1)?.isIdle).toBe(false);
    expect(seen.at(-1)?.oldestPendingMs).toBeGreaterThan(0);
    release();
    await watching;
    expect(seen.at(-1)).toMatchObject({ records: 0, pending: 0, failed: 0, dead: 0, isIdle: true });
  });

  it('counts what was given up, by kind', async () => {
    await insertTags(11, 5);
    await app.settle();
    const all = await app.core.services.progress.current();
    expect(all).toMatchObject({ failed: 1, dead: 1, isIdle: true, pending: 0 });
    expect(all.kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({ failed: 1, dead: 1 });
    expect(await app.core.services.progress.current(['story'])).toMatchObject({ failed: 0, dead: 0 });
  });

  it('knows of what was written before it is asked for', async () => {
    const { progress } = app.core.services;
    for (let round = 0; round < 10; round += 1) {
      await insertTags(100 + round, 1);
      let last: IndexingProgress | undefined;
      for await (const step of progress.watch({ isUntilIdle: true })) last = step;
      expect(last?.isIdle).toBe(true);
      const [row] = await app.core.database.query<{ state: string }>(
        `SELECT p.state FROM vector_points p JOIN tag_concepts t ON t.id = p.entity_id WHERE t.name = $1`,
        [`tag ${100 + round}`],
      );
      expect(row?.state).toBe('indexed');
    }
  });

  it('asks the database no more for many watchers than for one', async () => {
    const watchers = Array.from({ length: 50 }, () => app.core.services.progress.watch());
    const { trips } = await app.countRoundTrips(() => Promise.all(watchers.map((watcher) => watcher.next())));
    expect(trips.sql.filter((sql) => sql.includes('bool_or')).length).toBeLessThanOrEqual(2);
    for (const watcher of watchers) await watcher.return?.();
  });

  it('ends at once when nobody reads any more', async () => {
    const watcher = app.core.services.progress.watch();
    await watcher.next();
    const waiting = watcher.next();
    await watcher.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('is told to whoever waits at a terminal, with the reason where nothing happens', async () => {
    const lines: string[] = [];
    const stream = { isTTY: false, write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;
    const stopping = new AbortController();
    hold();
    await insertTags(2000, 3);
    const waiting = { label: 'Embedding', quietMs: 20, stream, signal: stopping.signal };
    const alone = waitUntilIndexed(app.core, waiting);
    await until(() => Promise.resolve(lines.some((line) => /nothing has happened .* 3 to go .*running\?/.test(line))));
    const withRelay = waitUntilIndexed(app.core, { ...waiting, relay: app.relay });
    await until(() => Promise.resolve(lines.some((line) => line.includes('may be a long text'))));
    release();
    await Promise.all([alone, withRelay]);
    expect(lines).toContain('Embedding: 3/3 texts\n');
  });
});
