import { expect, it } from '@jest/globals';

import { eventually, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

/** A tag, on one content item, and a job that may get it. */
async function prepare(path: WritePath): Promise<{ tag: number; job: number }> {
  const tag = await path.id(`INSERT INTO tag_concepts (name) VALUES ('storms') RETURNING id`);
  const item = await path.id(
    `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', 'one') RETURNING id`,
  );
  const job = await path.id(
    `INSERT INTO job_descriptions (title, description) VALUES ('Forecaster', 'Foretells storms') RETURNING id`,
  );
  await path.sql(
    `INSERT INTO content_item_tags (content_item_id, tag_concept_id, source, status) VALUES ($1, $2, 'manual', 'accepted')`,
    [item, tag],
  );
  return { tag, job };
}

const usage = async (path: WritePath): Promise<number | undefined> =>
  (await path.sql<{ count: number }>('SELECT usage_count AS count FROM tag_concepts'))[0]?.count;

it('counts what others were writing while the assignments of a table were all removed', async () => {
  const path = await open();
  const { tag, job } = await prepare(path);
  expect(await usage(path)).toBe(1);
  let truncated: Promise<unknown> = Promise.resolve();
  await path.database.transaction({}, async (transaction) => {
    await transaction.query(
      `INSERT INTO job_description_tags (job_description_id, tag_concept_id, source, status) VALUES ($1, $2, 'manual', 'accepted')`,
      [job, tag],
    );
    truncated = path.sql('TRUNCATE content_item_tags');
    truncated.catch(() => undefined);
    await eventually(async () => {
      const [row] = await path.sql<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'TRUNCATE%' AND wait_event_type = 'Lock'`,
      );
      expect(row?.count).toBe(1);
    });
  });
  await truncated;
  expect(await usage(path)).toBe(1);
  await path.sql('DELETE FROM job_description_tags');
  expect(await usage(path)).toBe(0);
});
