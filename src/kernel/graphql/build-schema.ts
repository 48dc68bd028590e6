import { isInterfaceType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray, type PubSub } from 'type-graphql';

import { NodeInterface, typeNameOf } from '../record/record-base';
import { EmbeddableInterface } from '../record/record-table';
import type { RecordKind } from '../record/record-spec';
import type { KindRegistry } from '../record/registry';
import { ConsistencyResolver } from './consistency-resolver';
import { crossSearchResolvers } from './cross-search';
import { deadLetterResolvers } from './dead-letter-resolver';
import { callResolversDirectly } from './direct-resolvers';
import { erasureResolver } from './erasure-resolver';
import { EmbeddingLineageResolver, LineageFieldsResolver } from './embedding-lineage';
import { embeddingListResolver } from './embedding-list';
import { EmbeddableResolver, embeddingResolvers, EmbeddingRowResolver } from './embedding-resolvers';
import { NodeResolver } from './node-resolver';
import { unwrapPlainFields } from './plain-fields';
import { progressResolvers } from './progress-resolver';
import { childResolvers, readResolver, referenceResolvers, writeResolver } from './record-resolvers';
import type { RecordTypeFactory } from './record-types';
import { rowResolvers } from './row-resolvers';
import { evidenceResolver, matchResolver, searchResolver } from './search-resolvers';

export type ResolverClass = new () => object;

function resolversOf(kind: RecordKind, registry: KindRegistry, factory: RecordTypeFactory): ResolverClass[] {
  const types = factory.of(kind);
  const resolvers = [
    readResolver(kind, factory),
    writeResolver(kind, factory),
    ...referenceResolvers(kind, registry),
    ...childResolvers(kind, registry, factory),
    ...(kind.isPersonal ? [erasureResolver(kind)] : []),
  ];
  if (!kind.embedding) return resolvers;
  return [
    ...resolvers,
    ...(kind.search === undefined ? [] : [searchResolver(kind, kind.search, factory)]),
    ...(kind.matches ?? []).map((match) => matchResolver(kind, match, registry, factory)),
    evidenceResolver(() => kind, types.searchEdge),
    ...embeddingResolvers(kind, factory),
    ...rowResolvers(kind, factory),
  ];
}

export interface SchemaParts {
  registry: KindRegistry;
  /** Made outside, so that features can name a kind's generated types in their own resolvers. */
  factory: RecordTypeFactory;
  /** Fields that a feature adds beyond what its spec gives. */
  resolvers: readonly ResolverClass[];
}

/** type-graphql insists on one wherever there are subscriptions; ours bring their own streams. */
const NO_TOPICS: PubSub = {
  publish: () => undefined,
  subscribe: () => {
    throw new Error('Subscriptions have no topics here; give them a stream of their own');
  },
};

/** The whole GraphQL schema: what follows from the specs, and what features add. */
export function buildGraphQLSchema({ registry, factory, resolvers }: SchemaParts): GraphQLSchema {
  const all: ResolverClass[] = [
    NodeResolver,
    ConsistencyResolver,
    EmbeddingRowResolver,
    EmbeddingLineageResolver,
    LineageFieldsResolver,
    EmbeddableResolver,
    ...registry.all.flatMap((kind) => resolversOf(kind, registry, factory)),
    ...crossSearchResolvers(registry),
    embeddingListResolver(registry),
    ...deadLetterResolvers(registry),
    ...progressResolvers(registry),
    ...resolvers,
  ];
  const schema = buildSchemaSync({
    resolvers: all as unknown as NonEmptyArray<ResolverClass>,
    orphanedTypes: [
      NodeInterface,
      EmbeddableInterface,
      ...registry.all.flatMap((kind) => (kind.embedding ? [kind.entity, kind.embedding.entity] : [kind.entity])),
    ],
    pubSub: NO_TOPICS,
    validate: false,
    emitSchemaFile: false,
    nullableByDefault: false,
  });
  unwrapPlainFields(schema);
  callResolversDirectly(schema, all);
  nameTypesAtOnce(schema);
  return schema;
}

/** type-graphql makes every `resolveType` asynchronous, which compiled queries do not wait for; ours never were. */
function nameTypesAtOnce(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type)) type.resolveType = (value) => typeNameOf(value as object);
  }
}
