import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, type QueryArrayResult } from 'pg';

import { untilIndexed } from './support/both-stores';
import { ask } from './support/graphql';
import { cleanUp, readRuntime, runProgram, startProgram, temporaryFolder, type RuntimeFile } from './support/program';

/**
 * Carries out docs/migrating.md: every block of commands from the worked example on, in its order. What is printed must
 * be what the page shows, but that
 * - a line `…` stands for lines that the page leaves out;
 * - blanks at the end of a line do not count, and psql's count of rows is left out;
 * - in JSON, revisions and the ids of points that Kindred made may be any.
 * A block of commands without output after it only has to succeed. Progress, on standard error, is not looked at.
 */
const run = promisify(execFile);
const root = path.resolve(__dirname, '..', '..');
const page = readFileSync(path.join(root, 'docs', 'migrating.md'), 'utf8');
const example = page.slice(page.indexOf('## A worked example'), page.indexOf('## What old programs will notice'));
const env = { KINDRED_DEMO: 'off', KINDRED_EMBEDDING_DIMENSIONS: '384' };
/** As psql aligns them. */
const NUMBERS: readonly number[] = [20, 21, 23, 700, 701, 1700];
const OLD_POINTS = '00000000-0000-4000-8000-';

interface Block {
  language: string;
  text: string;
}

const blocks: Block[] = [...example.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text: text.trimEnd(),
}));

const folder = temporaryFolder();
let runtime: RuntimeFile;
let url: string;

beforeAll(async () => {
  url = await startProgram(folder, ['serve'], { env }).ready();
  runtime = readRuntime(folder) as RuntimeFile;
});

afterAll(cleanUp);

async function onDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: runtime.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Rows as psql prints them. */
function printed({ fields, rows }: QueryArrayResult<(string | null)[]>): string {
  const cells = rows.map((row) => row.map((value) => value ?? ''));
  const widths = fields.map(({ name }, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const centred = (text: string, width: number): string =>
    text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width);
  const line = (texts: readonly string[]): string => ` ${texts.join(' | ')} `;
  return [
    line(fields.map(({ name }, i) => centred(name, widths[i] ?? 0))),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.map((row) =>
      line(
        row.map((value, i) =>
          NUMBERS.includes(fields[i]?.dataTypeID ?? 0) ? value.padStart(widths[i] ?? 0) : value.padEnd(widths[i] ?? 0),
        ),
      ),
    ),
  ].join('\n');
}

const asText = { getTypeParser: () => (value: string | Buffer) => String(value) };

function runSql(statement: string): Promise<string> {
  return onDatabase(async (client) => {
    try {
      return printed(await client.query({ text: statement, rowMode: 'array', types: asText }));
    } catch (error) {
      return `ERROR:  ${(error as Error).message}`;
    }
  });
}

/** Each command by what does its work here: psql need not be installed, and nothing is fetched by npx. */
async function runCommand(command: string): Promise<string> {
  const [program = '', ...args] = command.split(' ');
  if (program === 'psql') {
    const file = /-f (\S+)$/.exec(command)?.[1] ?? '';
    await onDatabase((client) => client.query(readFileSync(path.join(root, file), 'utf8')));
    return '';
  }
  if (program === 'node') {
    const stores = { QDRANT_URL: runtime.qdrantUrl, QDRANT_API_KEY: runtime.qdrantApiKey ?? '' };
    return (await run(process.execPath, args, { cwd: root, env: { PATH: process.env.PATH, ...stores } })).stdout;
  }
  await untilIndexed(runtime);
  expect([program, args[0]]).toEqual(['npx', 'kindred']);
  const { code, stdout, stderr } = await runProgram(folder, args.slice(1), { env });
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());

/** The lines that were printed, with those that the page leaves out put as it puts them. */
function shortened(printedLines: readonly string[], shown: readonly string[]): string[] {
  const at = shown.indexOf('…');
  if (at < 0) return [...printedLines];
  const after = shown[at + 1];
  const next = after === undefined ? printedLines.length : printedLines.indexOf(after, at);
  if (next < 0) return [...printedLines];
  return [...printedLines.slice(0, at), '…', ...shortened(printedLines.slice(next), shown.slice(at + 1))];
}

const comparable = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json), (name, value: unknown) => {
    if (name === 'qdrantPointId' && !String(value).startsWith(OLD_POINTS)) return 'a point of Kindred';
    return name === 'revision' ? typeof value : value;
  });

/** What a block comes to, in the order of the page. */
async function carriedOut({ language, text }: Block): Promise<string> {
  if (language === 'sql') return runSql(text);
  let output = '';
  for (const command of text.split('\n')) output += await runCommand(command);
  return output;
}

describe('docs/migrating.md', () => {
  it('is what happens', async () => {
    let checked = 0;
    for (const [i, block] of blocks.entries()) {
      if (!['sh', 'sql', 'graphql'].includes(block.language)) continue;
      const next = blocks[i + 1];
      checked += 1;
      if (block.language === 'graphql') {
        expect(next?.language).toBe('json');
        const answer = { data: await ask(url, block.text) };
        expect(comparable(answer)).toEqual(comparable(JSON.parse(next?.text ?? '')));
        continue;
      }
      const output = lines(await carriedOut(block));
      if (next?.language !== 'text') continue;
      const shown = lines(next.text);
      expect({ of: block.text, is: shortened(output, shown) }).toEqual({ of: block.text, is: shown });
    }
    expect(checked).toBeGreaterThanOrEqual(11);
  });
});
