// @ts-check
'use strict';

/**
 * Compiles `src` to `dist` and `migrations` to `dist/migrations`, and copies every other file of `src` beside them.
 * Only what changed since the last build is touched, so `npm start` loses no time to it: without changes SWC is not
 * even loaded. Types are checked by `npm run check:types`, not here: on this project `tsc --incremental --noCheck`
 * needs about a second to find that there is nothing to do, this script about 50 ms.
 *
 * Plain JavaScript, because it is what makes TypeScript runnable.
 */
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const dist = path.join(root, 'dist');
const manifestFile = path.join(dist, '.build.json');

/** What the built-in explorer's page loads, served by ourselves so that it needs no network. */
const vendorFiles = Object.fromEntries(
  [
    'react/umd/react.production.min.js',
    'react-dom/umd/react-dom.production.min.js',
    'graphiql/graphiql.min.js',
    'graphiql/graphiql.min.css',
  ].map((file) => [
    path.join('http', 'explorer', 'page', 'vendor', path.basename(file)),
    path.join(root, 'node_modules', file),
  ]),
);

/** @typedef {{ source: string, outputs: string[], stamp: string }} Unit */

/** @type {import('@swc/core').Options} */
const swcOptions = { ...require('./swc.options.js'), sourceMaps: true };

/**
 * Everything that a build must produce, in path order.
 * @returns {Unit[]}
 */
function collectUnits() {
  /** @type {Unit[]} */
  const units = [];
  for (const [from, to] of [
    ['src', ''],
    ['migrations', 'migrations'],
  ]) {
    const folder = path.join(root, from);
    if (!fs.existsSync(folder)) continue;
    for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const source = path.join(entry.parentPath, entry.name);
      if (/\.d\.ts$|\.md$|^\./.test(entry.name)) continue;
      const target = path.join(to, path.relative(folder, source));
      const { mtimeMs, size } = fs.statSync(source);
      const compiled = target.replace(/\.ts$/, '.js');
      units.push({
        source,
        outputs: compiled === target ? [target] : [compiled, `${compiled}.map`],
        stamp: `${mtimeMs}:${size}`,
      });
    }
  }
  for (const [target, source] of Object.entries(vendorFiles)) {
    const { mtimeMs, size } = fs.statSync(source);
    units.push({ source, outputs: [target], stamp: `${mtimeMs}:${size}` });
  }
  return units.sort((a, b) => (a.source < b.source ? -1 : 1));
}

/** Anything but the sources that decides what the outputs look like. */
function recipeHash() {
  const hash = crypto.createHash('sha256').update(JSON.stringify(swcOptions)).update(fs.readFileSync(__filename));
  hash.update(fs.readFileSync(path.join(root, 'node_modules', '@swc', 'core', 'package.json')));
  return hash.digest('hex');
}

/** @returns {{ recipe: string, stamps: Record<string, string>, outputs: string[] }} */
function readManifest() {
  try {
    return JSON.parse(fs.readFileSync(manifestFile, 'utf8'));
  } catch {
    return { recipe: '', stamps: {}, outputs: [] };
  }
}

/**
 * Replaces a file in one step, so that a process which starts meanwhile never reads half of it.
 * @param {string} target
 * @param {string | Buffer} content
 */
function writeWhole(target, content) {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  fs.writeFileSync(partial, content);
  fs.renameSync(partial, target);
}

/** @param {Unit} unit */
async function produce(unit) {
  const [main, map] = unit.outputs.map((output) => path.join(dist, output));
  if (!map) return writeWhole(main, fs.readFileSync(unit.source));
  const { code, map: sourceMap } = await require('@swc/core').transformFile(unit.source, {
    ...swcOptions,
    filename: unit.source,
    sourceFileName: path.relative(path.dirname(main), unit.source),
  });
  writeWhole(map, sourceMap ?? '');
  writeWhole(main, code.includes('sourceMappingURL') ? code : `${code}\n//# sourceMappingURL=${path.basename(map)}\n`);
}

async function build() {
  const started = process.hrtime.bigint();
  const units = collectUnits();
  const before = readManifest();
  const recipe = recipeHash();
  const stale = units.filter(
    ({ source, outputs, stamp }) =>
      before.recipe !== recipe ||
      before.stamps[path.relative(root, source)] !== stamp ||
      outputs.some((output) => !fs.existsSync(path.join(dist, output))),
  );
  const results = await Promise.allSettled(stale.map(produce));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) {
    for (const failure of failures) {
      // SWC says where, then adds a stack of its own machine code.
      console.error(failure instanceof Error ? failure.message.split('\n\nCaused by:')[0].trimEnd() : failure);
    }
    throw new Error(`${failures.length} of ${stale.length} changed files do not compile`);
  }

  const outputs = units.flatMap((unit) => unit.outputs);
  const wanted = new Set(outputs);
  const orphans = before.outputs.filter((output) => !wanted.has(output));
  for (const orphan of orphans) fs.rmSync(path.join(dist, orphan), { force: true });
  if (stale.length > 0 || orphans.length > 0) {
    const stamps = Object.fromEntries(units.map(({ source, stamp }) => [path.relative(root, source), stamp]));
    writeWhole(manifestFile, JSON.stringify({ recipe, stamps, outputs }));
    const elapsedMs = Number((process.hrtime.bigint() - started) / 1_000_000n);
    console.error(`built ${stale.length} of ${units.length} files in ${elapsedMs} ms`);
  }
}

build().catch((error) => {
  console.error(`build failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
