// @ts-check
'use strict';

/**
 * Runs every `check:*` script of package.json, two at a time, and prints the whole output of those that fail.
 * All of them run even when one fails, so that one run shows everything there is to mend.
 */
const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const checks = Object.keys(require('../package.json').scripts).filter((name) => name.startsWith('check:'));

/**
 * @param {string} name
 * @returns {Promise<{ name: string, passed: boolean, seconds: string, output: string }>}
 */
function run(name) {
  return new Promise((resolve) => {
    const started = Date.now();
    let output = '';
    const child = spawn('npm', ['run', '--silent', name], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    /** @param {boolean} passed */
    const finish = (passed) =>
      resolve({ name, passed, seconds: ((Date.now() - started) / 1000).toFixed(1), output: output.trim() });
    child.on('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

async function main() {
  const waiting = [...checks];
  /** @type {string[]} */
  const failed = [];
  async function work() {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      const result = await run(name);
      console.log(`${result.passed ? 'ok  ' : 'FAIL'} ${name} (${result.seconds} s)`);
      if (result.passed) continue;
      failed.push(name);
      if (result.output) console.log(result.output.replace(/^/gm, '     '));
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, work));
  console.log(
    `${checks.length - failed.length} checks passed, ${failed.length} failed${failed.length ? `: ${failed.join(', ')}` : ''}`,
  );
  if (failed.length > 0) {
    console.log('`npm run fix` mends formatting, fixable lint, schema.graphql and generated documents.');
    process.exitCode = 1;
  }
}

void main();
