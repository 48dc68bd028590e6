import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createDeterministicEmbedder } from '../../../src/adapters/deterministic-model';
import type { Embedder } from '../../../src/kernel/model/embedder';
import type { Counters } from '../counters';
import type { Random } from '../../support/random';
import { POISON } from '../writers/texts';

/** The first is live in the beginning; vectors of one mean nothing to the other. */
export const MODELS = [
  { name: 'chaos-model', dimensions: 24, maxTokens: 96 },
  { name: 'chaos-model-next', dimensions: 16, maxTokens: 96 },
] as const;
export type ChaosModelName = (typeof MODELS)[number]['name'];

/** What the model makes of texts. */
export const chaosEmbedders: Readonly<Record<ChaosModelName, Embedder>> = {
  'chaos-model': createDeterministicEmbedder({ dimensions: MODELS[0].dimensions }),
  'chaos-model-next': createDeterministicEmbedder({ dimensions: MODELS[1].dimensions, version: '2' }),
};

export const embeddingFaults = [
  'status 429 with Retry-After',
  'status 429',
  'status 500',
  'hang',
  'slow',
  'reset',
  'wrong dimensions',
  'not a number',
  'too few vectors',
  'not JSON',
] as const;
export type EmbeddingFault = (typeof embeddingFaults)[number];

interface EmbeddingRequest {
  model: ChaosModelName;
  input: string[];
  encoding_format?: 'base64' | 'float';
}

/** An OpenAI-compatible endpoint whose vectors follow from the text, and which fails in the ways that they fail. */
export class EmbeddingServer {
  /** Whether texts with a certain word are refused for good, so that they become dead letters. */
  refusesPoison = true;
  private fault: EmbeddingFault | undefined;
  private share = 0;
  /** Requests that the present fault, or the one before, has hit. */
  hits = 0;
  private readonly held = new Set<ServerResponse>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly server = createServer((request, response) => void this.handle(request, response));

  constructor(
    private readonly random: Random,
    private readonly counters: Counters,
  ) {}

  /** @returns the base URL */
  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  inject(fault: EmbeddingFault, share: number): void {
    this.fault = fault;
    this.share = share;
    this.hits = 0;
  }

  clear(): void {
    this.fault = undefined;
    for (const response of this.held) response.socket?.destroy();
    this.held.clear();
  }

  async close(): Promise<void> {
    this.clear();
    for (const timer of this.timers) clearTimeout(timer);
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      await this.answer(JSON.parse(Buffer.concat(chunks).toString('utf8')) as EmbeddingRequest, response);
    } catch {
      response.socket?.destroy();
    }
  }

  private async answer(request: EmbeddingRequest, response: ServerResponse): Promise<void> {
    if (this.refusesPoison && request.input.some((text) => text.includes(POISON))) {
      this.counters.fault('model: text refused for good');
      return reply(response, 400, { error: { message: 'This text is refused.', type: 'invalid_request_error' } });
    }
    const fault = this.fault !== undefined && this.random.chance(this.share) ? this.fault : undefined;
    if (fault !== undefined) {
      this.hits++;
      this.counters.fault(`model: ${fault}`);
    }
    const vectors = await chaosEmbedders[request.model].embed(request.input, { purpose: 'document' });
    switch (fault) {
      case undefined:
        return reply(response, 200, answerOf(vectors, request));
      case 'status 429 with Retry-After':
        response.setHeader('retry-after', '1');
        return reply(response, 429, { error: { message: 'Rate limit reached.', type: 'requests' } });
      case 'status 429':
        return reply(response, 429, { error: { message: 'Rate limit reached.', type: 'requests' } });
      case 'status 500':
        return reply(response, 500, { error: { message: 'The server had an error.', type: 'server_error' } });
      case 'hang':
        this.held.add(response);
        return;
      case 'slow': {
        const timer = setTimeout(
          () => {
            this.timers.delete(timer);
            reply(response, 200, answerOf(vectors, request));
          },
          this.random.int(100, 1_200),
        );
        this.timers.add(timer);
        return;
      }
      case 'reset':
        response.socket?.destroy();
        return;
      case 'wrong dimensions':
        return reply(
          response,
          200,
          answerOf(
            vectors.map((vector) => vector.subarray(1)),
            request,
          ),
        );
      case 'not a number':
        return reply(
          response,
          200,
          answerOf(
            vectors.map((vector) => vector.with(0, Number.NaN)),
            request,
          ),
        );
      case 'too few vectors':
        return reply(response, 200, answerOf(vectors.slice(1), request));
      case 'not JSON':
        response.end('<html>Sign in to the network</html>');
        return;
    }
  }
}

function answerOf(vectors: readonly Float32Array[], { model, encoding_format: format }: EmbeddingRequest): object {
  return {
    object: 'list',
    model,
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding:
        format === 'base64'
          ? Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
          : [...vector],
    })),
    usage: { prompt_tokens: 0, total_tokens: 0 },
  };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
