import type { Core } from '../../src/app/core';
import { recordKinds } from '../../src/features/registry';
import { storySpec } from '../../src/features/story/story.spec';
import { specOf } from '../../src/kernel/embedding/embedding-reader';
import { renderChunks } from '../../src/kernel/embedding/rendering';
import { EmbeddingRows } from '../../src/kernel/outbox/embedding-rows';
import { PointLedger } from '../../src/kernel/outbox/point-ledger';
import { SourceLoader } from '../../src/kernel/outbox/source-loader';
import { atOnce } from '../../src/kernel/process/turns';
import type { Generation } from '../../src/kernel/vector/generation-store';
import { pointPayload, recordPayload } from '../../src/kernel/vector/record-payload';
import type { Point, SparseVector } from '../../src/kernel/vector/vector-store';
import { INSERT_STORIES, makeStories, POINTS_A_STORY } from '../relay/stories';

const STORIES_A_BATCH = 500;
/** A check reads no lexical vector, so one that is cheap to store will do. */
const LEXICAL: SparseVector = { indices: [1], values: [1] };

/**
 * Adds stories with their rows, ledger entries and points, all as the relay leaves them and by its own statements, but
 * without its queue and its model, until there are `count` points.
 */
export async function fillUpTo(core: Core, count: number): Promise<void> {
  const live = (await core.catalog.targets([storySpec.kind])).get(storySpec.kind)?.live;
  if (!live) throw new Error('stories have no collection');
  let there = await core.store.count(live.collection);
  for (let seed = there; there < count; seed++) {
    const stories = Math.min(STORIES_A_BATCH, Math.ceil((count - there) / POINTS_A_STORY));
    there += await addStories(core, live, stories, seed);
  }
}

/** @returns how many points they have */
async function addStories(core: Core, live: Generation, count: number, seed: number): Promise<number> {
  const { maxTokens, dimensions } = core.embedder.model;
  const pointIds = await core.database.transaction({ isBulk: true }, async (transaction) => {
    const stories = makeStories(count, seed);
    const inserted = await transaction.query<{ id: number }>(INSERT_STORIES, [
      stories.map(({ title }) => title),
      stories.map(({ paragraphs }) => paragraphs.join('\n\n')),
    ]);
    const sources = await new SourceLoader(recordKinds).read(
      transaction,
      storySpec,
      inserted.map(({ id }) => id),
    );
    const rows = new EmbeddingRows(transaction);
    await rows.announcePayloads(
      new Map(sources.map(({ source }) => [source.record.id, recordPayload(storySpec, source, false)])),
    );
    await rows.apply(
      storySpec,
      sources.map(({ source }) => ({
        sourceId: source.record.id,
        changes: {
          inserted: atOnce(renderChunks(specOf(storySpec), source, maxTokens)),
          rewritten: [],
          moved: [],
          deleted: [],
        },
      })),
    );
    await transaction.query('DELETE FROM outbox_events');
    const settled = await transaction.query<{ id: string }>(
      `UPDATE vector_points p SET state = 'indexed', indexed_at = now(), indexed_revision = p.revision,
         indexed_hash = row.content_hash, generation_id = $1
       FROM story_chunk_embeddings row
       WHERE p.point_id = row.qdrant_point_id AND row.story_id = ANY ($2::int[]) RETURNING p.point_id AS id`,
      [live.id, sources.map(({ source }) => source.record.id)],
    );
    return settled.map(({ id }) => id);
  });
  const dense = new Float32Array(dimensions).fill(1);
  const points = (await new PointLedger(core.database).load(storySpec, pointIds)).map(
    ({ pointId, entityId, payload, revision, row }): Point => ({
      id: pointId,
      dense,
      lexical: LEXICAL,
      payload: pointPayload(
        entityId ?? 0,
        payload ?? {},
        {
          embedding_type: row?.embeddingType ?? '',
          content_hash: row?.contentHash ?? '',
          revision: Number(revision),
        },
        false,
      ),
    }),
  );
  await core.store.upsert(live.collection, points);
  return points.length;
}
