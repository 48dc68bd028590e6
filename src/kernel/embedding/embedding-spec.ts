import type { ChunkingPlan, ChunkingStrategy } from '../chunking/chunking-plan';
import type { RecordBase } from '../record/record-base';
import type { Source } from '../record/source';
import type { SearchModeName } from '../search/search-mode';
import type { EmbeddingRow } from './embedding-row';

export interface EmbeddingTypeSpec<R extends RecordBase = RecordBase> {
  /** The text to embed; blank means that this record has no embedding of this type. */
  text(source: Source<R>): string;
  chunking: ChunkingStrategy;
  /** How this record's text becomes chunks, where each record says so itself. */
  chunkingOf?(source: Source<R>): ChunkingPlan;
  /**
   * A line put before each chunk when it is embedded, kept apart from the chunk's text.
   * @param headingPath headings above the chunk that are not in its text, the outermost first
   */
  context?(source: Source<R>, headingPath: readonly string[]): string | undefined;
}

/** What is embedded of one kind of record, and where the rows are kept. */
export interface EmbeddingSpec<R extends RecordBase = RecordBase> {
  entity: new () => EmbeddingRow;
  table: string;
  /** Foreign key to the source in `table`. */
  sourceColumn: string;
  /** Column of the chunk's position: `chunk_index`, for stories `paragraph_index`. */
  chunkColumn: string;
  /** GraphQL type of a row, e.g. `JobDescriptionEmbedding`. */
  typeName: string;
  /** GraphQL enum of the types, e.g. `JobEmbeddingType`. */
  enumName: string;
  types: Record<string, EmbeddingTypeSpec<R>>;
  /** What a search looks at, and what a similarity starts from, unless asked otherwise. */
  defaultTypes: readonly string[];
  /** Chosen by measurement on labelled data; docs/decisions say how. */
  defaultMode: SearchModeName;
  /** Weights of the two lists in HYBRID. */
  hybridWeights: { dense: number; lexical: number };
  /** Mean length of a chunk in lexical terms, for BM25's length normalisation. */
  meanTermCount: number;
  /** Set where the embedding row is a record of its own in the API, like a story's chunk. */
  rowAs?: RowRecordNames;
}

export interface RowRecordNames {
  /** Stem of the types, e.g. `StoryChunk`. */
  short: string;
  /** Field on the source that lists them, e.g. `chunks`. */
  list: string;
  /** Field on the row that leads to the source, e.g. `story`. */
  source: string;
  search: string;
  similar: string;
}
