import { defineRecord } from '../../kernel/record/record-spec';
import { ContentEmbedding, ContentItem } from './content-item.entity';

export const contentItemSpec = defineRecord<ContentItem>({
  kind: 'content_item',
  entity: ContentItem,
  table: 'content_items',
  names: { type: 'ContentItem', short: 'Content', field: 'content', plural: 'contents', label: 'content item' },
  lookup: {
    arguments: ['contentType', 'contentId'],
    where: 't.content_type = $1 AND t.content_id = kindred_content_id($1, $2)',
  },
  storedAs: { content_id: 'kindred_content_id(given.content_type, given.content_id)' },
  search: 'searchContents',
  matches: [{ field: 'similarContents', kind: 'content_item', description: 'Content like this.' }],
  embedding: {
    entity: ContentEmbedding,
    table: 'content_embeddings',
    sourceColumn: 'content_item_id',
    chunkColumn: 'chunk_index',
    typeName: 'ContentEmbedding',
    enumName: 'ContentEmbeddingType',
    types: { content: { chunking: 'sentence', text: ({ record }) => record.content ?? '' } },
    defaultTypes: ['content'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 40,
  },
});
