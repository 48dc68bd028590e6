import { once } from 'node:events';
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Counters } from '../counters';
import type { Random } from '../../support/random';

/** Longest time that a request is on its way to the vector server; a relay's recheck must be later than that. */
export const LATEST_ARRIVAL_MS = 3_000;

export const vectorFaults = [
  'slow',
  /** No answer, and nothing is done. */
  'hang',
  'status 500',
  'status 503',
  'status 429 with Retry-After',
  /** Refused as wrong, which no repetition can help. */
  'status 400',
  /** The connection is reset before anything is done. */
  'reset',
  /** Done, but the connection is reset instead of an answer. */
  'lost answer',
  /** Done, but only after its sender has given up. */
  'late',
  'cut answer',
  'not JSON',
] as const;
export type VectorFault = (typeof vectorFaults)[number];

/** Stands before the vector server, and does to requests what networks, proxies and full machines do. */
export class VectorProxy {
  private fault: VectorFault | undefined;
  private share = 0;
  /** Requests that the present fault, or the one before, has hit. */
  hits = 0;
  private readonly held = new Set<ServerResponse>();
  private underWay = 0;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly server = createServer((request, response) => void this.handle(request, response));

  constructor(
    private readonly random: Random,
    private readonly counters: Counters,
    /** Port of the vector server; it may change with a restart. */
    private readonly target: () => number,
  ) {}

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on, for this share of the requests. */
  inject(fault: VectorFault, share: number): void {
    this.fault = fault;
    this.share = share;
    this.hits = 0;
  }

  /** All is well again; what hung is cut off. */
  clear(): void {
    this.fault = undefined;
    for (const response of this.held) response.socket?.destroy();
    this.held.clear();
  }

  /** Whether every request has arrived, late ones included. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  async close(): Promise<void> {
    this.clear();
    this.server.closeAllConnections();
    this.agent.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // Its sender was killed before it had sent it.
    }
    this.underWay++;
    try {
      await this.answer(request, response, Buffer.concat(chunks));
    } catch {
      response.socket?.destroy();
    } finally {
      this.underWay--;
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const fault = this.fault !== undefined && this.random.chance(this.share) ? this.fault : undefined;
    if (fault !== undefined) {
      this.hits++;
      this.counters.fault(`vector server: ${fault}`);
    }
    switch (fault) {
      case undefined:
        return this.forward(request, body, (answer, text) => reply(response, answer.statusCode ?? 502, text));
      case 'slow':
        await delay(this.random.int(50, 600));
        return this.forward(request, body, (answer, text) => reply(response, answer.statusCode ?? 502, text));
      case 'hang':
        this.held.add(response);
        return;
      case 'status 500':
        return reply(response, 500, '{"status":{"error":"Service internal error: injected"},"time":0}');
      case 'status 503':
        return reply(response, 503, '<html>no backend</html>');
      case 'status 429 with Retry-After':
        response.setHeader('retry-after', '1');
        return reply(response, 429, '{"status":{"error":"Too many requests: injected"},"time":0}');
      case 'status 400':
        return reply(response, 400, '{"status":{"error":"Wrong input: injected"},"time":0}');
      case 'reset':
        response.socket?.destroy();
        return;
      case 'lost answer':
        return this.forward(request, body, () => response.socket?.destroy());
      case 'late':
        await delay(this.random.int(1_200, LATEST_ARRIVAL_MS));
        return this.forward(request, body, (answer, text) => reply(response, answer.statusCode ?? 502, text));
      case 'cut answer':
        return this.forward(request, body, (answer, text) => {
          response.writeHead(answer.statusCode ?? 502, { 'content-length': text.length + 10 });
          response.write(text.subarray(0, text.length / 2), () => response.socket?.destroy());
        });
      case 'not JSON':
        return reply(response, 200, '<html>Sign in to the network</html>');
    }
  }

  private forward(
    request: IncomingMessage,
    body: Buffer,
    done: (answer: IncomingMessage, text: Buffer) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const forwarded = send(
        {
          host: '127.0.0.1',
          port: this.target(),
          agent: this.agent,
          method: request.method,
          path: request.url,
          headers: { 'content-type': 'application/json', 'content-length': body.length },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            done(answer, Buffer.concat(chunks));
            resolve();
          });
        },
      );
      forwarded.on('error', reject);
      forwarded.end(body);
    });
  }
}

function reply(response: ServerResponse, status: number, body: string | Buffer): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(body);
}
