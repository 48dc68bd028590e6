import type { VectorStore } from '../../kernel/vector/vector-store';
import { QdrantStore } from './qdrant.store';
import type { QdrantStoreOptions } from './qdrant.transport';

export type { QdrantLog, QdrantRequestReport, QdrantStoreOptions } from './qdrant.transport';

/** The vector store behind `url`: the embedded server or a real Qdrant 1.18. Connects at the first request. */
export function createQdrantStore(options: QdrantStoreOptions): VectorStore {
  return new QdrantStore(options);
}
