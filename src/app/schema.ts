import 'reflect-metadata';

import type { GraphQLSchema } from 'graphql';

import { recordKinds } from '../features/registry';
import { featureResolvers } from '../features/resolvers';
import { buildGraphQLSchema } from '../kernel/graphql/build-schema';
import { RecordTypeFactory } from '../kernel/graphql/record-types';
import { KindRegistry } from '../kernel/record/registry';

let built: GraphQLSchema | undefined;

/** Kindred's schema. type-graphql keeps its metadata by class, so it is built once a process. */
export function buildKindredSchema(): GraphQLSchema {
  if (!built) {
    const registry = new KindRegistry(recordKinds);
    const factory = new RecordTypeFactory(registry);
    built = buildGraphQLSchema({ registry, factory, resolvers: featureResolvers(factory) });
  }
  return built;
}
