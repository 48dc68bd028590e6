export { startEmbeddedQdrant, type EmbeddedQdrant, type EmbeddedQdrantOptions } from './start';
