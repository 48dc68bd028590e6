import { createHash, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import { isUtf8 } from 'node:buffer';
import type { AddressInfo } from 'node:net';
import type { Engine } from '../engine/engine';
import type { Json } from '../json/json-value';
import { parseJson } from '../json/parse-json';
import { QdrantError } from '../qdrant-error';
import { createRouter } from './routes';
import { QueryParameters } from './request';
import type { Router } from './router';
import { VERSION_INFO } from './service-handlers';

export interface HttpServerOptions {
  engine: Engine;
  host: string;
  /** 0 takes any free port. */
  port: number;
  apiKey: string | undefined;
  /** Told of every request that ends in a 5xx for an unexpected reason. */
  onFault: (message: string) => void;
}

/** As Qdrant's `max_request_size_mb`. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

const HEALTH: Record<string, string> = {
  '/healthz': 'healthz check passed',
  '/livez': 'livez check passed',
  '/readyz': 'all shards are ready',
};

/** Speaks Qdrant's REST API over HTTP. */
export class HttpServer {
  private readonly server: http.Server;
  private readonly router: Router = createRouter();
  private readonly keyDigest: Buffer | undefined;

  constructor(private readonly options: HttpServerOptions) {
    this.keyDigest = options.apiKey === undefined ? undefined : digest(options.apiKey);
    this.server = http.createServer((request, response) => void this.serve(request, response));
    // Longer than clients keep idle connections, so that they close first and never write into a closing one.
    this.server.keepAliveTimeout = 75_000;
    this.server.requestTimeout = 120_000;
  }

  /** @returns the port */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port, this.options.host, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Lets requests under way finish, for at most a second. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.server.closeAllConnections(), 1000);
      this.server.close(() => {
        clearTimeout(patience);
        resolve();
      });
      this.server.closeIdleConnections();
    });
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const start = performance.now();
    const { path, query } = splitTarget(request.url ?? '/');
    try {
      if (this.servedPlainly(request, response, path)) return;
      this.authorise(request);
      const result = await this.answer(request, path, query);
      send(response, 200, `{"result":${result},"status":"ok","time":${seconds(start)}}`);
    } catch (error) {
      const { status, message } = this.refusal(error, request, path);
      send(response, status, `{"status":{"error":${JSON.stringify(message)}},"time":${seconds(start)}}`);
    }
  }

  private async answer(request: http.IncomingMessage, path: string, query: string): Promise<string> {
    const method = request.method ?? 'GET';
    const match = this.router.match(method, path);
    if (typeof match === 'string') {
      if (match === 'no such path') throw new QdrantError(404, `Not found: ${path} is not part of Qdrant's API`);
      throw new QdrantError(405, `${method} is not a method of ${path}`);
    }
    const body = await readBody(request);
    const parameters = new QueryParameters(new URLSearchParams(query));
    parameters.check(match.route.parameters);
    return match.route.handler({ engine: this.options.engine, path: match.path, query: parameters, body });
  }

  /** Version, health and metrics stand outside the envelope; all but metrics need no key. */
  private servedPlainly(request: http.IncomingMessage, response: http.ServerResponse, path: string): boolean {
    if (request.method !== 'GET') return false;
    const health = HEALTH[path];
    if (path === '/') send(response, 200, VERSION_INFO);
    else if (health !== undefined) send(response, 200, health, 'text/plain; charset=utf-8');
    else if (path === '/metrics') {
      this.authorise(request);
      send(response, 200, this.metrics(), 'text/plain; charset=utf-8');
    } else return false;
    return true;
  }

  private metrics(): string {
    const { engine } = this.options;
    const names = engine.names();
    const points = names.map((name) => `collection_points{id=${JSON.stringify(name)}} ${engine.find(name).pointCount}`);
    const lines = ['# TYPE app_info gauge', 'app_info{name="qdrant",version="embedded"} 1'];
    lines.push('# TYPE collections_total gauge', `collections_total ${names.length}`);
    lines.push('# TYPE collection_points gauge', ...points);
    lines.push('# TYPE vector_memory_bytes gauge', `vector_memory_bytes ${engine.vectorBytes}`);
    return `${lines.join('\n')}\n`;
  }

  private authorise(request: http.IncomingMessage): void {
    if (this.keyDigest === undefined) {
      refuseForeignHost(request, this.options.host);
      return;
    }
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const header = request.headers['api-key'];
    const key = (Array.isArray(header) ? header[0] : header) ?? bearer;
    if (key === undefined) throw new QdrantError(401, 'Must provide an API key or an Authorization bearer token');
    if (!timingSafeEqual(digest(key), this.keyDigest)) throw new QdrantError(401, 'Invalid API key or JWT');
  }

  private refusal(error: unknown, request: http.IncomingMessage, path: string): { status: number; message: string } {
    if (error instanceof QdrantError) return error;
    // The client went away in the middle of its request: nobody is left to answer, and nothing is wrong here.
    if (request.destroyed && !request.complete) return { status: 400, message: 'the request was cut off' };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.options.onFault(`${request.method ?? ''} ${path} failed: ${message}`);
    const short = error instanceof Error ? error.message : 'unexpected failure';
    return { status: 500, message: `Service internal error: ${short}` };
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const seconds = (start: number): string => ((performance.now() - start) / 1000).toFixed(9);

function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const isTrailing = path.length > 1 && path.endsWith('/');
  return { path: isTrailing ? path.slice(0, -1) : path, query: mark < 0 ? '' : target.slice(mark + 1) };
}

function send(response: http.ServerResponse, status: number, text: string, type = 'application/json'): void {
  if (response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

/** A web page can point a name of its own at this machine; without a key only local names are answered. */
function refuseForeignHost(request: http.IncomingMessage, boundTo: string): void {
  const host = (request.headers.host ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  const isLocal = host === '' || host === 'localhost' || host === '::1' || host === boundTo || host.startsWith('127.');
  if (!isLocal) throw new QdrantError(403, `Host \`${host}\` is not this server: use its address, or set an API key`);
}

async function readBody(request: http.IncomingMessage): Promise<Json | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) throw tooLarge(declared);
  const chunks: Buffer[] = [];
  let length = 0;
  // The request must outlive a refusal, or its answer has no connection to go out on.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge(length);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    throw new QdrantError(400, `Content type error: expected application/json, got ${type === '' ? 'none' : type}`);
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new QdrantError(415, 'Compressed request bodies are not supported by the embedded server');
  }
  const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
  if (!isUtf8(bytes)) throw new QdrantError(400, 'Format error in JSON body: invalid UTF-8');
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw new QdrantError(400, `Format error in JSON body: ${error instanceof Error ? error.message : 'malformed'}`);
  }
}

const tooLarge = (length: number): QdrantError =>
  new QdrantError(
    400,
    `Payload error: JSON payload (${length} bytes) is larger than allowed (limit: ${MAX_BODY_BYTES} bytes).`,
  );
