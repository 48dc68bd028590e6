import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type ExecutionArgs,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
} from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Context, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { DomainError } from '../kernel/errors/domain-error';
import type { Authenticate, Caller } from './authentication';
import { errorAnswer, statusOf } from './error-answer';
import type { CallerContext, GraphQLServerOptions, RequestFacts } from './graphql-server';
import { SocketAdmission, type AdmissionOptions } from './socket-admission';
import { createCostCheck } from './limits/cost';
import { limitShape } from './limits/shape-rule';

export interface SubscriptionOptions<TContext extends CallerContext>
  extends AdmissionOptions, Pick<GraphQLServerOptions<TContext>, 'schema' | 'limits' | 'formatError' | 'logger'> {
  makeContext: (request: RequestFacts) => TContext | Promise<TContext>;
  maxBodyBytes: number;
}

interface Connection extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  address: string;
  /** Known from the headers, or once the client has introduced itself. */
  caller: Caller | undefined;
  /** Ends the connection with the credentials. */
  expiry: NodeJS.Timeout | undefined;
}

const MAX_SUBSCRIPTIONS_PER_CONNECTION = 20;
const INIT_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 20_000;
/** A longer timer would end at once. */
const LONGEST_TIMER_MS = 2_147_483_647;
/** What a client may be told in a closing frame. */
const MAX_REASON_BYTES = 123;

export interface Subscriptions {
  /** Tells every client that the server goes away, and cuts off who has not left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * GraphQL subscriptions over WebSocket, in the protocol graphql-transport-ws. Beside Fastify, not inside it: its plugin
 * adds work to every other request. So what protects those requests is done here once more: host, origin, credentials,
 * rate, size, shape and cost.
 */
export function acceptSubscriptions<TContext extends CallerContext>(
  server: Server,
  options: SubscriptionOptions<TContext>,
): Subscriptions {
  const { logger } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxBodyBytes,
    perMessageDeflate: false,
    handleProtocols,
  });
  const admission = new SocketAdmission(options, sockets.clients);
  const graphql = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    onConnect: (context) => introduce(context, options.authenticate),
    onSubscribe: (context, _id, payload) => prepare(context, payload),
    onNext: (_context, _id, _payload, { contextValue }, { errors, ...result }): FormattedExecutionResult => ({
      ...result,
      ...(errors && { errors: errors.map((error) => format(error, contextValue)) }),
    }),
    onError: (_context, _id, _payload, errors) => errors.map((error) => format(error)),
  });
  const checkCost = createCostCheck(options.schema, options.limits);
  const rules = [...specifiedRules, limitShape(options.limits)];
  const format = (error: GraphQLError, context?: unknown): GraphQLFormattedError =>
    options.formatError(error.toJSON(), error, (context as TContext | undefined)?.requestId);

  /** What is to be run, or why it is not. */
  const prepare = async (
    { extra, subscriptions }: Context<Record<string, unknown>, Connection>,
    { query, operationName, variables }: SubscribePayload,
  ): Promise<ExecutionArgs | GraphQLError[]> => {
    try {
      admission.count(extra.address);
      if (Object.keys(subscriptions).length > MAX_SUBSCRIPTIONS_PER_CONNECTION) {
        throw new DomainError(
          'RATE_LIMITED',
          `A connection has at most ${MAX_SUBSCRIPTIONS_PER_CONNECTION} subscriptions at a time; end one first.`,
        );
      }
      const document = read(query, options.limits.maxTokens);
      const invalid = validate(options.schema, document, rules);
      if (invalid.length > 0) return invalid.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'));
      const operation = getOperationAST(document, operationName);
      if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) {
        throw new DomainError('BAD_INPUT', 'Only subscriptions are answered here; send the rest by POST.');
      }
      checkCost(document, operation, variables ?? {});
      const requestId = randomUUID();
      const caller = extra.caller as Caller;
      logger.info({ reqId: requestId, actor: caller.actor, operation: operation.name?.value }, 'subscription');
      const contextValue = await options.makeContext({ ...caller, requestId });
      return { schema: options.schema, document, operationName, variableValues: variables, contextValue };
    } catch (error) {
      return [asGraphQLError(error)];
    }
  };

  const connect = (socket: WebSocket, address: string, caller: Caller | undefined): void => {
    const connection: Connection = { socket, address, caller, expiry: undefined };
    if (caller) expire(connection, caller);
    const endPings = keepAlive(socket);
    socket.on('error', (error) => logger.debug({ err: error }, 'a socket failed'));
    const closed = graphql.opened(
      {
        protocol: socket.protocol,
        // Resolves when it was handed over, so that who reads slowly is sent less and not later.
        send: (data) => new Promise((resolve) => socket.send(data, () => resolve())),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data) => {
            handle(String(data as Buffer)).catch((error: unknown) => {
              logger.error({ err: error }, 'a message could not be answered');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      connection,
    );
    socket.once('close', (code, reason) => {
      endPings();
      clearTimeout(connection.expiry);
      admission.leave(address);
      closed(code, String(reason)).catch((error: unknown) => logger.error({ err: error }, 'a socket was not ended'));
    });
  };

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    stream.on('error', () => stream.destroy());
    let address: string;
    let caller: Caller | undefined;
    try {
      ({ address, caller } = admission.admit(request));
    } catch (error) {
      if (!(error instanceof DomainError)) logger.error({ err: error }, 'a socket could not be admitted');
      refuse(stream, error instanceof DomainError ? error : new DomainError('INTERNAL', 'Something went wrong here.'));
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      admission.enter(address);
      connect(socket, address, caller);
    });
  };
  server.on('upgrade', onUpgrade);

  return {
    close: async (graceMs) => {
      server.off('upgrade', onUpgrade);
      server.on('upgrade', (_request, stream) => stream.destroy());
      const left = [...sockets.clients].map(
        (client) =>
          new Promise<void>((resolve) => {
            client.once('close', () => resolve());
            client.close(1001, 'The server is going away');
          }),
      );
      const deadline = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, graceMs);
      await Promise.all(left);
      clearTimeout(deadline);
      sockets.close();
    },
  };
}

