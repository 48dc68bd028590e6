import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';

const root = path.resolve(__dirname, '..', '..');
const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');

const pages = [
  ...fs.readdirSync(root).filter((name) => name.endsWith('.md')),
  ...fs
    .readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

/** As GitHub makes them. */
function anchors(page: string): string[] {
  return [...withoutCode(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to what is there', () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const lost = links
      .filter((link) => !/^(https?|mailto):/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? page : path.join(path.dirname(page), file);
        if (!fs.existsSync(path.join(root, target))) return true;
        return anchor !== undefined && !anchors(target).includes(anchor);
      });
    expect(lost).toEqual([]);
  });

  it('shows files as they are', () => {
    for (const [, file = '', shown] of text.matchAll(/<!-- file: (\S+) -->\n+```\w+\n([\s\S]*?)^```$/gm)) {
      expect(shown).toBe(read(file));
    }
  });

  it('asks only what the schema answers', () => {
    const schema = buildSchema(read('schema.graphql'));
    for (const [, query = ''] of text.matchAll(/^```graphql\n([\s\S]*?)^```$/gm)) {
      expect(validate(schema, parse(query)).map(({ message }) => message)).toEqual([]);
    }
  });

  it('names settings that exist', () => {
    const named = new Set(text.match(/\b(?:KINDRED|QDRANT|OPENAI)_[A-Z_]+\b/g));
    const known = new Set(read('.env.example').match(/\b[A-Z]+_[A-Z_]+(?==)/g));
    // What the example client reads.
    for (const name of ['KINDRED_API_KEY', 'KINDRED_URL']) known.add(name);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  it('names commands that exist', () => {
    const commands = fs
      .readdirSync(path.join(root, 'src', 'cli'))
      .flatMap((file) => [...read(path.join('src', 'cli', file)).matchAll(/\.command\('([\w-]+)/g)])
      .map(([, name]) => name);
    const named = [...text.matchAll(/(?:`|npx )kindred ([a-z][\w-]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !commands.includes(name))).toEqual([]);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const run = [...text.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  });
});

it('explains every error code, and no other', () => {
  const codes = /type ErrorCode =([\s\S]*?)\n\n/.exec(read('src/kernel/errors/domain-error.ts'))?.[1] ?? '';
  const section = /^## Errors\n([\s\S]*)/m.exec(read('docs/api.md'))?.[1] ?? '';
  const explained = [...section.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code]) => code);
  expect(explained.sort()).toEqual([...codes.matchAll(/\| '([A-Z_]+)'/g)].map(([, code]) => code).sort());
});

it('lists every decision', () => {
  const listed = [...read('docs/decisions/README.md').matchAll(/\]\((\d{4}-[\w-]+\.md)\)/g)].map(([, file]) => file);
  const present = fs.readdirSync(path.join(root, 'docs', 'decisions')).filter((name) => /^\d{4}-/.test(name));
  expect(listed).toEqual(present.sort());
});
