import { defineRecord } from '../../kernel/record/record-spec';
import { DomainError } from '../../kernel/errors/domain-error';
import type { ChunkingPlan } from '../../kernel/chunking/chunking-plan';
import { LARGEST_CHUNK_TOKENS, Story, StoryChunkEmbedding } from './story.entity';

const OVERLAPPING = new Set(['sentence', 'token']);
const BETWEEN_HEADINGS = ' › ';

function planOf({ chunkingStrategy, chunkTokens, chunkOverlap }: Story): ChunkingPlan {
  return { strategy: chunkingStrategy, maxTokens: chunkTokens ?? undefined, overlapTokens: chunkOverlap };
}

function contextOf({ title, chunkContext }: Story, headingPath: readonly string[]): string | undefined {
  switch (chunkContext) {
    case 'none':
      return undefined;
    case 'title':
      return title;
    case 'headings':
      return headingPath.join(BETWEEN_HEADINGS);
    case 'title_and_headings':
      return [title, ...headingPath].join(BETWEEN_HEADINGS);
  }
}

/** @throws BAD_INPUT for an overlap that the strategy or the size of the chunks does not allow */
function checkOverlap(
  { chunkingStrategy = 'paragraph', chunkTokens, chunkOverlap = 0 }: Partial<Story>,
  path: string,
): void {
  if (chunkOverlap === 0) return;
  const field = `${path}.chunkOverlap`;
  const refuse = (problem: string): never => {
    throw new DomainError('BAD_INPUT', `${field}: ${problem}.`, { details: { field } });
  };
  if (!OVERLAPPING.has(chunkingStrategy)) {
    refuse(`only chunks of SENTENCE and TOKEN overlap; with ${chunkingStrategy.toUpperCase()} it must be 0`);
  }
  const most = Math.floor((chunkTokens ?? LARGEST_CHUNK_TOKENS) / 2);
  if (chunkOverlap > most) refuse(`${chunkOverlap} is more than half of a chunk; at most ${most} is allowed`);
}

export const storySpec = defineRecord<Story>({
  kind: 'story',
  entity: Story,
  table: 'stories',
  names: { type: 'Story', short: 'Story', field: 'story', plural: 'stories', label: 'story' },
  search: 'searchStories',
  validate: checkOverlap,
  matches: [{ field: 'similarStories', kind: 'story', description: 'Stories with passages like those of this one.' }],
  embedding: {
    entity: StoryChunkEmbedding,
    table: 'story_chunk_embeddings',
    sourceColumn: 'story_id',
    chunkColumn: 'paragraph_index',
    typeName: 'StoryChunk',
    enumName: 'StoryEmbeddingType',
    types: {
      chunk: {
        chunking: 'paragraph',
        chunkingOf: ({ record }) => planOf(record),
        text: ({ record }) => record.content,
        context: ({ record }, headingPath) => contextOf(record, headingPath),
      },
    },
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
