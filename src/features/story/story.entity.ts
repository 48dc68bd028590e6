import { Check, Index, Unique } from 'typeorm';
import { z } from 'zod';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import type { ChunkingStrategy } from '../../kernel/chunking/chunking-plan';
import { Attribute, defineChoices } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { EmbeddableInterface, RecordTable } from '../../kernel/record/record-table';

const STRATEGIES: Record<ChunkingStrategy, string> = {
  paragraph: 'One chunk a paragraph; a long one is split between its sentences.',
  sentence: 'Whole sentences, as many as fit; neighbours may share some.',
  token: 'Windows of as many words as fit; neighbours may share some.',
  markdown: 'One chunk a block of Markdown; headings give chapters; code and lists stay whole where they fit.',
};

export const chunkingStrategyChoices = defineChoices(
  'ChunkingStrategy',
  'How a story’s text becomes chunks.',
  STRATEGIES,
);

/** What is embedded with a chunk of a story besides its text. */
export type ChunkContext = 'none' | 'title' | 'headings' | 'title_and_headings';

const CONTEXTS: Record<ChunkContext, string> = {
  none: 'Nothing.',
  title: 'The story’s title.',
  headings: 'The headings that the chunk stands under.',
  title_and_headings: 'The title, then the headings.',
};

export const chunkContextChoices = defineChoices(
  'ChunkContext',
  'What is embedded with each chunk, in a line before it that is not part of its text.',
  CONTEXTS,
);

const SMALLEST_CHUNK_TOKENS = 32;
export const LARGEST_CHUNK_TOKENS = 8192;

@RecordTable({
  table: 'stories',
  typeName: 'Story',
  description: 'A text that is read and searched paragraph by paragraph, or in other chunks.',
})
@Index('idx_stories_created_at', ['createdAt'])
@Index('idx_stories_collection', ['collection'])
@Check('chk_stories_chunk_tokens', `chunk_tokens BETWEEN ${SMALLEST_CHUNK_TOKENS} AND ${LARGEST_CHUNK_TOKENS}`)
@Check(
  'chk_stories_chunk_overlap',
  "chunk_overlap = 0 OR (chunk_overlap > 0 AND chunking_strategy IN ('sentence', 'token') AND chunk_overlap * 2 <= coalesce(chunk_tokens, 8192))",
)
export class Story extends RecordBase {
  @Attribute({ type: 'string', maxLength: 300, isFilterable: true, isOrderable: true })
  title!: string;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  author!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  collection!: string | null;

  @Attribute({ type: 'text', description: 'The whole text; blank lines separate paragraphs.' })
  content!: string;

  @Attribute({
    type: 'choice',
    choices: chunkingStrategyChoices,
    default: 'paragraph',
    isSetting: true,
  })
  chunkingStrategy!: ChunkingStrategy;

  @Attribute({
    type: 'integer',
    isNullable: true,
    isSetting: true,
    validate: z
      .int()
      .min(SMALLEST_CHUNK_TOKENS, `must be from ${SMALLEST_CHUNK_TOKENS} to ${LARGEST_CHUNK_TOKENS}`)
      .max(LARGEST_CHUNK_TOKENS, `must be from ${SMALLEST_CHUNK_TOKENS} to ${LARGEST_CHUNK_TOKENS}`),
    description: 'Most tokens of a chunk. What suits the model unless given; never more than its window.',
  })
  chunkTokens!: number | null;

  @Attribute({
    type: 'integer',
    default: 0,
    isSetting: true,
    validate: z.int().min(0, 'must not be negative'),
    description: 'About how many tokens neighbouring chunks share, of SENTENCE and TOKEN; at most half of a chunk.',
  })
  chunkOverlap!: number;

  @Attribute({ type: 'choice', choices: chunkContextChoices, default: 'none', isSetting: true })
  chunkContext!: ChunkContext;
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
  description: 'A paragraph of a story, or another chunk of it: a row of story_chunk_embeddings.',
})
@Unique('uq_story_chunk_embeddings_paragraph', ['sourceId', 'chunkIndex'])
export class StoryChunkEmbedding extends EmbeddingRow {}
