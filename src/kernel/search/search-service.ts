import { LRUCache } from 'lru-cache';

import { specOf } from '../embedding/embedding-reader';
import type { EmbeddingRow } from '../embedding/embedding-row';
import { queryVector } from '../embedding/lexical';
import { DomainError } from '../errors/domain-error';
import type { Embedder } from '../model/embedder';
import { filterToVector, type ArchivedChoice } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import type { VectorCondition, VectorFilter } from '../vector/vector-filter';
import {
  DENSE,
  LEXICAL,
  type Hit,
  type QueryTarget,
  type VectorName,
  type VectorQuery,
  type VectorStore,
} from '../vector/vector-store';
import { searchModes, type SearchModeName } from './search-mode';
import {
  MAX_HIT_DEPTH,
  type ChunkHit,
  type SearchHit,
  type SearchQuery,
  type SearchRequest,
  type SearchResult,
  type StoredRecord,
} from './search-request';

export type { SearchRequest, SearchResult } from './search-request';

/** What a search needs of the request it serves: shared, batched reads. */
export interface SearchReads {
  /** Null when the row is gone. */
  embeddingByPoint(kind: RecordKind, pointId: string): Promise<EmbeddingRow | null>;
  /** Rows with their keys and the `wanted` properties. */
  embeddingsOf(kind: RecordKind, sourceId: number, wanted: Wanted): Promise<EmbeddingRow[]>;
  /** By id; without those whose row is gone, or is not to be shown. */
  visibleRecords(
    kind: RecordKind,
    ids: readonly number[],
    archived: ArchivedChoice,
    wanted: Wanted,
  ): Promise<ReadonlyMap<number, RecordBase>>;
}

export interface SearchServiceOptions {
  store: VectorStore;
  embedder: Embedder;
  aliasOf: (kind: string) => string;
  /** Query vectors kept. */
  cacheSize?: number;
}

/** Chunks fetched for each record wanted; a record's own chunks crowd out others otherwise. */
const CHUNKS_PER_RECORD = 2;
const MAX_CHUNKS = 5000;
/** Points of one stored record that a similarity starts from. */
const MAX_EXAMPLES = 16;
/**
 * Candidates of each list that is fused or diversified: more than are returned, so that there is something to weigh, and
 * in coarse steps, because another number of candidates is another ranking, in which pages would repeat and skip.
 */
const LEAST_CANDIDATES = 100;
const CANDIDATE_STEP = 8;
const MAX_ROUNDS = 5;
const EVIDENCE_PER_RECORD = 5;
const KEYS_ONLY: Wanted = new Set();

type Candidate = Omit<SearchHit, 'record'>;

interface Prepared {
  request: SearchRequest;
  mode: SearchModeName;
  targets: { target: QueryTarget; weight: number }[];
  filter: VectorFilter;
}

interface Progress {
  prepared: Prepared;
  limit: number;
  result?: SearchResult;
}

/** Finds records by meaning, by words, or both. All searches of one call share one Qdrant batch a collection. */
export class SearchService {
  private readonly queryVectors: LRUCache<string, Float32Array>;
  /** Query texts since the start: those whose vector was remembered, and those that had to be embedded. */
  readonly queryTexts = { hits: 0, misses: 0 };

  constructor(private readonly options: SearchServiceOptions) {
    this.queryVectors = new LRUCache({ max: options.cacheSize ?? 1000 });
  }

  /** Query texts whose vectors are remembered. */
  get rememberedTexts(): Pick<LRUCache<string, Float32Array>, 'size' | 'clear'> {
    return this.queryVectors;
  }

