import { describe, expect, it } from '@jest/globals';

import type { VectorQuery, VectorStore } from '../../src/kernel/vector/vector-store';
import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import { until } from '../support/until';
import type { WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const paths = useWritePaths();

/** A store that asks `refuse` about the points that each batch of queries starts from. */
function refusing(refuse: (pointIds: string[]) => Error | undefined): (store: VectorStore) => VectorStore {
  return (store) =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        const method = value as (...args: unknown[]) => unknown;
        if (name !== 'queryBatch') return method.bind(target);
        return async (collection: string, queries: readonly VectorQuery[]) => {
          const targets = queries.flatMap((query) => query.targets.map((one) => one.target));
          const error = refuse(targets.flatMap((one) => ('positive' in one ? one.positive : [])));
          if (error) throw error;
          return method.call(target, collection, queries);
        };
      },
    });
}

async function open(refuse: (pointIds: string[]) => Error | undefined): Promise<WritePath> {
  const path = await paths.open({ wrapStore: refusing(refuse) });
  await path.sql(`INSERT INTO tag_concepts (name, description) VALUES ('ravens', 'black ravens above the tower')`);
  await path.sql(
    `INSERT INTO stories (title, content) VALUES ('Ravens', E'black ravens above the tower\\n\\nravens, black, above the tower')`,
  );
  return path;
}

/** Everything has a vector, and nothing has been compared. */
async function embedded(path: WritePath): Promise<void> {
  await path.sql(`UPDATE tag_schemes SET kinds = '{}'`);
  const relay = path.relay();
  await path.idle();
  await relay.stop();
}

async function textsTagged(path: WritePath): Promise<void> {
  await path.sql(`UPDATE tag_schemes SET kinds = ARRAY['story']`);
  await path.sql(`DELETE FROM outbox_events`);
  await path.sql(
    `INSERT INTO outbox_events (topic, kind, key) SELECT 'tag', 'story', qdrant_point_id::text FROM story_chunk_embeddings`,
  );
  path.relay();
  await path.idle();
}

const tagged = `SELECT count(*)::int FROM story_chunk_tags`;

it('gives up a text that cannot be compared, and tags the others', async () => {
  let poisoned = '';
  const path = await open((ids) =>
    poisoned !== '' && ids.includes(poisoned) ? new VectorStoreRejectedError('not that one', 400) : undefined,
  );
  // More tags than texts, so that each text is asked for by itself.
  await path.sql(`INSERT INTO tag_concepts (name) VALUES ('harvest'), ('bookkeeping')`);
  // The first paragraph's point, before anything is compared.
  await embedded(path);
  const [first] = await path.sql<{ id: string }>(
    `SELECT qdrant_point_id AS id FROM story_chunk_embeddings WHERE paragraph_index = 0`,
  );
  poisoned = first?.id ?? '';
  await textsTagged(path);
  const dead = await path.sql(
    `SELECT topic, kind, key, error_code, attempts FROM outbox_events WHERE dead_at IS NOT NULL`,
  );
  expect(dead).toEqual([
    { topic: 'tag', kind: 'story', key: poisoned, error_code: 'VECTOR_STORE_REJECTED', attempts: 1 },
  ]);
  expect(await path.sql(tagged)).toEqual([{ count: 1 }]);
});

it('tags texts one by one where a tag cannot be asked for those near it', async () => {
  let tagPoint = '';
  const path = await open((ids) =>
    ids.includes(tagPoint) ? new VectorStoreRejectedError('not that one', 400) : undefined,
  );
  await embedded(path);
  const [tag] = await path.sql<{ id: string }>('SELECT qdrant_point_id AS id FROM tag_concept_embeddings');
  tagPoint = tag?.id ?? '';
  await textsTagged(path);
  expect(await path.sql('SELECT * FROM outbox_events')).toEqual([]);
  expect(await path.sql(tagged)).toEqual([{ count: 2 }]);
});

it('waits for a vector server that does not answer, and counts no attempt', async () => {
  let refusals = 3;
  const path = await open(() => (refusals-- > 0 ? new VectorStoreUnavailableError('not now') : undefined));
  path.relay();
  await path.idle();
  expect(refusals).toBeLessThan(0);
  expect(await path.sql(tagged)).toEqual([{ count: 2 }]);
  expect(await path.sql('SELECT 1 FROM outbox_events')).toEqual([]);
  expect(await path.drift()).toEqual([]);
});

it('is done once by several relays, one of which stops in the middle', async () => {
  const path = await open(() => undefined);
  await path.sql(
    `INSERT INTO stories (title, content) SELECT 'Story ' || i, 'black ravens above the tower, ' || i FROM generate_series(1, 300) i`,
  );
  const first = path.relay();
  path.relay();
  await first.stop();
  path.relay();
  await path.idle();
  const rows = await path.sql(
    `SELECT count(*)::int AS assigned, (SELECT usage_count FROM tag_concepts) AS used,
       (SELECT count(*)::int FROM outbox_events) AS left FROM story_chunk_tags`,
  );
  expect(rows).toEqual([{ assigned: 302, used: 302, left: 0 }]);
});

