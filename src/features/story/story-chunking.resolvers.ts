import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';

import type { ChunkingStrategy } from '../../kernel/chunking/chunking-plan';
import type { GraphQLContext } from '../../kernel/graphql/context';
import type { RecordTypeFactory } from '../../kernel/graphql/record-types';
import { requireRole } from '../../kernel/graphql/require-role';
import type { FilterInput } from '../../kernel/record/filter';
import { StoryChunking, type ChunkingProgress, type ChunkingSettings } from './story-chunking';
import { storySpec } from './story.spec';
import { chunkContextChoices, chunkingStrategyChoices, type ChunkContext } from './story.entity';

@InputType({ description: 'How stories are chunked: all of it; what is left out has its default.' })
class StoryChunkingInput {
  @Field(() => chunkingStrategyChoices.enumType)
  chunkingStrategy!: ChunkingStrategy;

  @Field(() => Int, { nullable: true, description: 'What suits the model unless given.' })
  chunkTokens?: number | null;

  @Field(() => Int, { nullable: true, defaultValue: 0 })
  chunkOverlap?: number | null;

  @Field(() => chunkContextChoices.enumType, { nullable: true, defaultValue: 'none' })
  chunkContext?: ChunkContext | null;
}

@ObjectType({
  description: 'Stories that will be chunked again in the background; `storyChunking` says how far that is.',
})
class RechunkStoriesPayload {
  @Field(() => Int)
  stories!: number;

  @Field(() => Int, { description: 'Those whose settings were others.' })
  changed!: number;

  @Field(() => String, { description: 'Pass it to `awaitSync` to search only once all of it is in.' })
  syncToken!: string;
}

@ObjectType({ description: 'How far stories have been chunked and embedded.' })
class StoryChunkingProgress implements ChunkingProgress {
  @Field(() => Int)
  stories!: number;

  @Field(() => Int, { description: 'Not chunked yet since they were changed.' })
  storiesWaiting!: number;

  @Field(() => Int, { description: 'Given up; the dead letters say why.' })
  storiesFailed!: number;

  @Field(() => Int)
  chunks!: number;

  @Field(() => Int, { description: 'Not in the vector server yet as they are now.' })
  chunksWaiting!: number;

  @Field(() => Int)
  chunksFailed!: number;
}

/** Chunking of many stories at once. */
export function storyChunkingResolvers(factory: RecordTypeFactory): (new () => object)[] {
  const types = factory.of(storySpec);

  const readSettings = (input: StoryChunkingInput, context: GraphQLContext): ChunkingSettings => {
    const settings = {
      chunkingStrategy: input.chunkingStrategy,
      chunkTokens: input.chunkTokens ?? null,
      chunkOverlap: input.chunkOverlap ?? 0,
      chunkContext: input.chunkContext ?? 'none',
    };
    new StoryChunking(context.services.registry).check(settings, 'chunking');
    return settings;
  };

  @Resolver()
  class StoryChunkingResolver {
    @Mutation(() => RechunkStoriesPayload, {
      description:
        'Chunks stories again, with other settings where `chunking` is given. Texts that come out as they were keep their chunk, its tags and its vector.',
    })
    async rechunkStories(
      @Arg('filter', () => types.searchFilter, {
        description: 'Which stories; archived ones too unless it says otherwise, `{}` for all.',
      })
      filter: FilterInput,
      @Arg('chunking', () => StoryChunkingInput, { nullable: true }) chunking: StoryChunkingInput | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<RechunkStoriesPayload> {
      requireRole(context, 'writer');
      const { registry, writer } = context.services;
      const stories = new StoryChunking(registry);
      const chosen = stories.filterOf(filter);
      const settings = chunking ? readSettings(chunking, context) : undefined;
      const { result, syncToken } = await writer.transact({ actor: context.actor, isBulk: true }, (transaction) =>
        stories.rechunk(transaction, chosen, settings),
      );
      return { ...result, syncToken };
    }

    @Query(() => StoryChunkingProgress, { description: 'How far these stories have been chunked and embedded.' })
    storyChunking(
      @Arg('filter', () => types.searchFilter, { nullable: true }) filter: FilterInput | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<StoryChunkingProgress> {
      const { registry, database } = context.services;
      const stories = new StoryChunking(registry);
      return stories.progress(database, stories.filterOf(filter ?? {}));
    }
  }
  return [StoryChunkingResolver];
}
