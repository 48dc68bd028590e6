import { randomUUID } from 'node:crypto';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from 'pino';
import { DomainError } from '../kernel/errors/domain-error';
import {
  createAuthenticator,
  isAuthenticationConfigured,
  type AuthenticationSettings,
  type Caller,
} from './authentication';
import { answerError, answerNotFound } from './error-answer';
import { mountExplorer, wantsPage } from './explorer/explorer';
import {
  createGraphQLServer,
  KeptOperations,
  type CallerContext,
  type GraphQLServerOptions,
  type RequestFacts,
} from './graphql-server';
import { isLoopback, listen, refuseUnsafeListen } from './listening';
import { mountHealth, READINESS_TIMEOUT_MS } from './health';
import { mountMetrics, type MetricsPage } from './metrics';
import { createReadiness, type ReadinessCheck } from './readiness';
import { securityHeaders } from './security-headers';
import { acceptSubscriptions, type Subscriptions } from './subscriptions';

export interface HttpServerOptions<TContext extends CallerContext> extends GraphQLServerOptions<TContext> {
  makeContext: (request: RequestFacts) => TContext | Promise<TContext>;
  authentication: AuthenticationSettings;
  /** Origins whose pages may call, e.g. `https://app.example.org`; `*` for all. */
  corsOrigins: readonly string[];
  maxBodyBytes: number;
  /** Requests that one address may make; no limit when absent. */
  rateLimit?: { max: number; windowMs: number };
  /** Whether `X-Forwarded-For` of a proxy in front is to be believed. */
  isBehindProxy?: boolean;
  /** By the name that `/health/ready` reports. */
  readiness: Readonly<Record<string, ReadinessCheck>>;
  readinessTimeoutMs?: number;
  /** Served at `/metrics` where it is given. */
  metrics?: MetricsPage;
  /** Told of every answer: the path as it was declared. */
  onAnswered?: (route: string, method: string, status: number, durationMs: number) => void;
  /** Adds hooks, before any other. */
  instrument?: (app: FastifyInstance) => void;
}

export interface HttpServer<TContext extends CallerContext> {
  /** For more routes before `listen`, and `inject` in tests. */
  app: FastifyInstance;
  apollo: ApolloServer<TContext>;
  /** @returns the address, e.g. `http://127.0.0.1:4000`; throws as `listen` and `refuseUnsafeListen` do */
  listen(where: { host: string; port: number }): Promise<string>;
  /** Forgets the operations that clients have asked, with whatever they wrote into them. */
  forget(): void;
  /** Accepts nothing more, lets running requests end within `deadlineMs`, then cuts them off. May be called again. */
  close(deadlineMs?: number): Promise<void>;
}

const GRAPHQL_PATH = '/graphql';
const CLOSE_DEADLINE_MS = 10_000;
const SUBSCRIPTION_GRACE_MS = 1_000;

declare module 'fastify' {
  interface FastifyRequest {
    /** Known once a request to the GraphQL path was authenticated. */
    caller: Caller | null;
  }
}

