import type { VectorFilter } from './vector-filter';

/**
 * A point id: a UUID, owned by exactly one row of `vector_points`. Only a point that something else has put there may have
 * a number, in decimal digits here.
 */
export type PointId = string;

export const DENSE = 'dense';
export const LEXICAL = 'lexical';
export type VectorName = typeof DENSE | typeof LEXICAL;

/** Parallel arrays, indices ascending and unique (unsigned 32 bit). */
export interface SparseVector {
  indices: number[];
  values: number[];
}

export type PayloadValue = string | number | boolean | null | PayloadValue[] | { [key: string]: PayloadValue };
export type Payload = Record<string, PayloadValue>;

export interface Point {
  id: PointId;
  dense: Float32Array;
  lexical: SparseVector;
  payload: Payload;
}

export type PayloadIndexType = 'keyword' | 'integer' | 'float' | 'bool' | 'datetime' | 'uuid';

export type QuantizationMode = 'none' | 'scalar' | 'binary';

export interface CollectionSpec {
  /** Physical name, e.g. `kindred_profile__all-minilm-l6-v2__1`. */
  name: string;
  dimensions: number;
  payloadIndexes: Record<string, PayloadIndexType>;
  shardNumber?: number;
  replicationFactor?: number;
  writeConsistencyFactor?: number;
  quantization: QuantizationMode;
  isOnDisk: boolean;
}

export interface CollectionInfo {
  dimensions: number;
  /** Distance of the `dense` vector as the server spells it, e.g. `Cosine`. */
  distance: string;
  hasLexical: boolean;
  payloadIndexes: Record<string, string>;
  /** Approximate on a real server while it optimises; `count` is exact. */
  pointCount: number;
}

/** What to compare with: a dense vector, a lexical vector, or points that are already stored. */
export type QueryTarget =
  | { dense: readonly number[] | Float32Array }
  /** Without any term it gives no hits. */
  | { lexical: SparseVector }
  /**
   * Stored points as examples, by Qdrant's recommend `strategy`. One positive alone is a plain query by its vector; with
   * several positives and no negatives, `best_score` scores by the similarity to the nearest of them. With negatives
   * scores are on Qdrant's own scale. Examples that live in the searched collection are not returned, and examples that
   * are not stored are ignored: a target whose positives are all absent gives no hits.
   */
  | {
      using: VectorName;
      positive: PointId[];
      negative?: PointId[];
      strategy: 'average_vector' | 'best_score' | 'sum_scores';
      /** The collection (or alias) that holds the example points, when it is not the one searched. */
      lookupFrom?: string;
    };

export interface WeightedTarget {
  target: QueryTarget;
  /** Weight of this list in reciprocal rank fusion. */
  weight: number;
  /** Candidates taken from this list, for fusion and diversity; a query with one target and neither takes its own limit. */
  limit: number;
}

export interface VectorQuery {
  /** One target: its own scores. Several: fused by RRF inside Qdrant. */
  targets: WeightedTarget[];
  filter?: VectorFilter;
  limit: number;
  offset?: number;
  /** Only hits above it; for one dense target a cosine, for fusion an RRF score. */
  scoreThreshold?: number;
  /**
   * 0 (relevance only) .. 1 (diversity only): maximal marginal relevance on the dense vector, chosen among the target's
   * `limit` best candidates. Only with one target that is a dense vector or one stored point.
   */
  diversity?: number;
  /** Payload keys wanted with each hit. */
  payloadKeys: string[];
}

export interface Hit {
  id: PointId;
  score: number;
  payload: Payload;
}

export interface StoredPoint {
  id: PointId;
  payload: Payload;
  dense?: number[];
  lexical?: SparseVector;
}

/** One of the vectors that each point of a collection has. */
export interface VectorLayout {
  /** Empty for the unnamed vector. */
  name: string;
  dimensions: number;
  /** As the server spells it, e.g. `Cosine`. */
  distance: string;
}

/**
 * The vector side, as the kernel sees it. The one implementation speaks Qdrant's REST API, to the embedded server
 * or to a real one alike. Reads and writes by alias or by physical name.
 * @throws VectorStoreUnavailableError network, timeout, 5xx, 429: retryable
 * @throws VectorStoreRejectedError any other refusal
 */
export interface VectorStore {
  /** Server name and version, and that it answers at all. */
  ping(signal?: AbortSignal): Promise<{ title: string; version: string }>;

  /** `undefined` when there is no such collection (or alias). */
  describeCollection(name: string): Promise<CollectionInfo | undefined>;
  createCollection(spec: CollectionSpec): Promise<void>;
  createPayloadIndex(collection: string, key: string, type: PayloadIndexType): Promise<void>;
  /** Whether it was there. */
  deleteCollection(name: string): Promise<boolean>;
  listCollections(): Promise<string[]>;
  /** alias → collection */
  listAliases(): Promise<Record<string, string>>;
  /** Points every alias at its collection in one atomic request; other aliases stay. */
  setAliases(aliases: Record<string, string>): Promise<void>;

  /**
   * Writes whole points and returns once they are durable (`wait`).
   * A stored point whose payload `revision` is higher than the new one is left alone, so a late writer cannot regress it.
   */
  upsert(collection: string, points: readonly Point[]): Promise<void>;
  /**
   * Replaces the whole payload of each point, vectors untouched; one request. Absent points are passed over, and so are
   * stored points whose payload `revision` is higher.
   */
  overwritePayloads(collection: string, points: readonly { id: PointId; payload: Payload }[]): Promise<void>;
  /**
   * Removes points; absent ones are passed over, and so are stored points whose payload `revision` is higher than the
   * one given: a deletion that arrives late does not take what came after it.
   */
  delete(collection: string, points: readonly { id: PointId; revision?: number }[]): Promise<void>;

  /** All queries in one request; results in the same order. */
  queryBatch(collection: string, queries: readonly VectorQuery[]): Promise<Hit[][]>;
  /** Absent ids are left out; any order. */
  retrieve(
    collection: string,
    ids: readonly PointId[],
    want: { payload: boolean | string[]; vectors: VectorName[] },
  ): Promise<StoredPoint[]>;
  /** Dense vectors of a collection of any layout; `undefined` when there is no such collection. */
  describeVectors(collection: string): Promise<VectorLayout[] | undefined>;
  /** One vector of each point, from a collection of any layout; absent points and vectors are left out. */
  retrieveVectors(collection: string, ids: readonly PointId[], vector: string): Promise<Map<PointId, number[]>>;
  /** One page in id order, from `after` on: the `next` of the page before. `next` is `undefined` on the last page. */
  scroll(
    collection: string,
    page: { filter?: VectorFilter; limit: number; after?: PointId; payload: boolean | string[] },
  ): Promise<{ points: StoredPoint[]; next: PointId | undefined }>;
  count(collection: string, filter?: VectorFilter): Promise<number>;

  close(): Promise<void>;
}
