import { LRUCache } from 'lru-cache';

import { specOf } from '../embedding/embedding-reader';
import { DomainError } from '../errors/domain-error';
import type { Embedder } from '../model/embedder';
import { nameModel, type Embedders } from '../model/embedders';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import { modelOf } from '../vector/generation-store';
import type { Route } from '../vector/route';
import type { Hit, VectorQuery, VectorStore } from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import {
  candidatesFor,
  firstLimit,
  groupHits,
  inStableOrder,
  isTieComplete,
  MAX_CHUNKS,
  type Candidate,
} from './ranking';
import type { SearchReads } from './search-reads';
import type { ChunkHit, SearchHit, SearchRequest, SearchResult } from './search-request';
import { SearchTargets, type Prepared } from './search-targets';

export type { SearchRequest, SearchResult } from './search-request';

export interface SearchServiceOptions {
  store: VectorStore;
  embedders: Embedders;
  catalog: Pick<CollectionCatalog, 'route' | 'refresh'>;
  /** Query vectors kept. */
  cacheSize?: number;
}

const MAX_ROUNDS = 5;
const ABSENT = 404;

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
    const { catalog } = this.options;
    const { route } = catalog;
    try {
      return await this.searchBy(route, requests, reads);
    } catch (error) {
      if (!(error instanceof VectorStoreRejectedError) || error.status !== ABSENT) throw error;
      // Another process may have promoted another model and dropped these collections.
      await catalog.refresh();
      const isSame = requests.every(({ kind }) => route.collection(kind.kind) === catalog.route.collection(kind.kind));
      if (isSame) throw error;
      return this.searchBy(catalog.route, requests, reads);
    }
  }

  private async searchBy(
    route: Route,
    requests: readonly SearchRequest[],
    reads: SearchReads,
  ): Promise<(SearchResult | Error)[]> {
    const vectors = await this.embedTexts(route, requests);
    const targets = new SearchTargets(route);
    const outcomes: (SearchResult | Error)[] = new Array<SearchResult | Error>(requests.length);
    const running: { index: number; progress: Progress }[] = [];
    await Promise.all(
      requests.map(async (request, index) => {
        try {
          const prepared = await targets.prepare(request, reads, vectors);
          if (!prepared) outcomes[index] = { hits: [], hasNextPage: false };
          else running.push({ index, progress: { prepared, limit: firstLimit(request) } });
        } catch (error) {
          outcomes[index] = error as Error;
        }
      }),
    );
    let open = running.map(({ progress }) => progress);
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      await this.runRound(route, open, reads, round === MAX_ROUNDS - 1);
      open = open.filter((progress) => !progress.result);
    }
    for (const { index, progress } of running) outcomes[index] = progress.result ?? { hits: [], hasNextPage: false };
    return outcomes;
  }

  /** Asks Qdrant for all open searches at once, then settles those that have enough. */
  private async runRound(route: Route, open: readonly Progress[], reads: SearchReads, isLast: boolean): Promise<void> {
    const byKind = new Map<RecordKind, Progress[]>();
    for (const progress of open) {
      const { kind } = progress.prepared.request;
      byKind.set(kind, [...(byKind.get(kind) ?? []), progress]);
    }
    await Promise.all(
      [...byKind].map(async ([kind, group]) => {
        const answers = await this.options.store.queryBatch(
          route.collection(kind.kind),
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

  /** Vectors of every text that these requests compare by meaning; the unknown ones embedded in one call. */
  private async embedTexts(route: Route, requests: readonly SearchRequest[]): Promise<Map<string, Float32Array>> {
    const vectors = new Map<string, Float32Array>();
    const unknown = new Set<string>();
    // A text has another vector in each model.
    const keyOf = (text: string): string => `${route.model.modelId} ${text}`;
    for (const request of requests) {
      // A mode that does not fit is refused later, for its own request alone.
      if (!('text' in request.query) || (request.mode ?? specOf(request.kind).defaultMode) === 'LEXICAL') continue;
      const known = this.queryVectors.get(keyOf(request.query.text));
      if (known) {
        this.queryTexts.hits += 1;
        vectors.set(request.query.text, known);
      } else unknown.add(request.query.text);
    }
    this.queryTexts.misses += unknown.size;
    if (unknown.size === 0) return vectors;
    const texts = [...unknown];
    const embedded = await this.embedderOf(route).embed(texts, { purpose: 'query' });
    embedded.forEach((vector, i) => {
      vectors.set(texts[i] as string, vector);
      this.queryVectors.set(keyOf(texts[i] as string), vector);
    });
    return vectors;
  }

  private embedderOf({ model }: Route): Embedder {
    const embedder = this.options.embedders.of(modelOf(model));
    if (embedder) return embedder;
    throw new DomainError(
      'COLLECTION_MISMATCH',
      `The embeddings are now those of ${nameModel(modelOf(model))}, which this server is not configured for. ` +
        `Restart it with that model as KINDRED_EMBEDDER.`,
    );
  }
}
