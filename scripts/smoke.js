// @ts-check
'use strict';

/**
 * What a newcomer does: `npm start` in an empty data folder, wait until it is ready, send a query, stop it. With
 * `--built`, starts the compiled program directly, for a user who may not write this folder.
 */
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const root = path.resolve(__dirname, '..');
/** The first start may have to fetch the embedding model. */
const READY_DEADLINE_MS = 5 * 60_000;
const STOP_DEADLINE_MS = 30_000;
const QUERY = `query Smoke {
  profiles(first: 3) { totalCount nodes { name matchingJobs(first: 1) { edges { score node { title } } } } }
  searchJobs(query: { text: "looking after bees and plants" }, first: 3) { edges { score node { title } } }
}`;

/** @returns {Promise<number>} a port that nothing listens on */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kindred-smoke-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [command, args] = process.argv.includes('--built')
    ? [process.execPath, [path.join(root, 'dist', 'cli.js'), 'serve']]
    : ['npm', ['start']];
  const started = Date.now();
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, PORT: String(port), KINDRED_DATA_DIR: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  /** @type {number | string | undefined} how the program ended */
  let ended;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended = code ?? signal ?? 'unknown'));

  try {
    for (;;) {
      if (ended !== undefined) throw new Error(`the program ended before it was ready: ${ended}`);
      if (Date.now() - started > READY_DEADLINE_MS) throw new Error(`not ready after ${READY_DEADLINE_MS} ms`);
      const response = await fetch(`${url}/health/ready`).catch(() => undefined);
      await response?.arrayBuffer();
      if (response?.ok) break;
      await delay(100);
    }
    console.log(`ready after ${Date.now() - started} ms`);

    const found = await poll(async () => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: QUERY }),
      });
      const answer = await response.json();
      if (answer.errors) throw new Error(`the query failed: ${JSON.stringify(answer.errors)}`);
      const { profiles, searchJobs } = answer.data;
      return profiles.totalCount > 0 && searchJobs.edges.length === 3 ? answer.data : undefined;
    });
    console.log(JSON.stringify(found, null, 2));
  } finally {
    if (ended === undefined && child.pid) {
      // The whole group, as ^C in a terminal does: npm, its shell and the program.
      process.kill(-child.pid, 'SIGTERM');
      const asked = Date.now();
      while (ended === undefined && Date.now() - asked < STOP_DEADLINE_MS) await delay(50);
      if (ended === undefined) process.kill(-child.pid, 'SIGKILL');
    }
  }
  if (ended !== 0 && ended !== 'SIGTERM' && ended !== 143) throw new Error(`stopping it ended with ${ended}`);
  await endOfGroup(child.pid);
  const left = await fetch(`${url}/health/live`).then(
    () => true,
    () => false,
  );
  if (left) throw new Error('something still answers after the program was stopped');
  fs.rmSync(folder, { recursive: true, force: true });
  console.log('stopped cleanly');
}

/**
 * npm ends at once, the program when it has finished what it had begun.
 * @param {number | undefined} leader
 */
async function endOfGroup(leader) {
  const asked = Date.now();
  while (leader !== undefined && isRunning(-leader)) {
    if (Date.now() - asked > STOP_DEADLINE_MS) throw new Error('a process of the program did not end');
    await delay(50);
  }
}

/** @param {number} id */
function isRunning(id) {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

/**
 * Until the demo is embedded, a search finds less than there is.
 * @template T
 * @param {() => Promise<T | undefined>} attempt
 * @returns {Promise<T>}
 */
async function poll(attempt) {
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error('the demo records did not become searchable');
    await delay(200);
  }
}

main().catch((error) => {
  console.error(`smoke test failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
