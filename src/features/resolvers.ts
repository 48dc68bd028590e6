import type { RecordTypeFactory } from '../kernel/graphql/record-types';
import type { ResolverClass } from '../kernel/graphql/build-schema';
import { ContentKeyResolver } from './content/content-key.resolver';
import { StoryChunkPlaceResolver } from './story/story-chunk.resolvers';
import { storyChunkingResolvers } from './story/story-chunking.resolvers';
import { tagResolvers } from './tag/tag.resolvers';

/** What features add to the schema beyond what their specs give. */
export function featureResolvers(factory: RecordTypeFactory): ResolverClass[] {
  return [ContentKeyResolver, StoryChunkPlaceResolver, ...storyChunkingResolvers(factory), ...tagResolvers(factory)];
}
