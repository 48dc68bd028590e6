import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import { DEAD_LETTER } from '../outbox/dead-letters';
import { decodeGlobalId } from '../record/global-id';
import { NodeInterface } from '../record/record-base';
import type { GraphQLContext } from './context';
import { deadLetterNode } from './dead-letter-resolver';

const MAX_NODES = 200;

async function loadNode(id: string, context: GraphQLContext): Promise<object | null> {
  const { registry } = context.services;
  const { typeName, id: key } = decodeGlobalId(id);
  const kind = registry.ofType(typeName);
  if (kind) return context.loaders.record(kind, key);
  const rowKind = registry.ofRowType(typeName);
  if (rowKind) return context.loaders.embeddingById(rowKind, key);
  if (typeName === DEAD_LETTER) return deadLetterNode(key, context);
  throw new DomainError('INVALID_ID', `id: there is no type '${typeName}'.`, { details: { field: 'id' } });
}

@Resolver(() => NodeInterface)
export class NodeResolver {
  @Query(() => NodeInterface, { nullable: true, description: 'Any record or embedding by its global id.' })
  node(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<object | null> {
    return loadNode(id, context);
  }

  @Query(() => [NodeInterface], { nullable: 'items', description: 'In the order asked; null where there is none.' })
  nodes(@Arg('ids', () => [ID]) ids: string[], @Ctx() context: GraphQLContext): Promise<(object | null)[]> {
    if (ids.length > MAX_NODES) {
      throw new DomainError('BAD_INPUT', `ids: ${ids.length} ids; at most ${MAX_NODES} are allowed.`, {
        details: { field: 'ids', max: MAX_NODES },
      });
    }
    return Promise.all(ids.map((id) => loadNode(id, context)));
  }
}