  /** Results in the order of `requests`; one that fails does not fail the others. */
  async searchAll(requests: readonly SearchRequest[], reads: SearchReads): Promise<(SearchResult | Error)[]> {
    const vectors = await this.embedTexts(requests);
    const outcomes: (SearchResult | Error)[] = new Array<SearchResult | Error>(requests.length);
    const running: { index: number; progress: Progress }[] = [];
    await Promise.all(
      requests.map(async (request, index) => {
        try {
          const prepared = await this.prepare(request, reads, vectors);
          if (!prepared) outcomes[index] = { hits: [], hasNextPage: false };
          else running.push({ index, progress: { prepared, limit: firstLimit(request) } });
        } catch (error) {
          outcomes[index] = error as Error;
        }
      }),
    );
    let open = running.map(({ progress }) => progress);
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      await this.runRound(open, reads, round === MAX_ROUNDS - 1);
      open = open.filter((progress) => !progress.result);
    }
    for (const { index, progress } of running) outcomes[index] = progress.result ?? { hits: [], hasNextPage: false };
    return outcomes;
  }

  /** Asks Qdrant for all open searches at once, then settles those that have enough. */
  private async runRound(open: readonly Progress[], reads: SearchReads, isLast: boolean): Promise<void> {
    const byKind = new Map<RecordKind, Progress[]>();
    for (const progress of open) {
      const { kind } = progress.prepared.request;
      byKind.set(kind, [...(byKind.get(kind) ?? []), progress]);
    }
    await Promise.all(
      [...byKind].map(async ([kind, group]) => {
        const answers = await this.options.store.queryBatch(
          this.options.aliasOf(kind.kind),
          group.map((progress) => this.compile(progress)),
        );
        await Promise.all(group.map((progress, i) => this.settle(progress, answers[i] ?? [], reads, isLast)));
      }),
    );
  }

  /** PostgreSQL has the last word: a hit whose row is gone or hidden is dropped, and the page refilled. */
  private async settle(progress: Progress, answer: readonly Hit[], reads: SearchReads, isLast: boolean): Promise<void> {
    const { request } = progress.prepared;
    const wanted = request.offset + request.first;
    const ranked = request.diversity === undefined ? inStableOrder(answer) : answer;
    const candidates = groupHits(ranked, request.unit);
    const hits: SearchHit[] = [];
    for (let from = 0; from < candidates.length && hits.length <= wanted;) {
      const slice = candidates.slice(from, from + wanted + 1 - hits.length);
      const ids = slice.map((hit) => hit.entityId);
      const records = await reads.visibleRecords(request.kind, ids, request.filter.archived, request.wanted);
      const isThere = await this.areRowsThere(request, slice, reads);
      slice.forEach(({ entityId, score, chunks }, i) => {
        const record = records.get(entityId);
        if (record && isThere(i)) hits.push({ entityId, score, chunks, record });
      });
      from += slice.length;
    }
    const isExhausted = answer.length < progress.limit || progress.limit >= MAX_CHUNKS || isLast;
    if (isExhausted || (hits.length > wanted && isTieComplete(hits[wanted - 1], ranked, request))) {
      progress.result = { hits: hits.slice(request.offset, wanted), hasNextPage: hits.length > wanted };
    } else {
      progress.limit = Math.min(progress.limit * 4, MAX_CHUNKS);
    }
  }

  /** Where each chunk is a hit of its own, its row must be there too, and not hidden. */
  private async areRowsThere(
    { unit, kind, filter }: SearchRequest,
    hits: readonly Candidate[],
    reads: SearchReads,
  ): Promise<(i: number) => boolean> {
    if (unit === 'entity') return () => true;
    const rows = await Promise.all(
      hits.map(({ chunks }) => reads.embeddingByPoint(kind, (chunks[0] as ChunkHit).pointId)),
    );
    return (i) => {
      const row = rows[i];
      return row != null && (filter.archived !== 'EXCLUDE' || row.archivedAt === null);
    };
  }

  private compile({ prepared, limit }: Progress): VectorQuery {
    const { request, targets, filter } = prepared;
    return {
      targets: targets.map(({ target, weight }) => ({ target, weight, limit: candidatesFor(limit) })),
      filter,
      limit,
      scoreThreshold: request.minScore,
      diversity: request.diversity,
      payloadKeys: ['entity_id'],
    };
  }

  private async prepare(
    request: SearchRequest,
    reads: SearchReads,
    vectors: ReadonlyMap<string, Float32Array>,
  ): Promise<Prepared | undefined> {
    const spec = specOf(request.kind);
    const types = request.embeddingTypes ?? spec.defaultTypes;
    for (const type of types) {
      if (!Object.hasOwn(spec.types, type)) {
        throw new DomainError(
          'UNKNOWN_EMBEDDING_TYPE',
          `query.embeddingTypes: '${type}' is no embedding type of ${request.kind.names.label}s; there are ${Object.keys(spec.types).join(', ')}.`,
          { details: { field: 'query.embeddingTypes', allowed: Object.keys(spec.types) } },
        );
      }
    }
    if (request.offset + request.first > MAX_HIT_DEPTH) {
      throw new DomainError('BAD_INPUT', `A search goes at most ${MAX_HIT_DEPTH} hits deep; narrow it by a filter.`, {
        details: { field: 'after', max: MAX_HIT_DEPTH },
      });
    }
    const mode = this.modeOf(request);
    const targets = await this.targetsOf(request, mode, reads, vectors);
    if (!targets) return undefined;
    const must: VectorCondition[] = [
      types.length === 1
        ? { key: 'embedding_type', match: { value: types[0] as string } }
        : { key: 'embedding_type', match: { any: [...types] } },
    ];
    if (request.filter.archived !== 'INCLUDE') {
      must.push({ key: 'archived', match: { value: request.filter.archived === 'ONLY' } });
    }
    const condition = request.filter.condition;
    if (!('all' in condition) || condition.all.length > 0) must.push(filterToVector(condition));
    const excluded = excludedIds(request);
    const filter: VectorFilter = { must };
    if (excluded.length > 0) filter.must_not = [{ key: 'entity_id', match: { any: excluded } }];
    return { request, mode, targets, filter };
  }

  private modeOf(request: SearchRequest): SearchModeName {
    const isDenseOnly = 'vector' in request.query || 'positive' in request.query || request.diversity !== undefined;
    const mode = request.mode ?? (isDenseOnly ? 'SEMANTIC' : specOf(request.kind).defaultMode);
    if (isDenseOnly && mode !== 'SEMANTIC') {
      const what = request.diversity === undefined ? 'A search by vector or by examples' : 'diversity';
      throw new DomainError('BAD_INPUT', `${what} works in mode SEMANTIC only, not in ${mode}.`, {
        details: { field: 'query.mode', allowed: [searchModes[0]] },
      });
    }
    return mode;
  }

  /** `undefined` when there is nothing to compare with yet. */
  private async targetsOf(
    request: SearchRequest,
    mode: SearchModeName,
    reads: SearchReads,
    vectors: ReadonlyMap<string, Float32Array>,
  ): Promise<Prepared['targets'] | undefined> {
    const { hybridWeights } = specOf(request.kind);
    const build = (target: (name: VectorName) => QueryTarget): Prepared['targets'] => [
      ...(mode === 'LEXICAL' ? [] : [{ target: target(DENSE), weight: hybridWeights.dense }]),
      ...(mode === 'SEMANTIC' ? [] : [{ target: target(LEXICAL), weight: hybridWeights.lexical }]),
    ];
    const { query } = request;
    if ('text' in query) {
      return build((name) =>
        name === DENSE ? { dense: vectors.get(query.text) as Float32Array } : { lexical: queryVector(query.text) },
      );
    }
    if ('vector' in query) {
      this.checkVector(query.vector);
      return build(() => ({ dense: query.vector }));
    }
    const lookupFrom = (kind: RecordKind): string | undefined =>
      kind === request.kind ? undefined : this.options.aliasOf(kind.kind);
    if ('near' in query) {
      const positive = await this.pointsOf(query.near, reads);
      if (positive.length === 0) return undefined;
      const from = lookupFrom(query.near.kind);
      return build((using) => ({ using, positive, strategy: 'average_vector', lookupFrom: from }));
    }
    return this.exampleTargets(query, reads, lookupFrom);
  }

  private async exampleTargets(
    query: Extract<SearchQuery, { positive: StoredRecord[] }>,
    reads: SearchReads,
    lookupFrom: (kind: RecordKind) => string | undefined,
  ): Promise<Prepared['targets'] | undefined> {
    const all = [...query.positive, ...query.negative];
    const kind = all[0]?.kind;
    if (!kind) throw new DomainError('BAD_INPUT', 'examples.positive: give at least one example.');
    if (all.some((example) => example.kind !== kind)) {
      throw new DomainError('BAD_INPUT', 'query.examples: all examples must be of one type.', {
        details: { field: 'query.examples' },
      });
    }
    const points = async (list: StoredRecord[]): Promise<string[]> =>
      (await Promise.all(list.map((example) => this.pointsOf(example, reads)))).flat();
    const [positive, negative] = await Promise.all([points(query.positive), points(query.negative)]);
    if (positive.length === 0) return undefined;
    const target: QueryTarget = {
      using: DENSE,
      positive,
      negative: negative.length > 0 ? negative : undefined,
      strategy: query.strategy,
      lookupFrom: lookupFrom(kind),
    };
    return [{ target, weight: 1 }];
  }

  private async pointsOf(stored: StoredRecord, reads: SearchReads): Promise<string[]> {
    if (stored.pointId !== undefined) return [stored.pointId];
    const rows = await reads.embeddingsOf(stored.kind, stored.id, KEYS_ONLY);
    const { defaultTypes } = specOf(stored.kind);
    return rows
      .filter((row) => defaultTypes.includes(row.embeddingType))
      .slice(0, MAX_EXAMPLES)
      .map((row) => row.qdrantPointId);
  }

  private checkVector(vector: readonly number[]): void {
    const { dimensions } = this.options.embedder.model;
    if (vector.length !== dimensions) {
      throw new DomainError(
        'VECTOR_DIMENSION_MISMATCH',
        `query.vector has ${vector.length} dimensions; the model's vectors have ${dimensions}.`,
        { details: { field: 'query.vector', expected: dimensions, actual: vector.length } },
      );
    }
    // The vector server keeps single precision; beyond it a number is infinite there, or nothing.
    let hasDirection = false;
    for (const value of vector) {
      const single = Math.fround(value);
      if (!Number.isFinite(single)) {
        throw new DomainError('BAD_INPUT', 'query.vector: every number must be finite, in single precision too.', {
          details: { field: 'query.vector' },
        });
      }
      hasDirection ||= single !== 0;
    }
    if (!hasDirection) {
      throw new DomainError('BAD_INPUT', 'query.vector: every number is 0, so it has no direction to compare.', {
        details: { field: 'query.vector' },
      });
    }
  }

  /** Vectors of every text that these requests compare by meaning; the unknown ones embedded in one call. */
  private async embedTexts(requests: readonly SearchRequest[]): Promise<Map<string, Float32Array>> {
    const vectors = new Map<string, Float32Array>();
    const unknown = new Set<string>();
    for (const request of requests) {
      // A mode that does not fit is refused later, for its own request alone.
      if (!('text' in request.query) || (request.mode ?? specOf(request.kind).defaultMode) === 'LEXICAL') continue;
      const known = this.queryVectors.get(request.query.text);
      if (known) {
        this.queryTexts.hits += 1;
        vectors.set(request.query.text, known);
      } else unknown.add(request.query.text);
    }
    this.queryTexts.misses += unknown.size;
    if (unknown.size === 0) return vectors;
    const texts = [...unknown];
    const embedded = await this.options.embedder.embed(texts, { purpose: 'query' });
    embedded.forEach((vector, i) => {
      vectors.set(texts[i] as string, vector);
      this.queryVectors.set(texts[i] as string, vector);
    });
    return vectors;
  }
}