/** The HTTP side: GraphQL at `/graphql` (its explorer for browsers), health under `/health`. Not listening yet. */
export async function buildHttpServer<TContext extends CallerContext>(
  options: HttpServerOptions<TContext>,
): Promise<HttpServer<TContext>> {
  const authenticate = createAuthenticator(options.authentication);
  const hasAuthentication = isAuthenticationConfigured(options.authentication);
  const state = { isClosing: false };
  // Widened, or the instance would have pino's type in its own and fit no plugin's.
  const baseLogger: FastifyBaseLogger = options.logger;
  const app = fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // Lines name their request themselves: a logger of its own for each costs more than the one line it writes.
    childLoggerFactory: (logger) => logger,
    bodyLimit: options.maxBodyBytes,
    trustProxy: options.isBehindProxy ?? false,
    genReqId: ({ headers }) => readRequestId(headers['x-request-id']) ?? randomUUID(),
  });
  app.decorateRequest('caller', null);
  readJsonStrictly(app);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);
  secureAnswers(app);
  options.instrument?.(app);
  logRequests(app, state);
  const { onAnswered } = options;
  if (onAnswered) {
    app.addHook('onResponse', (request, reply, done) => {
      onAnswered(request.routeOptions.url ?? 'none', request.method, reply.statusCode, reply.elapsedTime);
      done();
    });
  }
  if (!hasAuthentication) refuseForeignHosts(app);

  // Without an allowed origin there is nothing to say: browsers refuse foreign pages by themselves.
  if (options.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['Content-Type', 'Authorization', 'X-Api-Key', 'X-Request-Id', 'Apollo-Require-Preflight'],
      exposedHeaders: ['X-Request-Id', 'Retry-After'],
      maxAge: 600,
    });
  }
  if (options.rateLimit !== undefined) {
    await app.register(rateLimit, {
      max: options.rateLimit.max,
      timeWindow: options.rateLimit.windowMs,
      errorResponseBuilder: (_request, { max, ttl }) =>
        new DomainError('RATE_LIMITED', `More than ${max} requests; try again in ${Math.ceil(ttl / 1000)} s.`, {
          retryable: true,
          details: { retryAfterMs: ttl },
        }),
    });
  }

  const kept = new KeptOperations(options.schema);
  const apollo = createGraphQLServer(options, kept);
  await apollo.start();
  const explorer = await mountExplorer(app);
  const execute = fastifyApolloHandler(apollo, {
    context: async (request: FastifyRequest) =>
      options.makeContext({
        ...(request.caller ?? authenticate(request.headers)),
        requestId: request.id,
      }),
  }) as (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  app.route({
    method: ['GET', 'POST'],
    url: GRAPHQL_PATH,
    preParsing: (request, _reply, _payload, done) => {
      try {
        if (!wantsPage(request)) request.caller = authenticate(request.headers);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    handler: (request, reply) => (wantsPage(request) ? explorer.answer(request, reply) : execute(request, reply)),
  });
  app.get('/', { config: { rateLimit: false } }, (_request, reply) => reply.redirect(GRAPHQL_PATH));
  if (options.metrics) mountMetrics(app, options.metrics, authenticate);
  mountHealth(app, createReadiness(options.readiness, options.readinessTimeoutMs ?? READINESS_TIMEOUT_MS), state);

  const subscriptions = acceptSubscriptions(app.server, {
    ...options,
    path: GRAPHQL_PATH,
    authenticate,
    hasAuthentication,
  });

  let closing: Promise<void> | undefined;
  return {
    app,
    apollo,
    forget: () => kept.clear(),
    listen: async (where) => {
      refuseUnsafeListen({ host: where.host, hasAuthentication });
      return listen(app, where);
    },
    close: (deadlineMs = CLOSE_DEADLINE_MS) => {
      state.isClosing = true;
      closing ??= closeWithin(app, apollo, subscriptions, deadlineMs);
      return closing;
    },
  };
}

function secureAnswers(app: FastifyInstance): void {
  const headers = securityHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
}

/** Bodies that are not UTF-8 are refused, where Fastify would put `�` for what it cannot read and go on. */
function readJsonStrictly(app: FastifyInstance): void {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = decoder.decode(body as Buffer);
    } catch {
      return done(new DomainError('BAD_INPUT', "The request's body is not valid UTF-8."));
    }
    return parseJson(request, text, done);
  });
}

async function closeWithin(
  app: FastifyInstance,
  apollo: { stop(): Promise<void> },
  subscriptions: Subscriptions,
  deadlineMs: number,
): Promise<void> {
  const deadline = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
  try {
    // Streams would never end by themselves.
    await Promise.all([app.close(), subscriptions.close(Math.min(deadlineMs, SUBSCRIPTION_GRACE_MS))]);
    await apollo.stop();
  } finally {
    clearTimeout(deadline);
  }
}

/** One line a request, after its answer. Never the query string or a body: they hold what people search for. */
function logRequests(app: FastifyInstance, state: { isClosing: boolean }): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    void reply.header('x-request-id', request.id);
    // A kept connection would outlive the shutdown.
    if (state.isClosing) void reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.url.split('?', 1)[0];
    const level = path?.startsWith('/health/') === true ? 'debug' : 'info';
    if (!(request.log as Logger).isLevelEnabled(level)) return done();
    const line = {
      reqId: request.id,
      method: request.method,
      path,
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ...(request.caller === null ? {} : { actor: request.caller.actor }),
    };
    request.log[level](line, 'request');
    done();
  });
}

/**
 * Without authentication the server trusts whoever is on this machine, and a page in this machine's browser must not
 * count: one that has its own name resolve to 127.0.0.1 is same-origin for the browser, but names itself as host.
 */
function refuseForeignHosts(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const host = request.hostname;
    if (isLoopback(host)) return done();
    done(
      new DomainError(
        'FORBIDDEN',
        `Without authentication this server answers to localhost and 127.0.0.1 only, not to ${JSON.stringify(host)}.`,
      ),
    );
  });
}

/** A caller's own id is kept when it can do no harm in a log or a header. */
function readRequestId(given: unknown): string | undefined {
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : undefined;
}
