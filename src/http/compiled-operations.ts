import { HeaderMap, type GraphQLRequestListener } from '@apollo/server';
import {
  getNamedType,
  getVariableValues,
  GraphQLError,
  GraphQLScalarType,
  GraphQLSchema,
  isInputObjectType,
  Kind,
  OperationTypeNode,
  typeFromAST,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLNamedType,
  type NamedTypeNode,
  type NameNode,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

import type { ErrorFormatter } from '../kernel/graphql/format-error';

/** What is asked, once parsed and checked. */
export interface Operation {
  document: DocumentNode;
  /** Absent when the document has none of the name that is asked for. */
  operation?: OperationDefinitionNode;
  variables?: Record<string, unknown>;
  contextValue: unknown;
}

/** Compiling costs as much as some ten runs, so it is done for what comes again. */
const RUNS_BEFORE_COMPILING = 3;
const KEPT_DOCUMENTS = 200;
/** Compiling a thousand fields takes some 300 ms, in which nothing else is answered. */
const LONGEST_COMPILED_CHARACTERS = 10_000;

/** Takes the place of input types that contain themselves: graphql-jit unrolls input types, and would not end. */
const CHECKED = new GraphQLScalarType({ name: 'KindredCheckedValue', description: 'Checked by graphql-js.' });

interface Compiled {
  query: CompiledQuery['query'];
  /** Of the variables whose values graphql-js checks, as they were asked for. */
  checked: readonly VariableDefinitionNode[];
}

interface Known {
  runs: number;
  /** By operation name; null where it cannot be compiled. */
  compiled: Map<string, Compiled | null>;
}

/**
 * Runs queries as functions compiled for their document, which takes about half the processor time of walking it. What
 * is rare, mutations, and what cannot be compiled are left to graphql-js; answers and errors are the same.
 */
export class CompiledOperations {
  private readonly known = new LRUCache<DocumentNode, Known>({ max: KEPT_DOCUMENTS });
  private withChecked: GraphQLSchema | undefined;

  constructor(private readonly schema: GraphQLSchema) {}

  clear(): void {
    this.known.clear();
  }

  /** `undefined` when graphql-js has to run it; nothing has run then. */
  async execute(asked: Operation): Promise<ExecutionResult | undefined> {
    const compiled = this.compiledFor(asked);
    if (!compiled) return undefined;
    const variables = this.variablesFor(compiled, asked);
    if (!variables) return undefined;
    const result = await compiled.query(undefined, asked.contextValue, variables);
    // Variables that do not fit: graphql-js words it as clients know it.
    if (result.data === undefined) return undefined;
    return result.errors === undefined ? result : { data: result.data, errors: result.errors.map(asGraphQLError) };
  }

  /** `undefined` when they do not fit their types. */
  private variablesFor({ checked }: Compiled, { variables = {} }: Operation): Record<string, unknown> | undefined {
    if (checked.length === 0) return variables;
    const { coerced } = getVariableValues(this.schema, checked, variables);
    return coerced && { ...variables, ...coerced };
  }

  private compiledFor({ document, operation }: Operation): Compiled | null {
    if (operation?.operation !== OperationTypeNode.QUERY) return null;
    let known = this.known.get(document);
    if (!known) this.known.set(document, (known = { runs: 0, compiled: new Map() }));
    const name = operation.name?.value ?? '';
    let compiled = known.compiled.get(name);
    if (compiled === undefined && ++known.runs >= RUNS_BEFORE_COMPILING) {
      const isLong = (document.loc?.source.body.length ?? 0) > LONGEST_COMPILED_CHARACTERS;
      compiled = isLong ? null : this.compile(document, operation);
      known.compiled.set(name, compiled);
    }
    return compiled ?? null;
  }

  private compile(document: DocumentNode, operation: OperationDefinitionNode): Compiled | null {
    const checked: VariableDefinitionNode[] = [];
    const variableDefinitions = operation.variableDefinitions?.map((definition): VariableDefinitionNode => {
      const type = typeFromAST(this.schema, definition.type as NamedTypeNode);
      if (type === undefined || !containsItself(getNamedType(type), [])) return definition;
      checked.push(definition);
      const name: NameNode = { kind: Kind.NAME, value: CHECKED.name };
      return { ...definition, type: { kind: Kind.NAMED_TYPE, name }, defaultValue: undefined };
    });
    const definitions = document.definitions.map((one) =>
      one === operation ? { ...operation, variableDefinitions } : one,
    );
    // The type that stands in must not be seen.
    if (checked.length > 0 && /__(?:schema|type)\b/.test(document.loc?.source.body ?? '')) return null;
    const schema = checked.length > 0 ? this.schemaWithChecked() : this.schema;
    const made = compileQuery(schema, { ...document, definitions }, operation.name?.value);
    return isCompiledQuery(made) ? { query: made.query, checked } : null;
  }

  private schemaWithChecked(): GraphQLSchema {
    if (!this.withChecked) {
      const config = this.schema.toConfig();
      this.withChecked = new GraphQLSchema({ ...config, types: [...config.types, CHECKED] });
    }
    return this.withChecked;
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

/**
 * Answers compiled queries in Apollo's place. Not as its `gateway`: there Apollo makes an object with accessors for each
 * request, whose hidden class lives in the old generation and keeps the whole request alive until the next major
 * collection, which took a tenth of all processor time.
 */
export function answerCompiled<TContext extends { requestId?: string }>(
  operations: CompiledOperations,
  formatError: ErrorFormatter,
): NonNullable<GraphQLRequestListener<TContext>['responseForOperation']> {
  return async ({ document, operation, request, contextValue }) => {
    const result = await operations.execute({ document, operation, variables: request.variables, contextValue });
    if (result === undefined) return null;
    const errors = result.errors?.map((error) => formatError(formatted(error), error, contextValue.requestId));
    const singleResult = errors === undefined ? { data: result.data } : { data: result.data, errors };
    return { http: { status: undefined, headers: new HeaderMap() }, body: { kind: 'single', singleResult } };
  };
}

/** As Apollo hands errors to its `formatError`. */
function formatted(error: GraphQLError): GraphQLFormattedError {
  const { http: _, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions: { code: 'INTERNAL_SERVER_ERROR', ...extensions } };
}
