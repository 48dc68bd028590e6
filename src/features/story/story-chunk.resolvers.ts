import { FieldResolver, Int, Resolver, Root } from 'type-graphql';

import { StoryChunkEmbedding } from './story.entity';

/** What a chunk says of its place. One written without offsets counts as standing alone. */
@Resolver(() => StoryChunkEmbedding)
export class StoryChunkPlaceResolver {
  @FieldResolver(() => Int, {
    description: 'UTF-16 index of its first character in the story’s `content`, line breaks and all.',
  })
  startOffset(@Root() chunk: StoryChunkEmbedding): number {
    return chunk.startOffset ?? 0;
  }

  @FieldResolver(() => Int, { description: 'UTF-16 index after its last character in the story’s `content`.' })
  endOffset(@Root() chunk: StoryChunkEmbedding): number {
    return chunk.endOffset ?? chunk.text.length;
  }

  @FieldResolver(() => String, { nullable: true, description: 'The outermost heading that it stands under.' })
  chapter(@Root() chunk: StoryChunkEmbedding): string | null {
    return chunk.headingPath?.[0] ?? null;
  }
}
