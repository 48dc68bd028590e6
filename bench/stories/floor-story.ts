import { randomUUID } from 'node:crypto';

import type { Core } from '../../src/app/core';
import { documentVector } from '../../src/kernel/embedding/lexical';

const MEAN_TERMS = 60;
const BATCH = 200;
const COLLECTION = 'floor_story';

/** The same story in plain tables without triggers, and the least that an edit of one paragraph must do. */
export class FloorStory {
  private constructor(
    private readonly core: Core,
    private readonly points: string[],
  ) {}

  static async create(core: Core, paragraphs: readonly string[], dimensions: number): Promise<FloorStory> {
    const { database, store } = core;
    await database.query('CREATE TABLE floor_stories (id int PRIMARY KEY, content text NOT NULL)');
    await database.query(
      `CREATE TABLE floor_chunks (story_id int NOT NULL, paragraph_index int NOT NULL, point_id uuid NOT NULL,
         text text NOT NULL, start_offset int NOT NULL, end_offset int NOT NULL,
         PRIMARY KEY (story_id, paragraph_index) DEFERRABLE)`,
    );
    await database.query('INSERT INTO floor_stories VALUES (1, $1)', [paragraphs.join('\n\n')]);
    await store.createCollection({
      name: COLLECTION,
      dimensions,
      payloadIndexes: { entity_id: 'integer' },
      quantization: 'none',
      isOnDisk: false,
    });
    const points = paragraphs.map(() => randomUUID());
    const floor = new FloorStory(core, points);
    let start = 0;
    for (let at = 0; at < paragraphs.length; at += BATCH) {
      const texts = paragraphs.slice(at, at + BATCH);
      const starts = texts.map((text) => (start += text.length + 2) - text.length - 2);
      await database.query(
        `INSERT INTO floor_chunks SELECT 1, * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::int[], $5::int[])`,
        [
          texts.map((_, i) => at + i),
          points.slice(at, at + BATCH),
          texts,
          starts,
          texts.map((text, i) => (starts[i] ?? 0) + text.length),
        ],
      );
      await floor.upsert(texts, at);
    }
    return floor;
  }

  /**
   * A new paragraph before all others.
   * @returns milliseconds
   */
  async begin(paragraphs: readonly string[]): Promise<number> {
    const startedAt = performance.now();
    const text = paragraphs[0] ?? '';
    const point = randomUUID();
    await this.core.database.transaction({}, async (transaction) => {
      await transaction.query('UPDATE floor_stories SET content = $1 WHERE id = 1', [paragraphs.join('\n\n')]);
      await transaction.query(
        `UPDATE floor_chunks SET paragraph_index = paragraph_index + 1, start_offset = start_offset + $1,
           end_offset = end_offset + $1 WHERE story_id = 1`,
        [text.length + 2],
      );
      await transaction.query('INSERT INTO floor_chunks VALUES (1, 0, $1, $2, 0, $3)', [point, text, text.length]);
    });
    this.points.unshift(point);
    await this.upsert([text], 0);
    return performance.now() - startedAt;
  }

  /** @returns milliseconds */
  async edit(index: number, paragraphs: readonly string[]): Promise<number> {
    const startedAt = performance.now();
    const text = paragraphs[index] ?? '';
    await this.core.database.transaction({}, async (transaction) => {
      await transaction.query('UPDATE floor_stories SET content = $1 WHERE id = 1', [paragraphs.join('\n\n')]);
      const [row] = await transaction.query<{ longer: number }>(
        `UPDATE floor_chunks c SET text = $1, end_offset = c.start_offset + $2 FROM floor_chunks old
         WHERE c.story_id = 1 AND c.paragraph_index = $3 AND old.story_id = 1 AND old.paragraph_index = $3
         RETURNING c.end_offset - old.end_offset AS longer`,
        [text, text.length, index],
      );
      await transaction.query(
        `UPDATE floor_chunks SET start_offset = start_offset + $1, end_offset = end_offset + $1
         WHERE story_id = 1 AND paragraph_index > $2`,
        [row?.longer ?? 0, index],
      );
    });
    await this.upsert([text], index);
    return performance.now() - startedAt;
  }

  async close(): Promise<void> {
    await this.core.store.deleteCollection(COLLECTION);
    await this.core.database.query('DROP TABLE floor_stories, floor_chunks');
  }

  private async upsert(texts: readonly string[], from: number): Promise<void> {
    const dense = await this.core.embedder.embed(texts, { purpose: 'query' });
    await this.core.store.upsert(
      COLLECTION,
      texts.map((text, i) => ({
        id: this.points[from + i] ?? '',
        dense: dense[i] ?? new Float32Array(),
        lexical: documentVector(text, MEAN_TERMS),
        payload: { entity_id: 1, revision: Date.now() },
      })),
    );
  }
}
