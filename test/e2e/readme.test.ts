import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';

const root = path.resolve(__dirname, '..', '..');
const cli = path.join(root, 'dist', 'cli.js');
const run = promisify(execFile);
/** Vectors follow a plain SQL statement soon, not at once. */
const FOLLOW_DEADLINE_MS = 90_000;

interface Block {
  language: string;
  text: string;
}

const blocks: Block[] = [
  ...readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm),
].map(([, language = '', text = '']) => ({ language, text: text.trim() }));

let folder: string;
let server: ChildProcess;
let url: string;
let printedCommand: string;

function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(KINDRED|QDRANT|OPENAI|DATABASE)_/.test(name));
  return { ...Object.fromEntries(inherited), KINDRED_DATA_DIR: folder, KINDRED_LOG_LEVEL: 'warn', PORT: '0' };
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'kindred-readme-'));
  server = spawn(process.execPath, [cli, 'serve'], {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) {
    if (line.trim().startsWith('curl')) {
      printedCommand = line.trim();
      break;
    }
  }
  server.stdout?.resume();
  url = /http:\S+\/graphql/.exec(printedCommand ?? '')?.[0] ?? '';
  // The first start on a machine fetches the model.
});

afterAll(async () => {
  const ended = once(server, 'exit');
  if (server.exitCode === null && server.kill('SIGTERM')) await ended;
  rmSync(folder, { recursive: true, force: true });
});

async function ask(query: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

/** Numbers may differ in the last digits that processors round. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, one: unknown) =>
    typeof one === 'number' ? Number(one.toFixed(3)) : one,
  );
}

async function expectAnswer(query: string, answer: string): Promise<void> {
  const deadline = Date.now() + FOLLOW_DEADLINE_MS;
  const expected = rounded(JSON.parse(answer));
  let given = rounded(await ask(query));
  while (JSON.stringify(given) !== JSON.stringify(expected) && Date.now() < deadline) {
    await delay(200);
    given = rounded(await ask(query));
  }
  expect(given).toEqual(expected);
}

/** The statement of a `psql … -c "…"` line, run without psql, which not every machine has. */
async function runStatement(command: string): Promise<void> {
  const statement = /-c "(.+)"$/s.exec(command)?.[1] ?? '';
  const { databaseUrl } = JSON.parse(readFileSync(path.join(folder, 'runtime.json'), 'utf8')) as {
    databaseUrl: string;
  };
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    expect((await client.query(statement)).rowCount).toBe(1);
  } finally {
    await client.end();
  }
}

it('starts as the README says, and prints the command that the README shows', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(blocks.slice(0, 2).map(({ text }) => text)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  expect(scripts.start).toMatch(/cli\.js serve$/);
  const shown = blocks.find(({ text }) => text.startsWith('curl'))?.text;
  expect(printedCommand.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:4000')).toBe(shown);
});

it('answers everything else as the README says, in its order', async () => {
  let checked = 0;
  for (const [i, { language, text }] of blocks.entries()) {
    const next = blocks[i + 1];
    if (language === 'graphql' || text.startsWith('curl')) {
      const query =
        language === 'graphql' ? text : (JSON.parse(/-d '(.+)'$/.exec(text)?.[1] ?? '') as { query: string }).query;
      expect(next?.language).toBe('json');
      await expectAnswer(query, next?.text ?? '');
    } else if (text.startsWith('npx kindred')) {
      const args = text.split(' ').slice(2);
      const { stdout } = await run(process.execPath, [cli, ...args], { cwd: root, env: environment() });
      expect(stdout.trim()).toBe(next?.text);
    } else if (text.startsWith('psql')) {
      await runStatement(text);
    } else {
      continue;
    }
    checked += 1;
  }
  expect(checked).toBeGreaterThanOrEqual(6);
});

it('runs the typed client of the examples', async () => {
  const example = path.join('examples', 'typed-client', 'write-and-find.ts');
  const { stdout } = await run(process.execPath, ['-r', './scripts/register-typescript.js', example], {
    cwd: root,
    env: { ...environment(), KINDRED_URL: url },
  });
  expect(stdout).toMatch(/^\d\.\d{3} {2}Head Baker, Molino & Filles\n/);
  expect(stdout.match(/^\d\.\d{3} /gm)).toHaveLength(3);
});
