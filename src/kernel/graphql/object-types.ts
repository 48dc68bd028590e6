import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

export interface ObjectTypeOfClass {
  fields: ReturnType<GraphQLObjectType['getFields']>[string][];
  /** Its class, what that extends, and the interfaces: where a field may have been declared. */
  line: readonly Function[];
}

/** The schema's object types that come from classes. */
export function* objectTypes(schema: GraphQLSchema): Generator<ObjectTypeOfClass> {
  for (const { name, target, interfaceClasses } of getMetadataStorage().objectTypes) {
    const type = schema.getType(name);
    if (!isObjectType(type)) continue;
    const line = [target, ...(interfaceClasses ?? [])].flatMap(lineOf);
    yield { fields: Object.values(type.getFields()), line };
  }
}

/** The class and what it extends. */
function lineOf(target: Function): Function[] {
  const line: Function[] = [];
  // Ends at what has no prototype: the `Function.prototype` of whichever realm made the class, and test runners have two.
  for (let one: unknown = target; typeof one === 'function' && one.prototype !== undefined;) {
    line.push(one);
    one = Object.getPrototypeOf(one);
  }
  return line;
}
