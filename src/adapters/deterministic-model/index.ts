export { createDeterministicEmbedder, type DeterministicEmbedderOptions } from './deterministic-embedder';
