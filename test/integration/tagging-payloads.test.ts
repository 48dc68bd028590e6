import { expect, it } from '@jest/globals';

import { eventually, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const addTag = (path: WritePath): Promise<number> =>
  path.id(`INSERT INTO tag_concepts (name) VALUES ('storms at sea') RETURNING id`);

const addContent = (path: WritePath, id: string): Promise<number> =>
  path.id(
    `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', $1, 'storms at sea') RETURNING id`,
    [id],
  );

const tagged = async (path: WritePath): Promise<number[]> =>
  (await path.sql<{ id: number }>('SELECT content_item_id AS id FROM content_item_tags ORDER BY 1')).map(
    ({ id }) => id,
  );

it('finds what was tagged after a tag came back and before its point said so', async () => {
  const path = await open();
  const first = path.relay();
  await addTag(path);
  const earlier = await addContent(path, 'earlier');
  await path.idle();
  await path.sql('UPDATE tag_concepts SET archived_at = now()');
  await path.idle();
  expect(await tagged(path)).toEqual([]);
  await first.stop();

  let free: () => void = () => undefined;
  const isFree = new Promise<void>((resolve) => (free = resolve));
  await path.sql('UPDATE tag_concepts SET archived_at = NULL');
  // This one takes the tag's point, and rests.
  path.relay({ pointConcurrency: 1, urgentPointConcurrency: 0 }, (step, { topic }) =>
    step === 'claimed' && topic === 'point' ? isFree : undefined,
  );
  await eventually(async () => expect(await tagged(path)).toEqual([earlier]));
  await eventually(async () =>
    expect(await path.sql(`SELECT 1 FROM outbox_events WHERE lease_owner IS NOT NULL`)).toHaveLength(1),
  );
  path.relay();
  const later = await addContent(path, 'later');
  await eventually(async () =>
    expect(await path.sql('SELECT topic, kind FROM outbox_events')).toEqual([{ topic: 'point', kind: 'tag_concept' }]),
  );
  free();
  await path.idle();
  expect(await tagged(path)).toEqual([earlier, later]);
});

it('leaves out a tag whose row alone is archived, whoever asks', async () => {
  const path = await open();
  path.relay();
  await addTag(path);
  const before = await addContent(path, 'before');
  await path.idle();
  expect(await tagged(path)).toEqual([before]);
  await path.sql('UPDATE tag_concept_embeddings SET archived_at = now()');
  await path.idle();
  expect(await tagged(path)).toEqual([]);
  const between = await addContent(path, 'between');
  const many = await Promise.all(['a', 'b', 'c', 'd'].map((id) => addContent(path, id)));
  await path.idle();
  expect(await tagged(path)).toEqual([]);
  await path.sql('UPDATE tag_concept_embeddings SET archived_at = NULL');
  await path.idle();
  expect(await tagged(path)).toEqual([before, between, ...many].sort((a, b) => a - b));
});
