import {
  GraphQLError,
  Kind,
  type ASTVisitor,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { DomainError } from '../../kernel/errors/domain-error';

export interface ShapeLimits {
  /** Levels of nested fields. */
  maxDepth: number;
  /** Fields under another name, counted once for every place where a fragment puts them. */
  maxAliases: number;
  /** All fields, counted likewise. */
  maxFields: number;
}

/** What tools ask of a schema's own description nests deeper than data does; beyond this it is no tool's question. */
const INTROSPECTION = { depth: 20, fields: 500 };

interface Shape {
  depth: number;
  aliases: number;
  fields: number;
}

const NOTHING: Shape = { depth: 0, aliases: 0, fields: 0 };

/**
 * Refuses operations by what they look like, before anything runs. Each fragment is measured once, however often it is
 * spread, so a query that doubles itself with every fragment costs no time either. The verdict depends on the document
 * alone: it is remembered with the parsed document.
 */
export function limitShape(limits: ShapeLimits): ValidationRule {
  return (context: ValidationContext): ASTVisitor => {
    const measured = new Map<string, Shape>();
    return {
      OperationDefinition: (operation) => {
        const shape = measure(operation.selectionSet, context, measured);
        for (const [what, value, limit, advice] of [
          [
            'levels of nested fields',
            shape.depth,
            limits.maxDepth,
            'Ask for the deeper parts in a query of their own.',
          ],
          ['aliases', shape.aliases, limits.maxAliases, 'Send several smaller requests.'],
          ['fields', shape.fields, limits.maxFields, 'Send several smaller requests.'],
        ] as const) {
          if (value > limit) context.reportError(tooComplex(what, value, limit, advice));
        }
        return false;
      },
    };
  };
}

function tooComplex(what: string, value: number, limit: number, advice: string): GraphQLError {
  const count = Number.isFinite(value) ? value.toLocaleString('en') : 'far too many';
  const message = `This operation has ${count} ${what}, and the limit is ${limit.toLocaleString('en')}. ${advice}`;
  const originalError = new DomainError('QUERY_TOO_COMPLEX', message, {
    details: { value: Number.isFinite(value) ? value : null, limit },
  });
  return new GraphQLError(message, {
    originalError,
    extensions: { code: originalError.code, details: originalError.details },
  });
}

function measure(set: SelectionSetNode, context: ValidationContext, measured: Map<string, Shape>): Shape {
  let { depth, aliases, fields } = NOTHING;
  for (const selection of set.selections) {
    let inner: Shape;
    switch (selection.kind) {
      case Kind.FIELD: {
        const below = selection.selectionSet ? measure(selection.selectionSet, context, measured) : NOTHING;
        const isIntrospection =
          selection.name.value.startsWith('__') &&
          below.depth <= INTROSPECTION.depth &&
          below.fields <= INTROSPECTION.fields;
        inner = {
          depth: isIntrospection ? 1 : below.depth + 1,
          aliases: below.aliases + (selection.alias === undefined ? 0 : 1),
          fields: isIntrospection ? 1 : below.fields + 1,
        };
        break;
      }
      case Kind.INLINE_FRAGMENT:
        inner = measure(selection.selectionSet, context, measured);
        break;
      case Kind.FRAGMENT_SPREAD:
        inner = measureFragment(context.getFragment(selection.name.value), context, measured);
        break;
    }
    depth = Math.max(depth, inner.depth);
    aliases += inner.aliases;
    fields += inner.fields;
  }
  return { depth, aliases, fields };
}

function measureFragment(
  fragment: FragmentDefinitionNode | null | undefined,
  context: ValidationContext,
  measured: Map<string, Shape>,
): Shape {
  if (fragment == null) return NOTHING;
  const name = fragment.name.value;
  const known = measured.get(name);
  if (known !== undefined) return known;
  // A fragment within itself is another rule's error; here it must only end.
  measured.set(name, NOTHING);
  const shape = measure(fragment.selectionSet, context, measured);
  measured.set(name, shape);
  return shape;
}
