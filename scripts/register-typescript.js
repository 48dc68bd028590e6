// @ts-check
'use strict';

/**
 * Lets Node load this project's TypeScript directly, for scripts: `node -r ./scripts/register-typescript.js x.ts`.
 * Worker threads and child processes still start from `dist`, so build first where they are used.
 */
const { transformFileSync } = require('@swc/core');
const swcOptions = require('./swc.options.js');

process.setSourceMapsEnabled(true);

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformFileSync(filename, { ...swcOptions, filename, sourceMaps: 'inline' });
  /** @type {NodeJS.Module & { _compile(code: string, filename: string): void }} */ (module)._compile(code, filename);
};
