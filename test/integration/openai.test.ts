import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenAiEmbedder } from '../../src/adapters/openai';
import type { OpenAiEmbedderOptions } from '../../src/adapters/openai';
import {
  ModelRejectedError,
  ModelThrottledError,
  ModelUnavailableError,
  TextTooLongError,
} from '../../src/kernel/model/embedder';
import type { Embedder } from '../../src/kernel/model/embedder';
import { answer, DIMENSIONS, fail, rawVector, startFakeOpenAi, TOO_LONG } from './openai-support/fake-openai';
import type { EmbeddingRequest, FakeOpenAi, Fault } from './openai-support/fake-openai';

const KEY = 'sk-proj-verysecret0123456789';
const document = { purpose: 'document' } as const;
const query = { purpose: 'query' } as const;

let server: FakeOpenAi;

beforeEach(async () => {
  server = await startFakeOpenAi();
});

afterEach(async () => {
  await server.close();
});

function embedder(options: Partial<OpenAiEmbedderOptions> = {}): Embedder {
  return createOpenAiEmbedder({
    apiKey: KEY,
    baseUrl: server.baseUrl,
    model: 'tiny',
    dimensions: DIMENSIONS,
    ...options,
  });
}

function expected(text: string): Float32Array {
  const raw = rawVector(text);
  const length = Math.hypot(...raw);
  return Float32Array.from(raw, (value) => value / length);
}

function expectVectors(vectors: Float32Array[], texts: string[]): void {
  expect(vectors.length).toBe(texts.length);
  for (const [i, text] of texts.entries()) {
    expect(vectors[i]?.length).toBe(DIMENSIONS);
    expected(text).forEach((value, k) => expect(vectors[i]?.[k]).toBeCloseTo(value, 5));
  }
}

const cutConnection: Fault = (_request, response) => {
  response.destroy();
  return true;
};

const list = (vectors: unknown[], request: EmbeddingRequest): unknown => ({
  data: vectors.map((embedding, index) => ({ index, embedding })),
  model: request.model,
});

