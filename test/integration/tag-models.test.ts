import { afterAll, beforeEach, expect, it } from '@jest/globals';

import { startApp } from '../support/app';
import type { TestApp } from '../../src/testing/create-test-app';

const TABLES = ['story_chunk_tags', 'content_item_tags', 'job_description_tags'];
const apps: TestApp[] = [];
let app: TestApp;
let modelId: number;

const sql = <Row extends object = { id: number }>(statement: string, values: unknown[] = []): Promise<Row[]> =>
  app.core.database.query<Row>(statement, values);

const idOf = async (statement: string): Promise<number> => (await sql(statement))[0]?.id ?? 0;

/** A tag on one thing of each sort, assigned by a model that nothing else was done with. */
beforeEach(async () => {
  app = await startApp();
  apps.push(app);
  await sql(`UPDATE tag_schemes SET kinds = '{}'`);
  await sql(`INSERT INTO stories (title, content) VALUES ('Ravens', 'Ravens above the tower.')`);
  await app.settle();
  const subjects = [
    await idOf('SELECT id FROM story_chunk_embeddings'),
    await idOf(
      `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', '1', 'Ravens') RETURNING id`,
    ),
    await idOf(`INSERT INTO job_descriptions (title, description) VALUES ('Keeper', 'Keeps ravens') RETURNING id`),
  ];
  const tagId = await idOf(`INSERT INTO tag_concepts (name) VALUES ('ravens') RETURNING id`);
  modelId = await idOf(
    `INSERT INTO embedding_models (provider, name, version, dimensions, max_tokens) VALUES ('former', 'small', '1', 8, 64) RETURNING id`,
  );
  for (const [i, table] of TABLES.entries()) {
    const column = table.replace('_tags', '_id');
    await sql(
      `INSERT INTO ${table} (${column}, tag_concept_id, score, model_id, source, status) VALUES ($1, $2, 0.5, $3, 'auto', 'suggested')`,
      [subjects[i], tagId, modelId],
    );
  }
});

afterAll(async () => {
  for (const each of apps.splice(0)) await each.close();
});

const models = async (): Promise<unknown[]> =>
  (await Promise.all(TABLES.map((table) => sql(`SELECT model_id AS id FROM ${table}`)))).flat().map((row) => row.id);

it.each(TABLES)('%s names models that exist', async (table) => {
  const wrong = sql(`UPDATE ${table} SET model_id = 4711`);
  await expect(wrong).rejects.toMatchObject({ details: { field: 'modelId' } });
  expect(await models()).toEqual([modelId, modelId, modelId]);
  await sql(`UPDATE ${table} SET model_id = NULL`);
});

it('a model that goes is forgotten by what it assigned', async () => {
  await sql('DELETE FROM embedding_models WHERE id = $1', [modelId]);
  expect(await models()).toEqual([null, null, null]);
});

it('a model that goes with all others is forgotten too', async () => {
  await sql('TRUNCATE embedding_models CASCADE');
  expect(await models()).toEqual([null, null, null]);
});

it('a model keeps its id', async () => {
  await expect(sql('UPDATE embedding_models SET id = id + 1000 WHERE id = $1', [modelId])).rejects.toThrow(/id/);
  expect(await models()).toEqual([modelId, modelId, modelId]);
});
