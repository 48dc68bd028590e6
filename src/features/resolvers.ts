import type { RecordTypeFactory } from '../kernel/graphql/record-types';
import type { ResolverClass } from '../kernel/graphql/build-schema';
import { StoryChunkOffsetsResolver } from './story/story-chunk.resolvers';
import { tagResolvers } from './tag/tag.resolvers';

/** What features add to the schema beyond what their specs give. */
export function featureResolvers(factory: RecordTypeFactory): ResolverClass[] {
  return [StoryChunkOffsetsResolver, ...tagResolvers(factory)];
}
