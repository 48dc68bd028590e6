import { expect, it } from '@jest/globals';

import type { WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

async function prepare(path: WritePath): Promise<void> {
  const relay = path.relay();
  await path.sql(`INSERT INTO tag_concepts (name) VALUES ('storms at sea'), ('baking bread')`);
  await path.sql(`INSERT INTO stories (title, content) VALUES ('One', 'storms at sea')`);
  await path.sql(
    `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', 'storms at sea')`,
  );
  await path.idle();
  await relay.stop();
}

const schema = async (path: WritePath): Promise<string> =>
  (await path.sql<{ name: string }>('SELECT current_schema() AS name'))[0]?.name ?? '';

/** What other programs do, each in a session that finds no table by its bare name; `@` is the schema. */
const writes: [name: string, statement: string][] = [
  ['creates a tag', `INSERT INTO @.tag_concepts (name, aliases) VALUES ('ravens', '{crows}')`],
  ['renames a tag', `UPDATE @.tag_concepts SET name = 'gales' WHERE name = 'storms at sea'`],
  ['archives tags', `UPDATE @.tag_concepts SET archived_at = now()`],
  [
    'gives a tag a parent',
    `UPDATE @.tag_concepts SET parent_id = (SELECT min(id) FROM @.tag_concepts) WHERE name = 'baking bread'`,
  ],
  ['deletes tags', `DELETE FROM @.tag_concepts`],
  ['changes a scheme', `UPDATE @.tag_schemes SET threshold = 0.9`],
  ['adds a category', `INSERT INTO @.tag_categories (scheme, category, threshold) VALUES ('general', 'weather', 0.3)`],
  ['accepts suggestions', `UPDATE @.content_item_tags SET status = 'accepted'`],
  ['removes suggestions', `DELETE FROM @.story_chunk_tags`],
  ['truncates suggestions', `TRUNCATE @.story_chunk_tags`],
  [
    'adds a content item',
    `INSERT INTO @.content_items (content_type, content_id, content) VALUES ('document', 'two', 'storms at sea')`,
  ],
  ['rewrites texts', `UPDATE @.stories SET content = 'baking bread'`],
  ['deletes a story', `DELETE FROM @.stories`],
  ['deletes a content item', `DELETE FROM @.content_items`],
  ['deletes rows of texts', `DELETE FROM @.content_embeddings`],
  ['deletes models', `DELETE FROM @.embedding_models WHERE id < 0`],
];

it.each(writes)('lets a program that has an empty search_path: %s', async (_, statement) => {
  const path = await open();
  await prepare(path);
  const name = await schema(path);
  await path.database.transaction({}, async (transaction) => {
    await transaction.query(`SET LOCAL search_path = ''`);
    await transaction.query(statement.replaceAll('@', name));
  });
  path.relay();
  await path.idle();
  expect(await path.drift()).toEqual([]);
});
