import type { ChunkWindow } from '../model/chunk-window';
import { tokenCounterOf } from '../model/embedder';
import type { Embedders } from '../model/embedders';
import type { CollectionCatalog } from './collections';
import { modelOf } from './generation-store';

/**
 * What chunks have to fit into now: the window of the live model, or of the one beside it where that is smaller, as the live
 * model counts. Every process comes to the same.
 * @throws ModelUnavailableError what counts tokens is not there
 */
export async function chunkWindow(catalog: CollectionCatalog, embedders: Embedders): Promise<ChunkWindow> {
  await catalog.refresh();
  const { route } = catalog;
  const live = embedders.of(modelOf(route.model)) ?? embedders.configured;
  const counter = await tokenCounterOf(live);
  return { maxTokens: (kind) => route.maxTokens(kind), counter };
}
