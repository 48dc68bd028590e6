import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

import { objectTypes } from './object-types';

type Storage = ReturnType<typeof getMetadataStorage>;
type Handler = Storage['queries'][number] | Storage['fieldResolvers'][number];
type Param = NonNullable<Handler['params']>[number];
type Args = Record<string, unknown>;
type ReadParam = (root: unknown, args: Args, context: object, info: GraphQLResolveInfo) => unknown;
type Method = (...values: unknown[]) => unknown;

/**
 * Calls the methods of resolvers as they are. type-graphql looks up the resolver and the class of every input among all
 * that there are, makes instances of input classes, and waits for a validation that is switched off, for each field of
 * each record: input arrives here as graphql-js has checked it, a plain object. What has middlewares, roles or other
 * parameters than arguments, root, context and info stays type-graphql's.
 * @param resolvers those that the schema was built from; the storage knows those of every schema of the process
 */
export function callResolversDirectly(schema: GraphQLSchema, resolvers: readonly Function[]): void {
  const storage = getMetadataStorage();
  const used = new Set(resolvers);
  const external = new Map<Function | undefined, Map<string, Handler>>();
  for (const resolver of storage.fieldResolvers) {
    if (resolver.kind !== 'external' || !used.has(resolver.target)) continue;
    const type = resolver.getObjectType?.();
    const ofType = external.get(type) ?? new Map<string, Handler>();
    external.set(type, ofType);
    // The first counts, as it does for type-graphql.
    if (!ofType.has(resolver.schemaName)) ofType.set(resolver.schemaName, resolver);
  }
  const instances = new Map<Function, Record<string, Method>>();
  const direct = (handler: Handler): GraphQLFieldResolver<unknown, object, Args> | undefined => {
    const readers = (handler.params ?? []).toSorted((a, b) => a.index - b.index).map(readerOf);
    if (!readers.every((read) => read !== undefined)) return undefined;
    if ((handler.middlewares?.length ?? 0) > 0 || handler.roles) return undefined;
    let instance = instances.get(handler.target);
    if (!instance)
      instances.set(handler.target, (instance = new (handler.target as new () => Record<string, Method>)()));
    const resolver = instance;
    const { methodName } = handler;
    return (root, args, context, info) =>
      (resolver[methodName] as Method)(...readers.map((read) => read(root, args, context, info)));
  };

  for (const [type, handlers] of [
    [schema.getQueryType(), storage.queries],
    [schema.getMutationType(), storage.mutations],
  ] as const) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      const handler = handlers.find((one) => one.schemaName === field.name && used.has(one.target));
      const resolve = handler && direct(handler);
      if (resolve) field.resolve = resolve;
    }
  }
  for (const { fields, line } of objectTypes(schema)) {
    for (const field of fields) {
      const handler = line.map((one) => external.get(one)?.get(field.name)).find((one) => one !== undefined);
      const resolve = handler && direct(handler);
      if (resolve) field.resolve = resolve;
    }
  }
}

function readerOf(param: Param): ReadParam | undefined {
  switch (param.kind) {
    case 'arg':
      return (_root, args) => args[param.name];
    case 'context':
      return param.propertyName === undefined ? (_root, _args, context) => context : undefined;
    case 'root':
      return param.propertyName === undefined ? (root) => root : undefined;
    case 'info':
      return (_root, _args, _context, info) => info;
    default:
      return undefined;
  }
}
