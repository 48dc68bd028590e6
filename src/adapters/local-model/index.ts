export { createLocalEmbedder, type LocalEmbedderOptions } from './local-embedder';
export type { FetchProgress } from './model-files';
