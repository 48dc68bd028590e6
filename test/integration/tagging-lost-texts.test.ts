import { expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { eventually, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const STORMS = 'Storms at sea, storms at sea, storms at sea, storms at sea, storms at sea, storms at sea.';
const BREAD = 'Baking bread, baking bread, baking bread, baking bread, baking bread, baking bread.';

async function addTags(path: WritePath): Promise<{ sea: number; storms: number; bread: number }> {
  await path.sql('UPDATE tag_schemes SET implies_parents = true');
  const sea = await path.id(`INSERT INTO tag_concepts (name) VALUES ('unlike all of them') RETURNING id`);
  const storms = await path.id(`INSERT INTO tag_concepts (name, parent_id) VALUES ('storms at sea', $1) RETURNING id`, [
    sea,
  ]);
  const bread = await path.id(`INSERT INTO tag_concepts (name) VALUES ('baking bread') RETURNING id`);
  return { sea, storms, bread };
}

const tagsOf = async (path: WritePath, table: string): Promise<number[]> =>
  (await path.sql<{ id: number }>(`SELECT tag_concept_id AS id FROM ${table} ORDER BY 1`)).map(({ id }) => id);

/** Of the tags that contents have, without those that are only implied. */
const namesOf = async (path: WritePath): Promise<string[]> => {
  const rows = await path.sql<{ name: string }>(
    `SELECT name FROM content_item_tags a JOIN tag_concepts tag ON tag.id = a.tag_concept_id WHERE NOT is_implied ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
};

const usage = async (path: WritePath): Promise<number> =>
  (await path.sql<{ sum: number }>('SELECT sum(usage_count)::int AS sum FROM tag_concepts'))[0]?.sum ?? -1;

it('withdraws what a part of a text suggested when that part goes', async () => {
  const path = await open({ embedder: createDeterministicEmbedder({ maxTokens: 32 }) });
  path.relay();
  const { sea, storms, bread } = await addTags(path);
  await path.sql(`INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', $1)`, [
    `${STORMS} ${BREAD}`,
  ]);
  await path.idle();
  expect(await path.points('content_item')).toHaveLength(2);
  expect(await tagsOf(path, 'content_item_tags')).toEqual([sea, storms, bread]);
  await path.sql('UPDATE content_items SET content = $1', [STORMS]);
  await path.idle();
  expect(await path.points('content_item')).toHaveLength(1);
  expect(await tagsOf(path, 'content_item_tags')).toEqual([sea, storms]);
  expect(await usage(path)).toBe(2);
});

it('withdraws all suggestions with the whole text, and keeps what people decided and what that implies', async () => {
  const path = await open();
  path.relay();
  const { sea, storms, bread } = await addTags(path);
  const [item, other] = [
    await path.id(
      `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', $1) RETURNING id`,
      [STORMS],
    ),
    await path.id(
      `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'two', $1) RETURNING id`,
      [BREAD],
    ),
  ];
  await path.idle();
  expect(await tagsOf(path, 'content_item_tags')).toEqual([sea, storms, bread]);
  await path.sql(
    `INSERT INTO content_item_tags (content_item_id, tag_concept_id, source, status) VALUES ($1, $2, 'manual', 'accepted')`,
    [other, storms],
  );
  await path.sql(`INSERT INTO content_item_tags (content_item_id, tag_concept_id, source, status, is_implied)
    VALUES (${other}, ${sea}, 'auto', 'accepted', true)`);
  await path.sql(`UPDATE content_items SET content = ''`);
  await path.idle();
  expect(await path.points('content_item')).toEqual([]);
  expect(
    await path.sql('SELECT content_item_id AS item, tag_concept_id AS tag FROM content_item_tags ORDER BY 2'),
  ).toEqual([
    { item: other, tag: sea },
    { item: other, tag: storms },
  ]);
  expect(await usage(path)).toBe(2);
  expect(await path.sql('SELECT 1 FROM tag_decisions WHERE subject_id = $1', [item])).toEqual([]);
  await path.sql('UPDATE content_items SET content = $1 WHERE id = $2', [STORMS, item]);
  await path.idle();
  expect(await tagsOf(path, 'content_item_tags')).toEqual([sea, sea, storms, storms]);
});

it.each([
  ['goes', '', []],
  ['becomes another', BREAD, ['baking bread']],
])('leaves nothing of a text that %s while its suggestions are being written', async (_, content, tags) => {
  const path = await open();
  const relay = path.relay();
  await addTags(path);
  await path.idle();
  await relay.stop();
  await path.sql(`INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', $1)`, [
    STORMS,
  ]);
  // Suggesting counts a use of the tag, and waits for whoever holds it; not for long, so that this may take a few attempts.
  await path.database.transaction({}, async (transaction) => {
    await transaction.query(`SELECT 1 FROM tag_concepts WHERE name = 'storms at sea' FOR NO KEY UPDATE`);
    path.relay();
    await eventually(async () => {
      const waiting = await path.sql(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });
    await path.sql('UPDATE content_items SET content = $1', [content]);
    await eventually(async () =>
      expect(await path.sql(`SELECT 1 FROM outbox_events WHERE topic IN ('source', 'point')`)).toEqual([]),
    );
    // Not yet what was to be written before.
    await eventually(async () => expect(await namesOf(path)).toEqual(tags));
  });
  await path.idle();
  expect(await namesOf(path)).toEqual(tags);
});
