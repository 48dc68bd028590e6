import type { Database } from '../db/database';
import type { Consistency } from '../consistency/consistency';
import type { EmbeddingList } from '../embedding/embedding-list';
import type { EmbeddingReader } from '../embedding/embedding-reader';
import type { Eraser } from '../lifecycle/erasure';
import type { RecordReader } from '../record/record-reader';
import type { RecordWriter } from '../record/record-writer';
import type { KindRegistry } from '../record/registry';
import type { SearchService } from '../search/search-service';
import type { PointReader } from '../vector/point-reader';
import type { DeadLetters } from '../outbox/dead-letters';
import type { Route } from '../vector/route';
import type { VectorStore } from '../vector/vector-store';
import type { IndexingProgressSource } from '../outbox/indexing-progress';
import type { SyncService } from '../outbox/sync-service';

/** What resolvers may use. One set a process. */
export interface Services {
  registry: KindRegistry;
  records: RecordReader;
  writer: RecordWriter;
  embeddings: EmbeddingReader;
  embeddingList: EmbeddingList;
  points: PointReader;
  search: SearchService;
  sync: SyncService;
  consistency: Consistency;
  deadLetters: DeadLetters;
  eraser: Eraser;
  /** For what a feature does beyond reading and writing records. */
  database: Database;
  store: VectorStore;
  /** The live model and its collections; hold on to one for all that belongs together, and no longer. */
  route: () => Route;
  /** Looks at which collections are live again. */
  refreshRoute: () => Promise<void>;
  progress: IndexingProgressSource;
}
