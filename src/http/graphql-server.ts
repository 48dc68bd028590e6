import { ApolloServer, type ApolloServerPlugin, type GraphQLRequestListener } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, OperationTypeNode, type DocumentNode, type GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { DomainError } from '../kernel/errors/domain-error';
import type { Role } from '../kernel/graphql/context';
import type { ErrorFormatter } from '../kernel/graphql/format-error';
import { hasRole, type Caller } from './authentication';
import { answerCompiled, CompiledOperations } from './compiled-operations';
import { createCostCheck, type CostLimits } from './limits/cost';
import { limitShape, type ShapeLimits } from './limits/shape-rule';

export interface GraphQLLimits extends ShapeLimits, CostLimits {
  /** Words and signs of a document, beyond which it is not even parsed. */
  maxTokens: number;
}

/** The least that a context says: who may do what, and which request it is that asks. */
export interface CallerContext {
  role: Role;
  requestId?: string;
}

/** What a request tells the context that its resolvers get. */
export interface RequestFacts extends Caller {
  requestId: string;
}

export interface GraphQLServerOptions<TContext extends CallerContext> {
  schema: GraphQLSchema;
  limits: GraphQLLimits;
  logger: Logger;
  formatError: ErrorFormatter;
  /** Whether queries that come again are compiled. */
  isJitEnabled?: boolean;
  plugins?: ApolloServerPlugin<TContext>[];
}

/** Source text whose parsed form is kept; a parsed document takes some 30 times its text. */
const KEPT_DOCUMENT_CHARACTERS = 1_000_000;

/** Operations that were asked, parsed and compiled. They hold what clients wrote into them instead of into variables. */
export class KeptOperations {
  readonly documents = new LRUCache<string, DocumentNode>({
    maxSize: KEPT_DOCUMENT_CHARACTERS,
    sizeCalculation: (document) => document.loc?.source.body.length || 1,
  });
  readonly compiled: CompiledOperations;

  constructor(schema: GraphQLSchema) {
    this.compiled = new CompiledOperations(schema);
  }

  clear(): void {
    this.documents.clear();
    this.compiled.clear();
  }
}

/** Apollo with the limits, the roles and nothing that reports anywhere. Not started yet. */
export function createGraphQLServer<TContext extends CallerContext>(
  options: GraphQLServerOptions<TContext>,
  kept = new KeptOperations(options.schema),
): ApolloServer<TContext> {
  const { documents } = kept;
  // Apollo's `formatError` is not told whose error it is.
  const requestIds = new WeakMap<object, string>();
  return new ApolloServer<TContext>({
    schema: options.schema,
    logger: options.logger,
    formatError: (formatted, error) => options.formatError(formatted, error, requestIds.get(error as object)),
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: false,
    parseOptions: { maxTokens: options.limits.maxTokens },
    validationRules: [limitShape(options.limits)],
    documentStore: {
      get: (key: string) => Promise.resolve(documents.get(key)),
      set: (key: string, document: DocumentNode) => Promise.resolve(void documents.set(key, document)),
      delete: (key: string) => Promise.resolve(documents.delete(key)),
    },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      operationHooks(options, kept.compiled, requestIds),
      ...(options.plugins ?? []),
    ],
  });
}

/** Made once, in one plugin: Apollo waits for every hook of every plugin, with every request. */
function operationHooks<TContext extends CallerContext>(
  options: GraphQLServerOptions<TContext>,
  compiled: CompiledOperations,
  requestIds: WeakMap<object, string>,
): ApolloServerPlugin<TContext> {
  const { schema, limits, formatError, isJitEnabled, logger } = options;
  const checkCost = createCostCheck(schema, limits);
  const hooks: Promise<GraphQLRequestListener<TContext>> = Promise.resolve({
    didResolveOperation: ({ document, operation, request, contextValue }) => {
      if (operation === undefined) return DONE;
      checkCost(document, operation, request.variables ?? {});
      checkOperationType(operation.operation, contextValue.role);
      return DONE;
    },
    didEncounterErrors: ({ errors, contextValue: { requestId } }) => {
      if (requestId !== undefined) for (const error of errors) requestIds.set(error, requestId);
      return DONE;
    },
    ...(isJitEnabled === true ? { responseForOperation: answerCompiled(compiled, formatError) } : {}),
  });
  return {
    requestDidStart: () => hooks,
    // A hook failed. What Apollo makes of it says nothing of the cause.
    unexpectedErrorProcessingRequest: ({ requestContext, error }) => {
      logger.error({ err: error, reqId: requestContext.contextValue.requestId }, 'a request failed');
      return DONE;
    },
  };
}

const DONE = Promise.resolve();

/** Every mutation needs a writer, whatever its own field asks for beyond that; subscriptions need a socket. */
function checkOperationType(type: OperationTypeNode, role: Role): void {
  if (type === OperationTypeNode.QUERY) return;
  if (type === OperationTypeNode.SUBSCRIPTION) {
    throw refusal(
      'BAD_INPUT',
      400,
      'A subscription needs a WebSocket: connect to this address with the protocol graphql-transport-ws.',
    );
  }
  if (hasRole(role, 'writer')) return;
  throw refusal(
    'FORBIDDEN',
    403,
    'Your role, reader, may not change anything; a mutation needs the role writer or admin.',
  );
}

function refusal(code: 'BAD_INPUT' | 'FORBIDDEN', status: number, message: string): GraphQLError {
  return new GraphQLError(message, {
    originalError: new DomainError(code, message),
    extensions: { code, http: { status } },
  });
}
