import http from 'node:http';
import { HttpServer } from '../../../../src/adapters/embedded-qdrant/server/http-server';
import type { Engine } from '../../../../src/adapters/embedded-qdrant/engine/engine';

export interface Answer {
  status: number;
  /** Parsed when it is JSON, else the text. */
  body: { result?: unknown; status?: unknown; text?: string } & Record<string, unknown>;
}

export interface RawRequest {
  method: string;
  path: string;
  headers?: http.OutgoingHttpHeaders;
  /** Sent as it stands, anything but text and bytes as JSON. */
  body?: unknown;
}

/** One request on a connection of its own. */
export function send(port: number, { method, path, headers, body }: RawRequest): Promise<Answer> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false as const, headers: { ...type, ...headers } };
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = (response.headers['content-type'] ?? '').includes('json');
        resolve({ status: response.statusCode ?? 0, body: isJson ? (JSON.parse(text) as Answer['body']) : { text } });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/** The HTTP side over an engine in this thread, for tests of what a request is answered. */
export async function serve(
  engine: Engine,
  apiKey?: string,
): Promise<{ port: number; faults: string[]; close(): Promise<void> }> {
  const faults: string[] = [];
  const server = new HttpServer({ engine, host: '127.0.0.1', port: 0, apiKey, onFault: (fault) => faults.push(fault) });
  const port = await server.listen();
  return { port, faults, close: () => server.close() };
}

export const errorOf = ({ body }: Answer): string => (body.status as { error: string }).error;
