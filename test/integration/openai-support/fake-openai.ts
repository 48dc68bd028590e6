import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EmbeddingRequest {
  input: string[];
  model: string;
  dimensions?: number;
  encoding_format?: 'base64' | 'float';
}

/** Answers in place of the normal one, and returns true; or returns false to let the normal answer happen. */
export type Fault = (request: EmbeddingRequest, response: ServerResponse) => boolean;

export interface FakeOpenAi {
  baseUrl: string;
  requests: EmbeddingRequest[];
  /** When each of them came, on the clock of `performance.now()`. */
  arrivedAt: number[];
  authorizations: (string | undefined)[];
  /** The largest number of requests that were being answered at one time. */
  mostAtOnce: number;
  /** Used up one a request, the first first. */
  faults: Fault[];
  /** While set, requests wait for it before they are answered. */
  gate: Promise<void> | undefined;
  close(): Promise<void>;
}

export const DIMENSIONS = 8;

/** The vector that the server gives for a text, before normalisation: different for different texts, never zero. */
export function rawVector(text: string, dimensions = DIMENSIONS): number[] {
  const vector = new Array<number>(dimensions).fill(0.5);
  for (let i = 0; i < text.length; i++) {
    vector[i % dimensions] = (vector[i % dimensions] as number) + ((text.charCodeAt(i) * (i + 1)) % 97);
  }
  return vector.map(Math.fround);
}

export function fail(status: number, error: Record<string, unknown>, headers: Record<string, string> = {}): Fault {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error }));
    return true;
  };
}

export function answer(make: (request: EmbeddingRequest) => unknown): Fault {
  return (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const body = make(request);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
    return true;
  };
}

/** A text that starts with this is longer than the model takes. */
export const TOO_LONG = 'TOO LONG';

/** A server that speaks the embeddings part of OpenAI's API: limits, base64, errors as OpenAI words them. */
export async function startFakeOpenAi(): Promise<FakeOpenAi> {
  let atOnce = 0;
  const server = createServer((request, response) => {
    fake.arrivedAt.push(performance.now());
    atOnce++;
    fake.mostAtOnce = Math.max(fake.mostAtOnce, atOnce);
    response.once('close', () => atOnce--);
    void handle(request, response);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as EmbeddingRequest;
    fake.requests.push(body);
    fake.authorizations.push(request.headers.authorization);
    await fake.gate;
    const fault = fake.faults.shift();
    if (fault?.(body, response)) return;
    if (body.input.some((text) => text.startsWith(TOO_LONG))) {
      const message =
        "This model's maximum context length is 8192 tokens, however you requested 9001 tokens (9001 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.";
      fail(400, { message, type: 'invalid_request_error', param: null, code: null })(body, response);
      return;
    }
    const data = body.input.map((text, index) => {
      const vector = rawVector(text, body.dimensions);
      const bytes = Buffer.alloc(vector.length * 4);
      vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
      return {
        object: 'embedding',
        index,
        embedding: body.encoding_format === 'base64' ? bytes.toString('base64') : vector,
      };
    });
    answer(() => ({ object: 'list', model: body.model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }))(
      body,
      response,
    );
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeOpenAi = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: [],
    arrivedAt: [],
    authorizations: [],
    mostAtOnce: 0,
    faults: [],
    gate: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}
