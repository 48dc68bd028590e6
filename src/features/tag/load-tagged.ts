import type { GraphQLContext } from '../../kernel/graphql/context';
import type { Taggable } from './taggable';

/** The passage or record that carries a tag; null when it is gone. */
export function loadTagged({ unit, kind }: Taggable, id: number, { loaders }: GraphQLContext): Promise<object | null> {
  return unit === 'chunk' ? loaders.embeddingById(kind, id) : loaders.record(kind, id);
}
