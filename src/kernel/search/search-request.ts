import type { CheckedFilter } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import type { SearchModeName } from './search-mode';

export type ExampleStrategy = 'average_vector' | 'best_score' | 'sum_scores';

export interface StoredRecord {
  kind: RecordKind;
  id: number;
  /** One embedding row of the record instead of all its default ones. */
  pointId?: string;
}

/** What to look for. */
export type SearchQuery =
  | { text: string }
  | { vector: readonly number[] }
  | { near: StoredRecord }
  | { positive: StoredRecord[]; negative: StoredRecord[]; strategy: ExampleStrategy };

export interface SearchRequest {
  kind: RecordKind;
  query: SearchQuery;
  mode?: SearchModeName;
  /** Embedding types searched; the kind's default ones unless given. */
  embeddingTypes?: readonly string[];
  filter: CheckedFilter;
  minScore?: number;
  /** 0..1; only with text or vector in SEMANTIC mode. */
  diversity?: number;
  first: number;
  offset: number;
  /** `entity`: chunks are grouped to their record. `row`: each chunk is a hit of its own. */
  unit: 'entity' | 'row';
  /** Properties of the record that will be read. */
  wanted?: Wanted;
}

export interface ChunkHit {
  pointId: string;
  score: number;
}

export interface SearchHit {
  /** Id of the record, or of the source where the unit is a row. */
  entityId: number;
  score: number;
  /** Best first; at least one. */
  chunks: ChunkHit[];
  record: RecordBase;
}

export interface SearchResult {
  hits: SearchHit[];
  hasNextPage: boolean;
}

export const DEFAULT_HIT_COUNT = 10;
export const MAX_HIT_COUNT = 100;
/** How deep a search can be paged; beyond it a narrower filter serves better. */
export const MAX_HIT_DEPTH = 1000;
