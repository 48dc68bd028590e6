import type { EmbeddingRow } from '../embedding/embedding-row';
import type { RecordBase } from '../record/record-base';
import type { SearchHit, SearchResult } from '../search/search-request';
import { hitCursor } from './search-input';
import type { PageInfo } from './shared-types';

export interface Edge<T> {
  cursor: string;
  node: T;
}

/** A Relay connection. `totalCount` costs a statement of its own, so it is counted only when it is read. */
export class Connection<T, E extends Edge<T> = Edge<T>> {
  constructor(
    readonly edges: E[],
    readonly pageInfo: PageInfo,
    private readonly count: () => Promise<number>,
  ) {}

  get nodes(): T[] {
    return this.edges.map((edge) => edge.node);
  }

  get totalCount(): Promise<number> {
    return this.count();
  }
}

/** The cursor of the row at `index`. Made when it is read: most clients read one a page, if any. */
export type CursorAt = (index: number) => string;

class ListEdge<T> implements Edge<T> {
  constructor(
    readonly node: T,
    private readonly index: number,
    private readonly cursorAt: CursorAt,
  ) {}

  get cursor(): string {
    return this.cursorAt(this.index);
  }
}

class LazyPageInfo implements PageInfo {
  constructor(
    private readonly edges: readonly Edge<unknown>[],
    readonly hasNextPage: boolean,
    readonly hasPreviousPage: boolean,
  ) {}

  get startCursor(): string | null {
    return this.edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.edges.at(-1)?.cursor ?? null;
  }
}

export function connectionOf<T>(
  nodes: readonly T[],
  cursorAt: CursorAt,
  page: { hasNextPage: boolean; hasPreviousPage: boolean },
  count: () => Promise<number>,
): Connection<T> {
  const edges = nodes.map((node, i) => new ListEdge(node, i, cursorAt));
  return new Connection(edges, new LazyPageInfo(edges, page.hasNextPage, page.hasPreviousPage), count);
}

export interface SearchEdge<T = RecordBase | EmbeddingRow> extends Edge<T> {
  score: number;
  hit: SearchHit;
}

class HitEdge<T> extends ListEdge<T> implements SearchEdge<T> {
  constructor(
    node: T,
    index: number,
    cursorAt: CursorAt,
    readonly hit: SearchHit,
  ) {
    super(node, index, cursorAt);
  }

  get score(): number {
    return this.hit.score;
  }
}

export function searchConnectionOf<T>(
  result: SearchResult,
  nodes: readonly T[],
  listName: () => string,
  offset: number,
  count: () => Promise<number>,
): Connection<T, SearchEdge<T>> {
  const cursorAt = (index: number): string => hitCursor(listName(), offset + index + 1);
  const edges = result.hits.map((hit, i) => new HitEdge(nodes[i] as T, i, cursorAt, hit));
  return new Connection(edges, new LazyPageInfo(edges, result.hasNextPage, offset > 0), count);
}
