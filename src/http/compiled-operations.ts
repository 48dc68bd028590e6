import type { ApolloServerOptions } from '@apollo/server';
import {
  execute,
  getNamedType,
  GraphQLError,
  isInputObjectType,
  OperationTypeNode,
  typeFromAST,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLNamedType,
  type GraphQLSchema,
  type NamedTypeNode,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

type Gateway = NonNullable<ApolloServerOptions<object>['gateway']>;

/** What is asked, once parsed and checked. */
export interface Operation {
  document: DocumentNode;
  /** Absent when the document has none of the name that is asked for. */
  operation?: OperationDefinitionNode;
  operationName?: string | null;
  variables?: Record<string, unknown>;
  contextValue: unknown;
}

/** Compiling costs as much as some ten runs, so it is done for what comes again. */
const RUNS_BEFORE_COMPILING = 3;
const KEPT_DOCUMENTS = 200;
/** Compiling a thousand fields takes some 300 ms, in which nothing else is answered. */
const LONGEST_COMPILED_CHARACTERS = 10_000;

interface Known {
  runs: number;
  /** By operation name; null where it cannot be compiled. */
  compiled: Map<string, CompiledQuery | null>;
}

/**
 * Runs queries as functions compiled for their document, which takes about half the processor time of walking it. What
 * is rare, mutations, and what cannot be compiled go through graphql-js; answers and errors are the same.
 */
export class CompiledOperations {
  private readonly known = new LRUCache<DocumentNode, Known>({ max: KEPT_DOCUMENTS });

  constructor(private readonly schema: GraphQLSchema) {}

  async execute(asked: Operation): Promise<ExecutionResult> {
    const compiled = this.compiledFor(asked);
    if (!compiled) return this.interpret(asked);
    const result = await compiled.query(undefined, asked.contextValue, asked.variables ?? {});
    // Variables that do not fit: nothing has run yet, and graphql-js words it as clients know it.
    if (result.data === undefined) return this.interpret(asked);
    return result.errors === undefined ? result : { data: result.data, errors: result.errors.map(asGraphQLError) };
  }

  /** graphql-jit unrolls input types: one that contains itself, as filters do, would fill the memory. */
  private hasRecursiveVariable(operation: OperationDefinitionNode): boolean {
    return (operation.variableDefinitions ?? []).some(({ type }) => {
      const named = typeFromAST(this.schema, type as NamedTypeNode);
      return named !== undefined && containsItself(getNamedType(named), []);
    });
  }

  private interpret({
    document,
    operationName,
    variables,
    contextValue,
  }: Operation): ExecutionResult | Promise<ExecutionResult> {
    return execute({ schema: this.schema, document, operationName, variableValues: variables, contextValue });
  }

  private compiledFor({ document, operation }: Operation): CompiledQuery | null {
    if (operation?.operation !== OperationTypeNode.QUERY) return null;
    let known = this.known.get(document);
    if (!known) this.known.set(document, (known = { runs: 0, compiled: new Map() }));
    const name = operation.name?.value ?? '';
    const compiled = known.compiled.get(name);
    if (compiled !== undefined) return compiled;
    if (++known.runs < RUNS_BEFORE_COMPILING) return null;
    const isLong = (document.loc?.source.body.length ?? 0) > LONGEST_COMPILED_CHARACTERS;
    if (isLong || this.hasRecursiveVariable(operation)) {
      known.compiled.set(name, null);
      return null;
    }
    const made = compileQuery(this.schema, document, operation.name?.value);
    const query = isCompiledQuery(made) ? made : null;
    known.compiled.set(name, query);
    return query;
  }
}

function containsItself(type: GraphQLNamedType, path: readonly GraphQLNamedType[]): boolean {
  if (path.includes(type)) return true;
  if (!isInputObjectType(type)) return false;
  return Object.values(type.getFields()).some((field) => containsItself(getNamedType(field.type), [...path, type]));
}

/** Errors of compiled code look like graphql-js's, but are not made by it: what they stand for would be lost. */
function asGraphQLError(error: GraphQLError): GraphQLError {
  const { message, path, originalError, locations } = error;
  return Object.assign(new GraphQLError(message, { path, originalError }), { locations });
}

/** The way by which Apollo lets something else run operations. */
export function compilingGateway(schema: GraphQLSchema): Gateway {
  const operations = new CompiledOperations(schema);
  return {
    onSchemaLoadOrUpdate: (callback) => {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    load: () =>
      Promise.resolve({
        executor: ({ document, operation, request, context }) =>
          operations.execute({
            document,
            operation,
            operationName: request.operationName,
            variables: request.variables,
            contextValue: context,
          }),
      }),
    stop: () => Promise.resolve(),
  };
}
