import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

import { objectTypes } from './object-types';

type Class = abstract new (...args: never[]) => object;

/** Whether the class has a method of that name, which must be called and not read. */
function isMethod(line: readonly Function[], name: string): boolean {
  return line.some((one) => {
    const prototype = (one as Class).prototype as object;
    return typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function';
  });
}

/** Properties that are promises: compiled queries wait for what a resolver gives, not for what they read themselves. */
const PROMISED: ReadonlySet<string> = new Set(['totalCount']);

/**
 * Makes fields that only read a property do just that. type-graphql wraps every field for middlewares and access rules,
 * which Kindred has none of; unwrapped, graphql-js reads the property itself and compiled queries read it inline.
 */
export function unwrapPlainFields(schema: GraphQLSchema): void {
  const storage = getMetadataStorage();
  for (const { fields, line } of objectTypes(schema)) {
    const resolved = new Set(
      storage.fieldResolvers
        .filter((resolver) => resolver.kind === 'external' && line.includes(resolver.getObjectType?.() as Function))
        .map((resolver) => resolver.schemaName),
    );
    for (const field of fields) {
      const source = storage.fields.find((one) => one.schemaName === field.name && line.includes(one.target));
      if (!source || resolved.has(field.name) || isMethod(line, source.name)) continue;
      if ((source.middlewares?.length ?? 0) > 0 || source.roles) continue;
      const isReadAsItIs = source.name === field.name && !PROMISED.has(field.name);
      field.resolve = isReadAsItIs ? undefined : readerOf(source.name);
    }
  }
}

function readerOf(property: string): GraphQLFieldResolver<Record<string, unknown>, unknown> {
  return (root) => root[property];
}