describe('what goes while others write of it', () => {
  /** Deletes by this statement, and lets it come into effect only once a relay waits for it. */
  async function deleteUnderneath(path: WritePath, statement: string): Promise<void> {
    await path.database.transaction({}, async (transaction) => {
      await transaction.query(statement);
      path.relay();
      await until(async () => {
        const waiting = await path.sql(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
    });
    await path.idle();
  }

  it('is left out by a tag that is compared, and nothing is given up', async () => {
    const path = await open(() => undefined);
    await embedded(path);
    await path.sql(`UPDATE tag_schemes SET kinds = ARRAY['story']`);
    await deleteUnderneath(path, 'DELETE FROM story_chunk_embeddings WHERE paragraph_index = 0');
    expect(await path.sql('SELECT error FROM outbox_events')).toEqual([]);
  });

  it('is left out by a text whose decisions come back, and its story is chunked all the same', async () => {
    const path = await open(() => undefined);
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('harvest')`);
    await embedded(path);
    await path.sql(
      `INSERT INTO story_chunk_tags (story_chunk_id, tag_concept_id, source, status)
       SELECT chunk.id, tag.id, 'manual', 'accepted' FROM story_chunk_embeddings chunk, tag_concepts tag
       WHERE chunk.paragraph_index = 0 AND tag.name = 'harvest'`,
    );
    const relay = path.relay();
    await path.sql(`UPDATE stories SET content = 'another text'`);
    await path.idle();
    await relay.stop();
    await path.sql(`UPDATE stories SET content = 'black ravens above the tower'`);
    await deleteUnderneath(path, `DELETE FROM tag_concepts WHERE name = 'harvest'`);
    expect(await path.sql('SELECT error FROM outbox_events')).toEqual([]);
    expect(await path.sql('SELECT text FROM story_chunk_embeddings')).toEqual([
      { text: 'black ravens above the tower' },
    ]);
    expect(await path.drift()).toEqual([]);
  });
});

const TEXT = 'black ravens above the tower';

it.each([
  {
    what: 'by its new vector while texts asked with the former one',
    tag: `('zz', NULL, NULL, NULL)`,
    change: `description = '${TEXT}'`,
    content: TEXT,
  },
  {
    what: 'by its new vector while it was asked for texts with the former one',
    tag: `('zz', NULL, NULL, NULL)`,
    change: `description = '${TEXT}'`,
    content: `${TEXT}\n\nnothing at all`,
  },
  {
    what: 'by its new threshold while it was asked for texts with the former one',
    tag: `('ravens', '${TEXT}', 1, NULL)`,
    change: 'threshold = NULL',
    content: `${TEXT}\n\nnothing at all`,
  },
  {
    what: 'when it came back while only others were asked for texts',
    tag: `('ravens', '${TEXT}', NULL, now()), ('other', NULL, 1, NULL)`,
    change: 'archived_at = NULL',
    content: `${TEXT}\n\nnothing at all`,
  },
])('leaves a suggestion that a tag got $what', async ({ tag, change, content }) => {
  let release: () => void = () => undefined;
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  let isHolding = false;
  let isHeld = false;
  /** The next answer is kept back. */
  const holding = (store: VectorStore): VectorStore =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        if (name !== 'queryBatch') return (value as (...args: unknown[]) => unknown).bind(target);
        return async (...args: Parameters<VectorStore['queryBatch']>) => {
          const answer = await target.queryBatch(...args);
          if (isHolding) {
            isHolding = false;
            isHeld = true;
            await isReleased;
          }
          return answer;
        };
      },
    });
  const path = await paths.open({ wrapStore: holding });
  await path.sql(`INSERT INTO tag_concepts (name, description, threshold, archived_at) VALUES ${tag}`);
  await path.sql(`INSERT INTO stories (title, content) VALUES ('Ravens', $1)`, [content]);
  const first = path.relay();
  await path.idle();
  await first.stop();
  isHolding = true;
  await path.sql(
    `INSERT INTO outbox_events (topic, kind, key) SELECT 'tag', 'story', qdrant_point_id::text FROM story_chunk_embeddings`,
  );
  path.relay();
  await until(() => Promise.resolve(isHeld));
  await path.sql(`UPDATE tag_concepts SET ${change} WHERE name <> 'other'`);
  path.relay();
  await until(async () => (await path.sql('SELECT 1 FROM story_chunk_tags')).length === 1);
  release();
  await path.idle();
  expect(await path.sql(tagged)).toEqual([{ count: 1 }]);
});
