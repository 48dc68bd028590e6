import type { TextOptions } from '../filter/text-tokens';
import type { JsonObject } from '../json/json-value';
import type { Distance } from './distance';

/** The name of the one vector of a collection that was created without vector names. */
export const UNNAMED = '';

export interface DenseParams {
  kind: 'dense';
  /** Number of the column that stores it; never reused within a collection. */
  column: number;
  size: number;
  distance: Distance;
  /** As a client sent it, reported back. */
  declared: JsonObject;
}

export interface SparseParams {
  kind: 'sparse';
  column: number;
  hasIdf: boolean;
  declared: JsonObject;
}

export type VectorParams = DenseParams | SparseParams;

export type PayloadIndexType = 'keyword' | 'integer' | 'float' | 'bool' | 'datetime' | 'uuid' | 'geo' | 'text';

export interface PayloadIndex {
  type: PayloadIndexType;
  /** The long form of the schema, when the client sent one. */
  declared: JsonObject | undefined;
  text: TextOptions | undefined;
  /** Range or lookup switched off for an integer index. */
  hasRange: boolean;
  hasLookup: boolean;
}

/** What is stored of a collection besides its points. Plain JSON but for the maps. */
export interface CollectionConfig {
  vectors: Map<string, VectorParams>;
  nextColumn: number;
  /** `shard_number`, `hnsw_config`, … : accepted, kept and reported; they change nothing in an exact, single-node server. */
  settings: JsonObject;
}

export function storedConfig({ vectors, nextColumn, settings }: CollectionConfig): string {
  return JSON.stringify({ vectors: [...vectors], nextColumn, settings });
}

export function restoreConfig(text: string): CollectionConfig {
  const stored = JSON.parse(text) as { vectors: [string, VectorParams][]; nextColumn: number; settings: JsonObject };
  return { ...stored, vectors: new Map(stored.vectors) };
}

export const storedIndexes = (indexes: ReadonlyMap<string, PayloadIndex>): string => JSON.stringify([...indexes]);

export const restoreIndexes = (text: string): Map<string, PayloadIndex> =>
  new Map(JSON.parse(text) as [string, PayloadIndex][]);