/** Recognises a client by the payload of its first message, unless its headers said who it is. */
function introduce(
  { extra, connectionParams }: Context<Record<string, unknown>, Connection>,
  authenticate: Authenticate,
): boolean {
  try {
    if (!extra.caller) {
      const params = Object.entries(connectionParams ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
      const { authorization, 'x-api-key': apiKey } = Object.fromEntries(params) as Record<string, unknown>;
      const caller = authenticate({
        ...(typeof authorization === 'string' && { authorization }),
        ...(typeof apiKey === 'string' && { 'x-api-key': apiKey }),
      });
      extra.caller = caller;
      expire(extra, caller);
    }
    return true;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    extra.socket.close(CloseCode.Unauthorized, shortened(error.message));
    return false;
  }
}

function expire(connection: Connection, { expiresAt }: Caller): void {
  if (expiresAt === undefined || expiresAt - Date.now() > LONGEST_TIMER_MS) return;
  connection.expiry = setTimeout(
    () => connection.socket.close(CloseCode.Forbidden, 'The token has expired'),
    Math.max(0, expiresAt - Date.now()),
  );
}

/** Ends a connection whose other side is gone without a word. @returns ends the pings */
function keepAlive(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_INTERVAL_MS);
  return () => clearInterval(timer);
}

function read(query: string, maxTokens: number): ReturnType<typeof parse> {
  try {
    return parse(query, { maxTokens });
  } catch (error) {
    throw error instanceof GraphQLError ? coded(error, 'GRAPHQL_PARSE_FAILED') : error;
  }
}

function coded(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    originalError,
    extensions: { code, ...extensions },
  });
}

function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/** An answer in place of an upgrade. */
function refuse(stream: Duplex, error: DomainError): void {
  const status = statusOf(error);
  const body = JSON.stringify(errorAnswer(error));
  stream.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'connection: close',
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

function shortened(reason: string): string {
  return Buffer.from(reason)
    .subarray(0, MAX_REASON_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
}
