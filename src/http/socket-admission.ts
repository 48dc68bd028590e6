import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../kernel/errors/domain-error';
import type { Authenticate, Caller } from './authentication';
import { isLoopback } from './listening';

export interface AdmissionOptions {
  path: string;
  authenticate: Authenticate;
  hasAuthentication: boolean;
  corsOrigins: readonly string[];
  /** Connections and subscriptions that one address may begin. */
  rateLimit?: { max: number; windowMs: number };
  isBehindProxy?: boolean;
}

const MAX_CONNECTIONS = 1_000;
const MAX_CONNECTIONS_PER_ADDRESS = 100;
const KEPT_ADDRESSES = 10_000;

/** Who may connect: the checks that the other requests go through in Fastify. */
export class SocketAdmission {
  private readonly connections = new Map<string, number>();
  private readonly counts = new LRUCache<string, { used: number; resetsAt: number }>({ max: KEPT_ADDRESSES });

  constructor(
    private readonly options: AdmissionOptions,
    private readonly open: ReadonlySet<unknown>,
  ) {}

  /** @throws DomainError why not */
  admit(request: IncomingMessage): { address: string; caller: Caller | undefined } {
    const { path, hasAuthentication, authenticate } = this.options;
    if (request.url?.split('?', 1)[0] !== path) {
      throw new DomainError('NOT_FOUND', `There is no WebSocket here; subscriptions are served at ${path}.`);
    }
    const host = this.hostOf(request);
    if (!hasAuthentication && !isLoopback(host.replace(/:\d+$/, ''))) {
      throw new DomainError(
        'FORBIDDEN',
        `Without authentication this server answers to localhost and 127.0.0.1 only, not to ${JSON.stringify(host)}.`,
      );
    }
    this.checkOrigin(request.headers.origin, host);
    const address = this.addressOf(request);
    this.count(address);
    if (this.open.size >= MAX_CONNECTIONS) {
      throw new DomainError('RATE_LIMITED', 'This server has as many connections as it takes; try again later.');
    }
    if ((this.connections.get(address) ?? 0) >= MAX_CONNECTIONS_PER_ADDRESS) {
      throw new DomainError('RATE_LIMITED', `One address has at most ${MAX_CONNECTIONS_PER_ADDRESS} connections.`);
    }
    // Browsers cannot send headers here; they introduce themselves in their first message.
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const isIntroduced = !hasAuthentication || authorization !== undefined || apiKey !== undefined;
    return { address, caller: isIntroduced ? authenticate(request.headers) : undefined };
  }

  enter(address: string): void {
    this.connections.set(address, (this.connections.get(address) ?? 0) + 1);
  }

  leave(address: string): void {
    const left = (this.connections.get(address) ?? 1) - 1;
    if (left === 0) this.connections.delete(address);
    else this.connections.set(address, left);
  }

  /** Counts a connection or a subscription against the address. @throws RATE_LIMITED */
  count(address: string): void {
    const { rateLimit } = this.options;
    if (rateLimit === undefined) return;
    const now = Date.now();
    let count = this.counts.get(address);
    if (count === undefined || count.resetsAt <= now) {
      count = { used: 0, resetsAt: now + rateLimit.windowMs };
      this.counts.set(address, count);
    }
    if (++count.used <= rateLimit.max) return;
    const retryAfterMs = count.resetsAt - now;
    throw new DomainError(
      'RATE_LIMITED',
      `More than ${rateLimit.max} requests; try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
      { retryable: true, details: { retryAfterMs } },
    );
  }

  /** Sockets know no CORS: any page could connect, with what the browser knows of this server. */
  private checkOrigin(origin: string | undefined, host: string): void {
    const { corsOrigins } = this.options;
    if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    throw new DomainError('FORBIDDEN', `Pages of ${origin} may not connect; KINDRED_CORS_ORIGINS can let them in.`);
  }

  private hostOf({ headers }: IncomingMessage): string {
    const forwarded = this.options.isBehindProxy === true ? first(headers['x-forwarded-host']) : undefined;
    return forwarded ?? headers.host ?? '';
  }

  private addressOf({ headers, socket }: IncomingMessage): string {
    const forwarded = this.options.isBehindProxy === true ? first(headers['x-forwarded-for']) : undefined;
    return forwarded ?? socket.remoteAddress ?? '';
  }
}

/** Of a header that proxies prolong. */
function first(header: string | string[] | undefined): string | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0]?.trim();
  return value === '' ? undefined : value;
}
