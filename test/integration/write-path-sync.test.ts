import { describe, expect, it } from '@jest/globals';

import { ModelRejectedError } from '../../src/kernel/model/embedder';
import { Sync } from '../../src/kernel/outbox/sync';
import { eventually, type OpenOptions, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const paths = useWritePaths();

async function open(options?: OpenOptions): Promise<{ path: WritePath; sync: Sync }> {
  const path = await paths.open(options);
  return { path, sync: new Sync(path.database) };
}

const insertTag = `INSERT INTO tag_concepts (name) VALUES ($1) RETURNING id`;

/** Runs one statement and answers with the token of its transaction. */
function written(path: WritePath, sync: Sync, statement: string, values: unknown[] = []): Promise<string> {
  return path.database.transaction({}, async (transaction) => {
    await transaction.query(statement, values);
    return sync.tokenOf(transaction);
  });
}

const decoded = (token: string) =>
  JSON.parse(Buffer.from(token, 'base64url').toString()) as { xid: string; refs?: unknown[] };

describe('a sync token', () => {
  it('is waited for until the write is in the vector server', async () => {
    const { path, sync } = await open();
    const token = await written(path, sync, insertTag, ['found']);
    path.relay();
    await sync.awaitSync(token, 60_000);
    expect((await path.points('tag_concept')).map((point) => point.payload.name)).toEqual(['found']);
  });

  it('covers changes and deletes', async () => {
    const { path, sync } = await open();
    path.relay();
    await sync.awaitSync(await written(path, sync, insertTag, ['first']), 60_000);
    await sync.awaitSync(await written(path, sync, `UPDATE tag_concepts SET name = 'second'`), 60_000);
    expect((await path.points('tag_concept')).map((point) => point.payload.name)).toEqual(['second']);
    await sync.awaitSync(await written(path, sync, 'DELETE FROM tag_concepts'), 60_000);
    expect(await path.points('tag_concept')).toEqual([]);
  });

  it('covers a transaction too large to name', async () => {
    const { path, sync } = await open();
    const insert = `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 400) i`;
    const token = await written(path, sync, insert);
    expect(decoded(token).refs).toBeUndefined();
    path.relay();
    await sync.awaitSync(token, 60_000);
    expect(await path.points('tag_concept')).toHaveLength(400);
  });

  it('covers the points of such a transaction, whenever it is asked', async () => {
    let letThrough = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letThrough = resolve));
    const { path, sync } = await open({ onEmbed: () => gate });
    const insert = `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, 400) i`;
    const token = await written(path, sync, insert);
    path.relay();
    await eventually(async () => {
      expect(await path.sql(`SELECT 1 FROM outbox_events WHERE topic = 'source' LIMIT 1`)).toEqual([]);
    });
    await expect(sync.awaitSync(token, 50)).rejects.toMatchObject({ code: 'SYNC_TIMEOUT' });
    letThrough();
    await sync.awaitSync(token, 60_000);
    expect(await path.points('tag_concept')).toHaveLength(400);
  });

  it('of a transaction that captured nothing is no wait', async () => {
    const { path, sync } = await open();
    await sync.awaitSync(await written(path, sync, 'SELECT 1'), 0);
  });

  it('times out when nobody relays', async () => {
    const { path, sync } = await open();
    const token = await written(path, sync, insertTag, ['waiting']);
    await expect(sync.awaitSync(token, 50)).rejects.toMatchObject({ code: 'SYNC_TIMEOUT', retryable: true });
    path.relay();
    await sync.awaitSync(token, 60_000);
  });

  it('says so when its write was given up', async () => {
    const { path, sync } = await open({
      onEmbed: (texts) => {
        if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
      },
    });
    path.relay();
    const token = await written(path, sync, insertTag, ['poison']);
    await expect(sync.awaitSync(token, 60_000)).rejects.toMatchObject({ code: 'SYNC_FAILED' });
  });

  it.each([
    'nonsense',
    '',
    Buffer.from('{}').toString('base64url'),
    Buffer.from('{"xid":"99999999999999999999"}').toString('base64url'),
    Buffer.from('{"xid":"1","refs":[["source","tag_concept","9999999999"]]}').toString('base64url'),
    Buffer.from('{"xid":"1","refs":[["point","tag_concept","no uuid"]]}').toString('base64url'),
    'A'.repeat(1_000_000),
  ])('that is none of ours is refused: %.40s', async (token) => {
    const { sync } = await open();
    await expect(sync.awaitSync(token, 100)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it.each([-1, NaN, Infinity, 1e9])('is not waited for %p ms', async (timeoutMs) => {
    const { path, sync } = await open();
    const token = await written(path, sync, insertTag, ['x']);
    await expect(sync.awaitSync(token, timeoutMs)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('the indexing status', () => {
  it('counts what is on its way, done and given up', async () => {
    const { path, sync } = await open({
      onEmbed: (texts) => {
        if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
      },
    });
    const insert = `INSERT INTO stories (title, content) VALUES ('t', $1) RETURNING id`;
    const good = await path.id(insert, ['One.\n\nTwo.']);
    const bad = await path.id(insert, ['One.\n\nSome poison.']);
    const empty = await path.id(insert, ['']);
    const [before] = await sync.indexingStatus('story', [good]);
    expect(before).toMatchObject({ state: 'PENDING', pending: 1, indexed: 0, failed: 0, error: null });
    expect(before?.since).toBeInstanceOf(Date);
    path.relay();
    await path.idle();
    expect(await sync.indexingStatus('story', [bad, good, empty])).toEqual([
      { state: 'FAILED', pending: 0, indexed: 1, failed: 1, error: 'not that', since: expect.any(Date) },
      { state: 'INDEXED', pending: 0, indexed: 2, failed: 0, error: null, since: expect.any(Date) },
      { state: 'INDEXED', pending: 0, indexed: 0, failed: 0, error: null, since: null },
    ]);
  });
});
