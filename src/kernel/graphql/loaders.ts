import DataLoader from 'dataloader';

import type { EmbeddingRow } from '../embedding/embedding-row';
import type { EmbeddingModel } from '../model/embedding-model.entity';
import type { IndexingStatusRow } from '../outbox/sync-service';
import type { ArchivedChoice } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import type { SearchRequest, SearchResult } from '../search/search-service';
import type { PointStatus } from '../vector/point-reader';
import type { Services } from './services';

export interface ChildPage<T> {
  items: T[];
  hasNextPage: boolean;
}

/**
 * One request's loaders. Siblings that ask in the same tick share one statement (or one Qdrant batch), whatever the
 * nesting. A loader is made when it is first asked for.
 */
export class Loaders {
  private readonly made = new Map<string, DataLoader<never, unknown>>();

  constructor(private readonly services: Services) {}

  record(kind: RecordKind, id: number): Promise<RecordBase | null> {
    return this.loader<number, RecordBase | null>(`record:${kind.kind}`, (ids) =>
      this.services.records.byIds(kind, ids),
    ).load(id);
  }

  /** Null when the row is gone, or is archived and not asked for. */
  visibleRecord(kind: RecordKind, id: number, archived: ArchivedChoice, wanted: Wanted): Promise<RecordBase | null> {
    const columns = wanted ? [...wanted].sort().join() : '*';
    return this.loader<number, RecordBase | null>(`visible:${kind.kind}:${archived}:${columns}`, (ids) =>
      this.services.records.byIds(kind, ids, { wanted, archived }),
    ).load(id);
  }

  recordByExternalId(kind: RecordKind, externalId: string): Promise<RecordBase | null> {
    return this.loader<string, RecordBase | null>(`external:${kind.kind}`, (keys) =>
      this.services.records.byUnique(kind, 'external_id', keys),
    ).load(externalId);
  }

  children(kind: RecordKind, column: string, orderBy: string, parentId: number): Promise<RecordBase[]> {
    return this.loader<number, RecordBase[]>(`children:${kind.kind}:${column}`, (ids) =>
      this.services.records.childrenOf(kind, column, orderBy, ids),
    ).load(parentId);
  }

  async childPage(
    kind: RecordKind,
    column: string,
    size: number,
    parentId: number,
    afterId: number,
  ): Promise<ChildPage<RecordBase>> {
    const rows = await this.loader<{ id: number; afterId: number }, RecordBase[]>(
      `childPage:${kind.kind}:${column}:${size}`,
      (parents) => this.services.records.childPages(kind, column, size + 1, parents),
      (key) => `${key.id}:${key.afterId}`,
    ).load({ id: parentId, afterId });
    return { items: rows.slice(0, size), hasNextPage: rows.length > size };
  }

  childCount(kind: RecordKind, column: string, parentId: number): Promise<number> {
    return this.loader<number, number>(`childCount:${kind.kind}:${column}`, (ids) =>
      this.services.records.childCounts(kind, column, ids),
    ).load(parentId);
  }

  embeddingsOf(kind: RecordKind, sourceId: number): Promise<EmbeddingRow[]> {
    return this.loader<number, EmbeddingRow[]>(`embeddings:${kind.kind}`, (ids) =>
      this.services.embeddings.bySources(kind, ids),
    ).load(sourceId);
  }

  embeddingByPoint(kind: RecordKind, pointId: string): Promise<EmbeddingRow | null> {
    return this.loader<string, EmbeddingRow | null>(`point:${kind.kind}`, (ids) =>
      this.services.embeddings.byPointIds(kind, ids),
    ).load(pointId);
  }

  embeddingById(kind: RecordKind, id: number): Promise<EmbeddingRow | null> {
    return this.loader<number, EmbeddingRow | null>(`embedding:${kind.kind}`, (ids) =>
      this.services.embeddings.byIds(kind, ids),
    ).load(id);
  }

  async embeddingPage(
    kind: RecordKind,
    size: number,
    sourceId: number,
    afterIndex: number,
  ): Promise<ChildPage<EmbeddingRow>> {
    const rows = await this.loader<{ id: number; afterIndex: number }, EmbeddingRow[]>(
      `embeddingPage:${kind.kind}:${size}`,
      (sources) => this.services.embeddings.pages(kind, size + 1, sources),
      (key) => `${key.id}:${key.afterIndex}`,
    ).load({ id: sourceId, afterIndex });
    return { items: rows.slice(0, size), hasNextPage: rows.length > size };
  }

  embeddingCount(kind: RecordKind, sourceId: number): Promise<number> {
    return this.loader<number, number>(`embeddingCount:${kind.kind}`, (ids) =>
      this.services.embeddings.counts(kind, ids),
    ).load(sourceId);
  }

  pointStatus(pointId: string): Promise<PointStatus | null> {
    return this.loader<string, PointStatus | null>('pointStatus', (ids) => this.services.points.statuses(ids)).load(
      pointId,
    );
  }

  vector(kind: RecordKind, pointId: string): Promise<number[] | null> {
    return this.loader<string, number[] | null>(`vector:${kind.kind}`, (ids) =>
      this.services.points.vectors(kind.kind, ids),
    ).load(pointId);
  }

  model(kind: RecordKind): Promise<EmbeddingModel | null> {
    return this.loader<string, EmbeddingModel | null>('model', (kinds) => this.services.points.models(kinds)).load(
      kind.kind,
    );
  }

  indexing(kind: RecordKind, id: number): Promise<IndexingStatusRow> {
    return this.loader<number, IndexingStatusRow>(`indexing:${kind.kind}`, (ids) =>
      this.services.sync.indexingStatus(kind.kind, ids),
    ).load(id);
  }

  search(request: SearchRequest): Promise<SearchResult> {
    return this.loader<SearchRequest, SearchResult>(
      'search',
      (requests) => this.services.search.searchAll(requests, this),
      undefined,
      false,
    ).load(request);
  }

  /** Loads a further thing of a feature's own, batched like the rest. */
  batch<K, V>(name: string, key: K, load: (keys: readonly K[]) => Promise<(V | Error)[]>): Promise<V> {
    return this.loader<K, V>(name, load).load(key);
  }

  private loader<K, V>(
    name: string,
    load: (keys: readonly K[]) => Promise<(V | Error)[]>,
    cacheKeyFn?: (key: K) => string,
    isCached = true,
  ): DataLoader<K, V> {
    let made = this.made.get(name) as unknown as DataLoader<K, V> | undefined;
    if (!made) {
      made = new DataLoader<K, V, unknown>(load, { cache: isCached, cacheKeyFn, maxBatchSize: 1000 });
      this.made.set(name, made);
    }
    return made;
  }
}
