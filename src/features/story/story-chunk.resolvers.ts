import { FieldResolver, Int, Resolver, Root } from 'type-graphql';

import { StoryChunkEmbedding } from './story.entity';

/** A chunk always says where it lies in its story; one written without offsets counts as standing alone. */
@Resolver(() => StoryChunkEmbedding)
export class StoryChunkOffsetsResolver {
  @FieldResolver(() => Int, { description: 'UTF-16 index of its first character in the story’s text.' })
  startOffset(@Root() chunk: StoryChunkEmbedding): number {
    return chunk.startOffset ?? 0;
  }

  @FieldResolver(() => Int, { description: 'UTF-16 index after its last character in the story’s text.' })
  endOffset(@Root() chunk: StoryChunkEmbedding): number {
    return chunk.endOffset ?? chunk.text.length;
  }
}