function firstLimit(request: SearchRequest): number {
  const wanted = request.offset + request.first + 1;
  return Math.min(request.unit === 'row' ? wanted : wanted * CHUNKS_PER_RECORD, MAX_CHUNKS);
}

function candidatesFor(limit: number): number {
  let candidates = LEAST_CANDIDATES;
  while (candidates < limit) candidates *= CANDIDATE_STEP;
  return Math.min(candidates, MAX_CHUNKS);
}

/** The vector server leaves ties in any order, which may change with the limit; pages need one order. */
function inStableOrder(hits: readonly Hit[]): Hit[] {
  return [...hits].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

/** Whether everything that ties with the page's last hit has been fetched, so that the tie's order is final. */
function isTieComplete(last: SearchHit | undefined, ranked: readonly Hit[], request: SearchRequest): boolean {
  if (last === undefined || request.diversity !== undefined) return true;
  return (ranked.at(-1) as Hit).score < last.score;
}

/** A record is not similar to itself: examples are left out of what they find. */
function excludedIds(request: SearchRequest): number[] {
  const { query } = request;
  if ('near' in query) return query.near.kind === request.kind && request.unit === 'entity' ? [query.near.id] : [];
  if (!('positive' in query)) return [];
  return [...query.positive, ...query.negative].filter((one) => one.kind === request.kind).map((one) => one.id);
}

/** Chunk hits by record, in order of each record's best chunk. */
function groupHits(hits: readonly Hit[], unit: SearchRequest['unit']): Candidate[] {
  if (unit === 'row') {
    return hits.map((hit) => ({
      entityId: Number(hit.payload.entity_id),
      score: hit.score,
      chunks: [{ pointId: hit.id, score: hit.score }],
    }));
  }
  const byEntity = new Map<number, Candidate>();
  for (const hit of hits) {
    const entityId = Number(hit.payload.entity_id);
    const chunk = { pointId: hit.id, score: hit.score };
    const known = byEntity.get(entityId);
    if (!known) byEntity.set(entityId, { entityId, score: hit.score, chunks: [chunk] });
    else if (known.chunks.length < EVIDENCE_PER_RECORD) known.chunks.push(chunk);
  }
  return [...byEntity.values()];
}
