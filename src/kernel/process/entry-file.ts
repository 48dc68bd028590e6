import path from 'node:path';

/**
 * The compiled file that a worker thread or child process starts from.
 * Code runs from `dist/` in production and straight from `src/` under the test runner; a new thread or process has no
 * TypeScript loader, so from `src/` this answers with the file's twin in `dist/` (the tests build it first).
 * @param from the caller's `__filename`
 * @param entry path relative to the caller, without extension, e.g. `./engine.worker`
 */
export function entryFile(from: string, entry: string): string {
  const target = path.resolve(path.dirname(from), entry);
  if (!from.endsWith('.ts')) return `${target}.js`;
  const sourceRoot = path.resolve(__dirname, '..', '..');
  return path.join(path.dirname(sourceRoot), 'dist', `${path.relative(sourceRoot, target)}.js`);
}
