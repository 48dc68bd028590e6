import type { Schemas as QdrantSchemas } from '@qdrant/js-client-rest' with { 'resolution-mode': 'import' };

/** The REST shapes, as the official client generates them from Qdrant's OpenAPI document. */
export type Schemas = QdrantSchemas;
