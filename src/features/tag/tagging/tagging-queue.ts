import type { Database } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import { taggables } from '../taggable';
import { TAG_KIND } from './tagging-parts';

const NOTIFY = `SELECT pg_notify('kindred_outbox', 'tag')`;

/** Which texts are to be tagged again. */
export interface InferChoice {
  /** All that can be tagged unless given. */
  kinds?: readonly string[];
  /** Only those of these records. */
  recordIds?: readonly number[];
  /** Only those that carry no tag. */
  isUntaggedOnly?: boolean;
}

/** Which tags are to be compared with all texts again. */
export interface RetagChoice {
  tagIds?: readonly number[];
  scheme?: string;
}

/** Queues tagging, to be done in the background by whatever relays. */
export class TaggingQueue {
  constructor(private readonly database: Database) {}

  /** @returns how many texts */
  async infer({ kinds, recordIds, isUntaggedOnly }: InferChoice, actor: string): Promise<number> {
    const chosen = taggables.filter(({ kind }) => kinds?.includes(kind.kind) ?? true);
    return this.database.transaction({ actor, isBulk: true }, async (transaction) => {
      let queued = 0;
      for (const { kind, unit, table, subjectColumn } of chosen) {
        const spec = specOf(kind);
        const subject = unit === 'chunk' ? 'e.id' : `e.${spec.sourceColumn}`;
        const untagged = `NOT EXISTS (SELECT 1 FROM ${table} a WHERE a.${subjectColumn} = ${subject} AND a.status <> 'rejected')`;
        const [row] = await transaction.query<{ count: number }>(
          `WITH queued AS (
             INSERT INTO outbox_events (topic, kind, key, priority)
             SELECT 'tag', $1, chosen.point_id::text, 1 FROM (
               SELECT DISTINCT ON (${subject}) e.qdrant_point_id AS point_id
               FROM ${spec.table} e JOIN vector_points p ON p.point_id = e.qdrant_point_id AND p.indexed_hash IS NOT NULL
               WHERE e.embedding_type = ANY ($2) AND ($3::int[] IS NULL OR e.${spec.sourceColumn} = ANY ($3))
                 AND ($4::boolean IS NOT TRUE OR ${untagged})
               ORDER BY ${subject}, e.id
             ) chosen ON CONFLICT DO NOTHING RETURNING 1
           )
           SELECT count(*)::int AS count FROM queued`,
          [kind.kind, spec.defaultTypes, recordIds ?? null, isUntaggedOnly ?? false],
        );
        queued += row?.count ?? 0;
      }
      await transaction.query(NOTIFY);
      return queued;
    });
  }

  /** @returns how many tags */
  async retag({ tagIds, scheme }: RetagChoice, actor: string): Promise<number> {
    return this.database.transaction({ actor, isBulk: true }, async (transaction) => {
      const [row] = await transaction.query<{ count: number }>(
        `WITH queued AS (
           INSERT INTO outbox_events (topic, kind, key, priority)
           SELECT 'tag', $1, embedding.qdrant_point_id::text, 1
           FROM tag_concepts tag JOIN tag_concept_embeddings embedding ON embedding.tag_concept_id = tag.id
           WHERE ($2::int[] IS NULL OR tag.id = ANY ($2)) AND ($3::text IS NULL OR tag.scheme = $3)
           ON CONFLICT DO NOTHING RETURNING 1
         )
         SELECT count(*)::int AS count FROM queued`,
        [TAG_KIND, tagIds ?? null, scheme ?? null],
      );
      await transaction.query(NOTIFY);
      return row?.count ?? 0;
    });
  }

  /** Events of tagging that were given up. */
  async failed(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM outbox_events WHERE topic = 'tag' AND dead_at IS NOT NULL`,
    );
    return row?.count ?? 0;
  }

  /** Events of tagging that have not been carried out, without those given up. */
  async pending(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM outbox_events WHERE topic = 'tag' AND dead_at IS NULL`,
    );
    return row?.count ?? 0;
  }
}
