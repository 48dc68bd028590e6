import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = path.resolve(__dirname, '..', '..');
const page = readFileSync(path.join(root, 'docs', 'adding-an-embeddable.md'), 'utf8');
const COPIED = [
  'src',
  'migrations',
  'scripts',
  'test/support',
  'package.json',
  'tsconfig.json',
  'jest.config.js',
  'schema.graphql',
];

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'kindred-embeddable-'));
  for (const name of COPIED) cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'dir');
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

/** Blocks that a comment names, as `[file, text]`. */
function blocks(what: 'new file' | 'change'): [string, string][] {
  const pattern = new RegExp(`<!-- ${what}: (\\S+) -->\\n+\`\`\`\\w+\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...page.matchAll(pattern)].map(([, file = '', text = '']) => [file, text]);
}

/** Applies a diff that has context and added lines only. */
function applied(text: string, diff: string): string {
  const lines = diff.trimEnd().split('\n');
  const before = lines.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
  const after = lines.map((line) => line.slice(1));
  const [old, fresh] = [before, after].map((part) => `${part.join('\n')}\n`) as [string, string];
  if (text.split(old).length !== 2) throw new Error(`the context is not there once:\n${old}`);
  return text.replace(old, () => fresh);
}

async function npm(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('npm', ['run', ...args], { cwd: copy, shell: process.platform === 'win32' });
  return stdout + stderr;
}

it('adds certifications as docs/adding-an-embeddable.md says', async () => {
  const files = blocks('new file');
  const changes = blocks('change');
  expect([files.length, changes.length]).toEqual([3, 2]);
  for (const [file, text] of files) {
    mkdirSync(path.join(copy, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(copy, file), text);
  }
  for (const [file, diff] of changes) {
    const target = path.join(copy, file);
    writeFileSync(target, applied(readFileSync(target, 'utf8'), diff));
  }

  const written = /migrations\/\d+-add-certifications\.ts/.exec(await npm('migration:new', '--', 'add-certifications'));
  const migration = readFileSync(path.join(copy, written?.[0] ?? 'migration'), 'utf8');
  for (const made of ['certifications', 'certification_embeddings']) {
    expect(migration).toContain(`CREATE TABLE "${made}"`);
    expect(migration).toContain(`CREATE TRIGGER kindred_touch BEFORE INSERT OR UPDATE ON ${made} `);
    expect(migration).toContain(`CREATE OR REPLACE FUNCTION kindred_capture_${made}()`);
  }
  await npm('check:migrations');

  await npm('fix:schema');
  const schema = readFileSync(path.join(copy, 'schema.graphql'), 'utf8');
  expect(schema).toContain('type Certification implements Node & Embeddable {');
  expect(schema).toContain('searchCertifications(');

  await npm('build');
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const { stderr } = await run(process.execPath, [jest, 'test/e2e/certifications'], { cwd: copy });
  expect(stderr).toMatch(/Tests: +2 passed, 2 total/);
});
