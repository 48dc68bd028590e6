import type { Database } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import { DENSE, type VectorStore } from '../../../kernel/vector/vector-store';
import { taggables } from '../taggable';
import { TAG_KIND } from '../tagging/tagging-parts';
import { clusterVectors } from './cluster';

/** Two tags that may be one. */
export interface NearDuplicate {
  tagId: number;
  otherId: number;
  score: number;
}

/** A tag on so many texts that it says little. */
export interface BroadTag {
  tagId: number;
  /** Of all texts of its scheme, 0 to 1. */
  share: number;
}

/** Texts that no tag fits and that are like each other: a tag may be missing. */
export interface MissingTag {
  size: number;
  /** Mean cosine to the text in the middle. */
  cohesion: number;
  /** Chunks, the one in the middle first. */
  chunkIds: number[];
}

export interface HygieneParts {
  database: Database;
  store: VectorStore;
  aliasOf: (kind: string) => string;
}

const BATCH = 256;
const NEIGHBOURS = 4;
/** Tags compared with each other in one call; the latest. */
const MOST_TAGS = 2000;
/** Texts clustered in one call; the latest. */
const MOST_TEXTS = 1000;
const SHOWN_TEXTS = 5;

/** Proposals to keep a vocabulary in order. They change nothing. */
export class TagHygiene {
  constructor(private readonly parts: HygieneParts) {}

  /** Pairs of tags of one scheme whose meanings are nearer than `minScore`, the nearest first. */
  async nearDuplicates(scheme: string, minScore: number, limit: number): Promise<NearDuplicate[]> {
    const { database, store, aliasOf } = this.parts;
    const tags = await database.query<{ id: number; pointId: string }>(
      `SELECT tag.id, embedding.qdrant_point_id AS "pointId"
       FROM tag_concepts tag JOIN tag_concept_embeddings embedding ON embedding.tag_concept_id = tag.id AND embedding.chunk_index = 0
       JOIN vector_points point ON point.point_id = embedding.qdrant_point_id AND point.indexed_hash IS NOT NULL
       WHERE tag.scheme = $1 AND tag.archived_at IS NULL ORDER BY tag.id DESC LIMIT $2`,
      [scheme, MOST_TAGS],
    );
    const pairs = new Map<string, NearDuplicate>();
    for (let from = 0; from < tags.length; from += BATCH) {
      const batch = tags.slice(from, from + BATCH);
      const answers = await store.queryBatch(
        aliasOf(TAG_KIND),
        batch.map(({ pointId }) => ({
          targets: [
            {
              target: { using: DENSE, positive: [pointId], strategy: 'best_score' as const },
              weight: 1,
              limit: NEIGHBOURS,
            },
          ],
          filter: {
            must: [
              { key: 'scheme', match: { value: scheme } },
              { key: 'archived', match: { value: false } },
            ],
          },
          limit: NEIGHBOURS,
          scoreThreshold: minScore,
          payloadKeys: ['entity_id'],
        })),
      );
      for (const [i, hits] of answers.entries()) {
        const tagId = batch[i]?.id ?? 0;
        for (const { payload, score } of hits) {
          const otherId = Number(payload.entity_id);
          if (otherId === tagId) continue;
          const [low, high] = tagId < otherId ? [tagId, otherId] : [otherId, tagId];
          pairs.set(`${low}:${high}`, { tagId: low, otherId: high, score });
        }
      }
    }
    return [...pairs.values()].sort((a, b) => b.score - a.score).slice(0, limit);
  }

  /** Tags that are on nothing and were made before `before`, the oldest first. */
  async unused(scheme: string, before: Date, limit: number): Promise<number[]> {
    const rows = await this.parts.database.query<{ id: number }>(
      `SELECT id FROM tag_concepts tag WHERE scheme = $1 AND archived_at IS NULL AND usage_count = 0 AND created_at < $2
         AND NOT EXISTS (SELECT 1 FROM tag_concepts child WHERE child.parent_id = tag.id)
       ORDER BY id LIMIT $3`,
      [scheme, before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Tags on more than `minShare` of the texts of their scheme, the broadest first. */
  async tooBroad(scheme: string, minShare: number, limit: number): Promise<BroadTag[]> {
    const counts = taggables.map(({ kind, unit }) => {
      const spec = specOf(kind);
      const table = unit === 'chunk' ? spec.table : kind.table;
      return `CASE WHEN '${kind.kind}' = ANY (scheme.kinds) THEN (SELECT count(*) FROM ${table} WHERE archived_at IS NULL) ELSE 0 END`;
    });
    return this.parts.database.query<BroadTag>(
      `WITH texts AS (SELECT greatest(1, ${counts.join(' + ')})::float8 AS count FROM tag_schemes scheme WHERE scheme.name = $1)
       SELECT tag.id AS "tagId", least(1, tag.usage_count / texts.count) AS share FROM tag_concepts tag CROSS JOIN texts
       WHERE tag.scheme = $1 AND tag.archived_at IS NULL AND tag.usage_count > $2 * texts.count
       ORDER BY tag.usage_count DESC, tag.id LIMIT $3`,
      [scheme, minShare, limit],
    );
  }

  /** Clusters of chunks without a tag, nearer to each other than `minScore`, the largest first. */
  async missing(minScore: number, minSize: number, limit: number): Promise<MissingTag[]> {
    const { database, store, aliasOf } = this.parts;
    const chunks = await database.query<{ id: number; pointId: string }>(
      `SELECT chunk.id, chunk.qdrant_point_id AS "pointId" FROM story_chunk_embeddings chunk
       JOIN vector_points point ON point.point_id = chunk.qdrant_point_id AND point.indexed_hash IS NOT NULL
       WHERE chunk.archived_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM story_chunk_tags a WHERE a.story_chunk_id = chunk.id AND a.status <> 'rejected'
       )
       ORDER BY chunk.id DESC LIMIT $1`,
      [MOST_TEXTS],
    );
    if (chunks.length === 0) return [];
    const points = await store.retrieve(
      aliasOf('story'),
      chunks.map((chunk) => chunk.pointId),
      { payload: false, vectors: [DENSE] },
    );
    const vectors = new Map(points.map((point) => [point.id, point.dense]));
    const present = chunks.flatMap(({ id, pointId }) => {
      const vector = vectors.get(pointId);
      return vector ? [{ id, vector }] : [];
    });
    return clusterVectors(
      present.map(({ vector }) => vector),
      minScore,
    )
      .filter(({ members }) => members.length >= minSize)
      .slice(0, limit)
      .map(({ members, cohesion }) => ({
        size: members.length,
        cohesion,
        chunkIds: members.slice(0, SHOWN_TEXTS).map((at) => present[at]?.id ?? 0),
      }));
  }
}
