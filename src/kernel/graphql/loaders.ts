import DataLoader from 'dataloader';

import type { NeighbourReach } from '../embedding/embedding-reader';
import type { EmbeddingRow } from '../embedding/embedding-row';
import type { EmbeddingModel } from '../model/embedding-model.entity';
import type { IndexingStatusRow } from '../outbox/sync-service';
import type { ArchivedChoice, CheckedFilter } from '../record/filter';
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

/** One statement on embedding rows, open for more until it is sent. */
interface RowReading {
  wanted: Wanted;
  isSent: boolean;
  rows: DataLoader<number, EmbeddingRow[]>;
}

const names = new WeakMap<ReadonlySet<string>, string>();

function nameOf(wanted: Wanted): string {
  if (!wanted) return '*';
  let name = names.get(wanted);
  if (name === undefined) names.set(wanted, (name = [...wanted].sort().join()));
  return name;
}

function covers(read: Wanted, wanted: Wanted): boolean {
  if (!read || read === wanted) return true;
  if (!wanted) return false;
  for (const property of wanted) if (!read.has(property)) return false;
  return true;
}

function union(a: Wanted, b: Wanted): Wanted {
  return a && b ? new Set([...a, ...b]) : undefined;
}

/**
 * One request's loaders. Siblings that ask in the same tick share one statement (or one Qdrant batch), whatever the
 * nesting. A loader is made when it is first asked for.
 */
export class Loaders {
  private readonly made = new Map<string, DataLoader<never, unknown>>();
  private readonly rowReadings = new Map<RecordKind, RowReading>();
  private readonly waits = new Map<string, Promise<void>>();

  constructor(private readonly services: Services) {}

  record(kind: RecordKind, id: number): Promise<RecordBase | null> {
    return this.loader<number, RecordBase | null>(`record:${kind.kind}`, (ids) =>
      this.services.records.byIds(kind, ids),
    ).load(id);
  }

  /** Of these ids, the records that are there and to be shown. Searches of one level share one statement. */
  visibleRecords(
    kind: RecordKind,
    ids: readonly number[],
    archived: ArchivedChoice,
    wanted: Wanted,
  ): Promise<ReadonlyMap<number, RecordBase>> {
    return this.loader<readonly number[], ReadonlyMap<number, RecordBase>>(
      `visible:${kind.kind}:${archived}:${nameOf(wanted)}`,
      async (lists) => {
        const found = await this.services.records.mapOf(kind, [...new Set(lists.flat())], { wanted, archived });
        return lists.map(() => found);
      },
      undefined,
      false,
    ).load(ids);
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

  /**
   * The rows of a record, with their keys and at least the `wanted` properties. Fields that are resolved together share
   * one statement, which reads what any of them wants.
   */
  embeddingsOf(kind: RecordKind, sourceId: number, wanted: Wanted): Promise<EmbeddingRow[]> {
    let reading = this.rowReadings.get(kind);
    if (!reading || (reading.isSent && !covers(reading.wanted, wanted))) {
      reading = this.newRowReading(kind, reading ? union(reading.wanted, wanted) : wanted);
      this.rowReadings.set(kind, reading);
    } else if (!reading.isSent && !covers(reading.wanted, wanted)) {
      reading.wanted = union(reading.wanted, wanted);
    }
    return reading.rows.load(sourceId);
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

  /** The rows right before and after one, in order, without it and without archived ones. */
  neighbours(
    kind: RecordKind,
    row: Pick<EmbeddingRow, 'id' | 'sourceId' | 'embeddingType' | 'chunkIndex'>,
    reach: NeighbourReach,
  ): Promise<EmbeddingRow[]> {
    return this.loader<typeof row, EmbeddingRow[]>(
      `neighbours:${kind.kind}:${reach.before}:${reach.after}`,
      (rows) => this.services.embeddings.neighbours(kind, rows, reach),
      (one) => String(one.id),
    ).load(row);
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

  /** Waits for a write; who asks for the same one waits once, and all of them go on together. */
  sync(token: string, timeoutMs: number): Promise<void> {
    const name = `${timeoutMs}:${token}`;
    let wait = this.waits.get(name);
    if (!wait) {
      // Rows that were read before the wait may be those from before the write.
      wait = this.services.sync.awaitSync(token, timeoutMs).then(() => {
        this.rowReadings.clear();
        // The write may have gone to collections that were promoted a moment ago.
        return this.services.refreshRoute();
      });
      this.waits.set(name, wait);
    }
    return wait;
  }

  search(request: SearchRequest): Promise<SearchResult> {
    return this.loader<SearchRequest, SearchResult>(
      'search',
      (requests) => this.services.search.searchAll(requests, this),
      undefined,
      false,
    ).load(request);
  }

  /** Records (or embedding rows) that a filter lets through; counted once for all who ask with the same filter. */
  count(kind: RecordKind, unit: SearchRequest['unit'], filter: CheckedFilter): Promise<number> {
    const { records } = this.services;
    const countOne = (one: CheckedFilter): Promise<number> =>
      unit === 'row' ? records.countEmbeddings(kind, one) : records.count(kind, one);
    return this.loader<CheckedFilter, number>(
      `count:${kind.kind}:${unit}`,
      (filters) => Promise.all(filters.map(countOne)),
      (one) => JSON.stringify(one),
    ).load(filter);
  }

  /** Loads a further thing of a feature's own, batched like the rest. */
  batch<K, V>(name: string, key: K, load: (keys: readonly K[]) => Promise<(V | Error)[]>): Promise<V> {
    return this.loader<K, V>(name, load).load(key);
  }

  private newRowReading(kind: RecordKind, wanted: Wanted): RowReading {
    const reading: RowReading = {
      wanted,
      isSent: false,
      rows: new DataLoader<number, EmbeddingRow[]>((ids) => {
        reading.isSent = true;
        return this.services.embeddings.bySources(kind, ids, reading.wanted);
      }),
    };
    return reading;
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
