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

export function connectionOf<T>(
  nodes: readonly T[],
  cursors: readonly string[],
  page: { hasNextPage: boolean; hasPreviousPage: boolean },
  count: () => Promise<number>,
): Connection<T> {
  const edges = nodes.map((node, i) => ({ node, cursor: cursors[i] as string }));
  return new Connection(edges, pageInfoOf(edges, page), count);
}

function pageInfoOf(
  edges: readonly Edge<unknown>[],
  page: { hasNextPage: boolean; hasPreviousPage: boolean },
): PageInfo {
  return {
    hasNextPage: page.hasNextPage,
    hasPreviousPage: page.hasPreviousPage,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
}

export interface SearchEdge<T = RecordBase | EmbeddingRow> extends Edge<T> {
  score: number;
  hit: SearchHit;
}

export function searchConnectionOf<T>(
  result: SearchResult,
  nodes: readonly T[],
  listName: string,
  offset: number,
  count: () => Promise<number>,
): Connection<T, SearchEdge<T>> {
  const edges = result.hits.map((hit, i) => ({
    cursor: hitCursor(listName, offset + i + 1),
    score: hit.score,
    node: nodes[i] as T,
    hit,
  }));
  return new Connection(
    edges,
    pageInfoOf(edges, { hasNextPage: result.hasNextPage, hasPreviousPage: offset > 0 }),
    count,
  );
}
