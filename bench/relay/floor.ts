import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { Pool } from 'undici';
import { documentVector } from '../../src/kernel/embedding/lexical';
import type { Embedder } from '../../src/kernel/model/embedder';
import { insertStories, type Story } from './stories';

const MEAN_TERM_COUNT = 60;

interface Passage {
  storyId: number;
  title: string;
  index: number;
  text: string;
  start: number;
  end: number;
}

/**
 * What somebody would write who needs these points once: insert a batch of stories, insert its passages, embed them, put
 * the points. No outbox, no ledger, no revisions, nothing to take up after a crash. The rows and points are the same.
 * The database has no capture triggers.
 */
export async function writeByHand(
  databaseUrl: string,
  qdrantUrl: string,
  collection: string,
  embedder: Embedder,
  batches: readonly (readonly Story[])[],
): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const http = new Pool(qdrantUrl, { connections: 1 });
  try {
    for (const stories of batches) {
      const ids = await insertStories(client, stories);
      const passages = stories.flatMap((story, i) => passagesOf(story, ids[i] as number));
      const pointIds = await insertPassages(client, passages);
      const vectors = await embedder.embed(
        passages.map((passage) => passage.text),
        { purpose: 'document' },
      );
      const points = passages.map((passage, i) => point(passage, pointIds[i] as string, vectors[i] as Float32Array));
      await put(http, collection, points);
    }
  } finally {
    await http.close();
    await client.end();
  }
}

function passagesOf(story: Story, storyId: number): Passage[] {
  let start = 0;
  return story.paragraphs.map((text, index) => {
    const passage = { storyId, title: story.title, index, text, start, end: start + text.length };
    start = passage.end + 2;
    return passage;
  });
}

async function insertPassages(client: Client, passages: readonly Passage[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>({
    name: 'insert_passages',
    text: `INSERT INTO story_chunk_embeddings (story_id, paragraph_index, text, start_offset, end_offset, embedding_type, content_hash)
      SELECT *, 'chunk', '' FROM unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::int[]) RETURNING qdrant_point_id AS id`,
    values: [
      passages.map((passage) => passage.storyId),
      passages.map((passage) => passage.index),
      passages.map((passage) => passage.text),
      passages.map((passage) => passage.start),
      passages.map((passage) => passage.end),
    ],
  });
  return rows.map((row) => row.id);
}

function point(passage: Passage, id: string, dense: Float32Array): object {
  return {
    id,
    vector: { dense: [...dense], lexical: documentVector(passage.text, MEAN_TERM_COUNT) },
    payload: {
      entity_id: passage.storyId,
      archived: false,
      created_at: new Date().toISOString(),
      title: passage.title,
      embedding_type: 'chunk',
      chunk_index: passage.index,
      content_hash: createHash('sha256').update(passage.text).digest('hex'),
      revision: 1,
    },
  };
}

async function put(http: Pool, collection: string, points: readonly object[]): Promise<void> {
  const { statusCode, body } = await http.request({
    method: 'PUT',
    path: `/collections/${collection}/points?wait=true`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ points }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`the vector server answered ${statusCode}: ${text}`);
}
