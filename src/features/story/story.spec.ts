import { defineRecord } from '../../kernel/record/record-spec';
import { Story, StoryChunkEmbedding } from './story.entity';

export const storySpec = defineRecord<Story>({
  kind: 'story',
  entity: Story,
  table: 'stories',
  names: { type: 'Story', short: 'Story', field: 'story', plural: 'stories', label: 'story' },
  search: 'searchStories',
  matches: [{ field: 'similarStories', kind: 'story', description: 'Stories with passages like those of this one.' }],
  embedding: {
    entity: StoryChunkEmbedding,
    table: 'story_chunk_embeddings',
    sourceColumn: 'story_id',
    chunkColumn: 'paragraph_index',
    typeName: 'StoryChunk',
    enumName: 'StoryEmbeddingType',
    types: { chunk: { chunking: 'paragraph', text: ({ record }) => record.content } },
    defaultTypes: ['chunk'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 6 },
    meanTermCount: 60,
    rowAs: {
      short: 'StoryChunk',
      list: 'chunks',
      source: 'story',
      search: 'searchStoryChunks',
      similar: 'similarChunks',
    },
  },
});
