import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'graphql';

/** An operation that the explorer offers. */
export interface ReadyOperation {
  title: string;
  description: string;
  query: string;
  /** JSON text, or empty. */
  variables: string;
}

/**
 * Reads the operations of a folder, in the order of their file names. A file starts with comment lines
 * `# title: …`, `# description: …` and, where it has variables, `# variables: {…}`; the operation follows.
 * @throws Error naming the file that is not like that
 */
export function readOperations(folder: string): ReadyOperation[] {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => readOperation(name, fs.readFileSync(path.join(folder, name), 'utf8')));
}

function readOperation(name: string, text: string): ReadyOperation {
  const heading = /^(?:#.*\n)+/.exec(text)?.[0] ?? '';
  const read = (key: string): string => new RegExp(`^# ${key}: (.+)$`, 'm').exec(heading)?.[1] ?? '';
  const query = text.slice(heading.length).trim();
  const [title, description, variables] = [read('title'), read('description'), read('variables')];
  try {
    if (title === '' || description === '') throw new Error('it needs a title and a description');
    parse(query);
    return { title, description, query, variables: variables && JSON.stringify(JSON.parse(variables), null, 2) };
  } catch (error) {
    throw new Error(`The ready operation ${name} cannot be used`, { cause: error });
  }
}