describe('embedding through the API', () => {
  it('gives one normalised vector a text, in order, and sends the key', async () => {
    const texts = ['one', 'two', 'three', 'größer als 北京'];
    expectVectors(await embedder().embed(texts, document), texts);
    expect(server.authorizations).toEqual([`Bearer ${KEY}`]);
    expect(server.requests).toEqual([{ model: 'tiny', input: texts, encoding_format: 'base64' }]);
    await expect(embedder().embed([], document)).resolves.toEqual([]);
  });

  it('keeps to the limits of inputs and tokens, and puts the parts together again', async () => {
    const texts = Array.from({ length: 25 }, (_, i) => `text ${i} ${'x'.repeat((i % 5) * 30)}`);
    const limits = { maxInputs: 4, maxRequestTokens: 100 };
    expectVectors(await embedder({ limits }).embed(texts, document), texts);
    for (const { input } of server.requests) {
      expect(input.length).toBeLessThanOrEqual(4);
      expect(input.length === 1 || input.join('').length / 3 <= 100).toBe(true);
    }
    expect(server.requests.length).toBeGreaterThan(6);
  });

  it('has no more requests under way than allowed', async () => {
    let open: () => void = () => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const call = embedder({ limits: { maxInputs: 1 }, maxConcurrency: 3 }).embed([...'abcdefghij'], document);
    while (server.requests.length < 3) await new Promise((resolve) => setImmediate(resolve));
    open();
    expectVectors(await call, [...'abcdefghij']);
    expect(server.mostAtOnce).toBe(3);
  });

  it('sends a query before the documents that wait', async () => {
    let open: () => void = () => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const model = embedder({ limits: { maxInputs: 1 }, maxConcurrency: 1 });
    const documents = model.embed(['a', 'b', 'c'], document);
    const question = model.embed(['q'], query);
    open();
    await Promise.all([documents, question]);
    expect(server.requests.map(({ input }) => input[0])).toEqual(['a', 'q', 'b', 'c']);
  });

  it('accepts lists of numbers and any order from endpoints that answer so', async () => {
    server.faults.push(
      answer(({ input }) => ({
        data: input.map((text, index) => ({ index, embedding: rawVector(text) })).reverse(),
      })),
    );
    expectVectors(await embedder().embed(['one', 'two', 'three'], document), ['one', 'two', 'three']);
  });

  it('asks for numbers once an endpoint has refused base64', async () => {
    server.faults.push(fail(400, { message: "Unsupported value: 'encoding_format' base64" }));
    const model = embedder();
    expectVectors(await model.embed(['one'], document), ['one']);
    expectVectors(await model.embed(['two'], document), ['two']);
    expect(server.requests.map((request) => request.encoding_format)).toEqual(['base64', 'float', 'float']);
  });

  it('asks for shorter vectors where OpenAI can shorten them', async () => {
    const model = embedder({ model: 'text-embedding-3-large', dimensions: DIMENSIONS });
    expectVectors(await model.embed(['one'], document), ['one']);
    expect(server.requests[0]?.dimensions).toBe(DIMENSIONS);
    expect(model.model).toMatchObject({ name: 'text-embedding-3-large', dimensions: DIMENSIONS, maxTokens: 8191 });
    expect(model.model.provider).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('knows OpenAI by its default, and its models', () => {
    expect(createOpenAiEmbedder({ apiKey: KEY }).model).toEqual({
      provider: 'openai',
      name: 'text-embedding-3-small',
      version: '',
      dimensions: 1536,
      maxTokens: 8191,
    });
    expect(() => createOpenAiEmbedder({ apiKey: KEY, model: 'unheard-of' })).toThrow(/KINDRED_EMBEDDING_DIMENSIONS/);
    expect(() => createOpenAiEmbedder({ apiKey: KEY, model: 'text-embedding-ada-002', dimensions: 512 })).toThrow(
      /cannot be shortened/,
    );
    expect(() => createOpenAiEmbedder({ apiKey: KEY, dimensions: 4096 })).toThrow(/gives 1536 at most/);
  });

  it('proves on ready() that the endpoint answers as configured, once', async () => {
    const model = embedder();
    await Promise.all([model.ready(), model.ready()]);
    await model.ready();
    expect(server.requests.length).toBe(1);
    const wrong = embedder({ dimensions: 5 });
    await expect(wrong.ready()).rejects.toThrow(/has 8 dimensions, expected 5/);
    await expect(wrong.ready()).rejects.toThrow(/expected 5/);
  });
});

describe('faults of the provider', () => {
  it.each([
    ['429', fail(429, { message: 'Rate limit reached' }, { 'retry-after-ms': '5' })],
    ['500', fail(500, { message: 'oops' })],
    ['503 with a wait', fail(503, { message: 'overloaded' }, { 'retry-after': '0' })],
    ['a cut connection', cutConnection],
    ['an answer that is cut off', answer(() => '{"data": [')],
  ])('are tried again when they may pass: %s', async (_name, fault) => {
    server.faults.push(fault, fault);
    expectVectors(await embedder().embed(['one', 'two'], document), ['one', 'two']);
    expect(server.requests.length).toBe(3);
  });

  it('are reported as throttling, with the wait, when it is longer than a moment', async () => {
    const hints: Record<string, string>[] = [
      { 'retry-after': '30' },
      { 'retry-after-ms': '30000' },
      { 'retry-after': new Date(Date.now() + 30_500).toUTCString() },
    ];
    for (const headers of hints) {
      server.faults = [fail(429, { message: `Rate limit reached for ${KEY}` }, headers)];
      server.requests.length = 0;
      const error = await embedder()
        .embed(['one'], document)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ModelThrottledError);
      expect(error).toMatchObject({ code: 'MODEL_THROTTLED', retryable: true });
      const { retryAfterMs } = error as ModelThrottledError;
      expect(retryAfterMs).toBeGreaterThan(25_000);
      expect(retryAfterMs).toBeLessThanOrEqual(31_000);
      expect(server.requests.length).toBe(1);
    }
  });

  it('are not tried again when the account has no credit left', async () => {
    server.faults.push(fail(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }));
    await expect(embedder().embed(['one'], document)).rejects.toBeInstanceOf(ModelThrottledError);
    expect(server.requests.length).toBe(1);
  });

  it('end as unavailable when they do not pass', async () => {
    const fault = fail(500, { message: 'oops' });
    server.faults.push(fault, fault, fault, fault);
    await expect(embedder().embed(['one'], document)).rejects.toBeInstanceOf(ModelUnavailableError);
    expect(server.requests.length).toBe(3);
    await server.close();
    await expect(embedder().embed(['one'], document)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    server = await startFakeOpenAi();
  });

  it.each([
    [401, { message: `Incorrect API key provided: sk-proj-****6789. (${KEY})`, code: 'invalid_api_key' }],
    [403, { message: `No access with Bearer ${KEY}` }],
    [404, { message: 'The model `tiny` does not exist', code: 'model_not_found' }],
    [400, { message: "'$.input' is invalid" }],
  ])('are final, and without the key in them, when the request is refused: %i', async (status, body) => {
    server.faults.push(fail(status, body));
    const error = await embedder()
      .embed(['one'], document)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelRejectedError);
    expect(error).toMatchObject({ code: 'MODEL_REJECTED', retryable: false });
    const everything = `${inspect(error, { depth: 10, showHidden: true })}${JSON.stringify(error)}`;
    expect(everything).not.toContain('verysecret');
    expect(everything).not.toContain('6789');
    expect(server.requests.length).toBe(1);
  });

  it('stop the other requests of the call', async () => {
    server.faults.push(fail(401, { message: 'no' }));
    const model = embedder({ limits: { maxInputs: 1 }, maxConcurrency: 1 });
    await expect(model.embed([...'abcdefgh'], document)).rejects.toBeInstanceOf(ModelRejectedError);
    await model.embed(['after'], document);
    expect(server.requests.map(({ input }) => input[0])).toEqual(['a', 'after']);
  });
});

