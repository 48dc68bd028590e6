import { Index, Unique } from 'typeorm';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { EmbeddableInterface, RecordTable } from '../../kernel/record/record-table';

@RecordTable({
  table: 'stories',
  typeName: 'Story',
  description: 'A text that is read and searched paragraph by paragraph.',
})
@Index('idx_stories_created_at', ['createdAt'])
export class Story extends RecordBase {
  @Attribute({ type: 'string', maxLength: 300, isFilterable: true, isOrderable: true })
  title!: string;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  author!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  collection!: string | null;

  @Attribute({ type: 'text', description: 'The whole text; blank lines separate paragraphs.' })
  content!: string;
}

@EmbeddingTable({
  table: 'story_chunk_embeddings',
  source: () => Story,
  sourceColumn: 'story_id',
  sourceIndex: 'idx_story_chunk_embeddings_story_id',
  types: ['chunk'],
  typeName: 'StoryChunk',
  chunkColumn: 'paragraph_index',
  implements: [EmbeddableInterface],
  description: 'A paragraph of a story (or a part of a long one): a row of story_chunk_embeddings.',
})
@Unique('uq_story_chunk_embeddings_paragraph', ['sourceId', 'chunkIndex'])
export class StoryChunkEmbedding extends EmbeddingRow {}
