import { startEmbeddedQdrant, type EmbeddedQdrant } from '../adapters/embedded-qdrant';

/** The embedded vector server on its own, without the rest of Kindred. */
export function startVectorServer(dataDir: string, port: number): Promise<EmbeddedQdrant> {
  return startEmbeddedQdrant({ dataDir, port });
}