describe('texts that cannot be embedded', () => {
  it('names the one that is too long, wherever it is', async () => {
    for (const index of [0, 5, 12]) {
      const texts = Array.from({ length: 13 }, (_, i) => (i === index ? `${TOO_LONG} ${i}` : `text ${i}`));
      const error = await embedder({ limits: { maxInputs: 9 } })
        .embed(texts, document)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TextTooLongError);
      expect(error).toMatchObject({ code: 'TEXT_TOO_LONG', index, retryable: false });
    }
  });

  it('halves a request that has too many tokens in all', async () => {
    server.faults.push(fail(400, { message: 'Requested 300001 tokens, max 300000 tokens per request' }));
    const texts = ['a', 'b', 'c', 'd', 'e'];
    expectVectors(await embedder().embed(texts, document), texts);
    expect(server.requests.map(({ input }) => input.length)).toEqual([5, 3, 2]);
  });

  it('refuses an empty text before anything is sent', async () => {
    await expect(embedder().embed(['one', ''], document)).rejects.toThrow('Text 1 is empty');
    expect(server.requests).toEqual([]);
  });
});

describe('answers that cannot be right', () => {
  const good = new Array<number>(DIMENSIONS).fill(1);
  const nan = Buffer.from(new Float32Array(DIMENSIONS).fill(NaN).buffer).toString('base64');

  it.each<[string, (request: EmbeddingRequest) => unknown, RegExp]>([
    ['too few vectors', (request) => list([good], request), /1 vectors for 2 texts/],
    ['too many vectors', (request) => list([good, good, good], request), /3 vectors for 2 texts/],
    ['a short vector', (request) => list([good, [1, 2]], request), /vector 1 has 2 dimensions, expected 8/],
    ['a vector of another model', (request) => list([good, [...good, 1]], request), /vector 1 has 9 dimensions/],
    ['NaN', (request) => list([good, nan], request), /vector 1 holds a value that is not a finite number/],
    ['null', (request) => list([good.map(() => null), good], request), /vector 0 holds a value that is not a finite/],
    ['zeros', (request) => list([good, good.map(() => 0)], request), /vector 1 is all zeros/],
    [
      'half a float',
      (request) => list([good, 'AAAAAA=='.slice(0, 8)], request),
      /not base64 of 32-bit floats|dimensions/,
    ],
    ['one index twice', () => ({ data: [good, good].map((embedding) => ({ index: 0, embedding })) }), /index is 0/],
    [
      'an index out of range',
      () => ({ data: [good, good].map((embedding, i) => ({ index: i + 1, embedding })) }),
      /index is 2/,
    ],
    ['no data', () => ({ ok: true }), /no list named "data"/],
    ['a page', () => '"<html>Welcome to the proxy</html>"', /no list named "data"|not JSON/],
  ])('are refused as a fault of the endpoint: %s', async (_name, make, message) => {
    server.faults.push(answer(make));
    await expect(embedder().embed(['one', 'two'], document)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });
});

describe('stopping', () => {
  it('ends a call by its signal, and every call by close()', async () => {
    server.gate = new Promise(() => undefined);
    const model = embedder();
    const abort = new AbortController();
    const aborted = expect(model.embed(['one'], { purpose: 'query', signal: abort.signal })).rejects.toThrow('enough');
    const closed = expect(model.embed(['two'], query)).rejects.toThrow('closed');
    while (server.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error('enough'));
    await aborted;
    await model.close();
    await closed;
    await expect(model.embed(['three'], query)).rejects.toThrow('closed');
    const early = AbortSignal.abort(new Error('too late'));
    await expect(embedder().embed(['x'], { purpose: 'query', signal: early })).rejects.toThrow('too late');
  });

  it('gives up a request that takes longer than allowed', async () => {
    server.gate = new Promise(() => undefined);
    const model = embedder({ timeoutMs: 50, maxAttempts: 2 });
    await expect(model.embed(['one'], query)).rejects.toBeInstanceOf(ModelUnavailableError);
    expect(server.requests.length).toBe(2);
  });
});
