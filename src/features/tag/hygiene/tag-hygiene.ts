import type { Database } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import type { Route } from '../../../kernel/vector/route';
import { DENSE, type Hit, type VectorQuery, type VectorStore } from '../../../kernel/vector/vector-store';
import { storyChunks, taggables } from '../taggable';
import { TAG_KIND } from '../tagging/tagging-parts';
import { clusterNeighbours, type Neighbour } from './cluster';

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

/** What one step of going through a whole vocabulary, or all passages, has found. */
export interface HygieneStep<T> {
  found: T[];
  /** Tags or passages that this step has compared with all others. */
  compared: number;
  /** Those that are left for further steps. */
  remaining: number;
  /** Where the next step begins: below this id. */
  lastId: number | undefined;
}

/** Where a step begins and how many it compares, the latest first. */
export interface StepChoice {
  minScore: number;
  beforeId?: number;
  compare: number;
}

export interface HygieneParts {
  database: Database;
  store: VectorStore;
  route: () => Route;
}

interface Compared {
  id: number;
  pointId: string;
}

const QUERIES_PER_REQUEST = 64;
/** Near duplicates of one tag. */
export const MOST_DUPLICATES = 10;
/** Passages near one that are looked at: enough to tell clusters apart. */
const NEIGHBOURS = 50;
/** Passages of a cluster that are counted. */
export const MOST_COUNTED = 1000;
const SHOWN_TEXTS = 5;

const NOT_ARCHIVED = { key: 'archived', match: { value: false } } as const;

/** Proposals to keep a vocabulary in order. They change nothing, and go through everything step by step. */
export class TagHygiene {
  constructor(private readonly parts: HygieneParts) {}

  /** Pairs of tags of one scheme whose meanings are nearer than `minScore`, the nearest first; each pair in one step. */
  async nearDuplicates(scheme: string, choice: StepChoice): Promise<HygieneStep<NearDuplicate>> {
    const { compared, remaining } = await this.next(
      `tag_concepts tag JOIN tag_concept_embeddings row ON row.tag_concept_id = tag.id AND row.chunk_index = 0`,
      'tag.id',
      'tag.scheme = $3 AND tag.archived_at IS NULL',
      choice,
      [scheme],
    );
    const found: NearDuplicate[] = [];
    const queryFor = ({ id, pointId }: Compared): VectorQuery => ({
      ...near(pointId, choice.minScore, MOST_DUPLICATES),
      filter: {
        must: [{ key: 'scheme', match: { value: scheme } }, NOT_ARCHIVED, { key: 'entity_id', range: { lt: id } }],
      },
      payloadKeys: ['entity_id'],
    });
    await this.ask(TAG_KIND, compared, queryFor, ({ id }, hits) => {
      for (const { payload, score } of hits) found.push({ tagId: Number(payload.entity_id), otherId: id, score });
    });
    found.sort((a, b) => b.score - a.score);
    return { found, compared: compared.length, remaining, lastId: compared.at(-1)?.id };
  }

  /** Tags that are on nothing and were made before `before`, the oldest first. */
  async unused(scheme: string, before: Date, page: { afterId: number; limit: number }): Promise<number[]> {
    const rows = await this.parts.database.query<{ id: number }>(
      `SELECT id FROM tag_concepts tag WHERE ${UNUSED} AND id > $3 ORDER BY id LIMIT $4`,
      [scheme, before, page.afterId, page.limit],
    );
    return rows.map((row) => row.id);
  }

  async unusedCount(scheme: string, before: Date): Promise<number> {
    const [row] = await this.parts.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM tag_concepts tag WHERE ${UNUSED}`,
      [scheme, before],
    );
    return row?.count ?? 0;
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

  /**
   * Clusters of chunks without a tag, nearer to each other than `minScore`, the largest first. Those of a step are each
   * compared with all passages; a cluster that reaches over steps comes in each of them.
   */
  async missing(choice: StepChoice & { minSize: number; limit: number }): Promise<HygieneStep<MissingTag>> {
    const { compared, remaining } = await this.next('story_chunk_embeddings row', 'row.id', UNTAGGED, choice);
    const near = await this.untaggedNear(compared, choice.minScore, NEIGHBOURS);
    const points = new Map(compared.map(({ id, pointId }) => [id, pointId]));
    const clusters = clusterNeighbours(near).filter(({ members }) => members.length >= choice.minSize);
    const sizes = await this.sizes(
      clusters.slice(0, choice.limit).map(({ members: [id = 0] }) => ({ id, pointId: points.get(id) ?? '' })),
      near,
      choice.minScore,
    );
    const found = clusters.map(({ members, cohesion }) => ({
      size: Math.max(members.length, sizes.get(members[0] ?? 0) ?? 0),
      cohesion,
      chunkIds: members.slice(0, SHOWN_TEXTS),
    }));
    return { found, compared: compared.length, remaining, lastId: compared.at(-1)?.id };
  }

  /** How many are around each of these, of which as many were found as were asked for. */
  private async sizes(
    middles: readonly Compared[],
    near: ReadonlyMap<number, readonly Neighbour[]>,
    minScore: number,
  ): Promise<Map<number, number>> {
    // The one in the middle is among what is near it.
    const full = middles.filter(({ id }) => (near.get(id)?.length ?? 0) >= NEIGHBOURS - 1);
    const deeper = await this.untaggedNear(full, minScore, MOST_COUNTED);
    return new Map([...deeper].map(([id, list]) => [id, list.length + 1]));
  }

  /** The chunks without a tag that are near each of these. */
  private async untaggedNear(
    chunks: readonly Compared[],
    minScore: number,
    limit: number,
  ): Promise<Map<number, Neighbour[]>> {
    const hitsOf = new Map<number, readonly Hit[]>();
    const { kind } = storyChunks;
    const queryFor = ({ pointId }: Compared): VectorQuery => ({
      ...near(pointId, minScore, limit),
      filter: { must: [{ key: 'embedding_type', match: { any: [...specOf(kind).defaultTypes] } }, NOT_ARCHIVED] },
      payloadKeys: [],
    });
    await this.ask(kind.kind, chunks, queryFor, ({ id }, hits) => hitsOf.set(id, hits));
    const pointIds = new Set([...hitsOf.values()].flatMap((hits) => hits.map((hit) => hit.id)));
    const rows = await this.parts.database.query<Compared>(
      `SELECT row.id, row.qdrant_point_id AS "pointId" FROM story_chunk_embeddings row
       WHERE row.qdrant_point_id = ANY ($1::uuid[]) AND ${UNTAGGED}`,
      [[...pointIds]],
    );
    const untagged = new Map(rows.map(({ id, pointId }) => [pointId, id]));
    return new Map(
      [...hitsOf].map(([id, hits]) => [
        id,
        hits.flatMap((hit) => {
          const other = untagged.get(hit.id);
          return other === undefined || other === id ? [] : [{ id: other, score: hit.score }];
        }),
      ]),
    );
  }

  /** The next ones that have a vector, the latest first, and how many there are after them. */
  private async next(
    from: string,
    key: string,
    where: string,
    { beforeId, compare }: StepChoice,
    values: readonly unknown[] = [],
  ): Promise<{ compared: Compared[]; remaining: number }> {
    const left = `FROM ${from} JOIN vector_points point ON point.point_id = row.qdrant_point_id AND point.indexed_hash IS NOT NULL
       WHERE ${where} AND ($1::int IS NULL OR ${key} < $1)`;
    const compared = await this.parts.database.query<Compared>(
      `SELECT ${key} AS id, row.qdrant_point_id AS "pointId" ${left} ORDER BY ${key} DESC LIMIT $2`,
      [beforeId ?? null, compare, ...values],
    );
    const [row] = await this.parts.database.query<{ count: number }>(
      `SELECT greatest(0, count(*) - $2)::int AS count ${left}`,
      [beforeId ?? null, compare, ...values],
    );
    return { compared, remaining: row?.count ?? 0 };
  }

  private async ask(
    kind: string,
    items: readonly Compared[],
    queryFor: (item: Compared) => VectorQuery,
    onHits: (item: Compared, hits: readonly Hit[]) => void,
  ): Promise<void> {
    const collection = this.parts.route().collection(kind);
    for (let from = 0; from < items.length; from += QUERIES_PER_REQUEST) {
      const batch = items.slice(from, from + QUERIES_PER_REQUEST);
      const answers = await this.parts.store.queryBatch(collection, batch.map(queryFor));
      for (const [i, item] of batch.entries()) onHits(item, answers[i] ?? []);
    }
  }
}

const UNUSED = `scheme = $1 AND archived_at IS NULL AND usage_count = 0 AND created_at < $2
  AND NOT EXISTS (SELECT 1 FROM tag_concepts child WHERE child.parent_id = tag.id)`;

const UNTAGGED = `row.archived_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM story_chunk_tags a WHERE a.story_chunk_id = row.id AND a.status <> 'rejected'
)`;

function near(
  pointId: string,
  minScore: number,
  limit: number,
): Pick<VectorQuery, 'targets' | 'limit' | 'scoreThreshold'> {
  return {
    targets: [{ target: { using: DENSE, positive: [pointId], strategy: 'best_score' }, weight: 1, limit }],
    limit,
    scoreThreshold: minScore,
  };
}
