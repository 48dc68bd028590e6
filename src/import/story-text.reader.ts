import path from 'node:path';
import type { ImportFile } from './import-files';
import type { ImportItem } from './import-records';
import { readWholeFile, rejectFile } from './whole-file';

const MAX_TITLE_LENGTH = 120;

/**
 * Reads a Markdown or plain-text file as one story; a blank line ends a paragraph.
 * Lines of `key: value` between `---` at the top may give id, title, author and collection. Otherwise the title is the
 * first heading (Markdown) or a short first line that stands alone and is no sentence (text), else the file's name; and
 * the external id is `file:<path>`.
 */
export async function* readStoryText(source: ImportFile): AsyncGenerator<ImportItem> {
  const whole = await readWholeFile(source);
  if ('problem' in whole) {
    yield whole.problem;
    return;
  }
  const { settings, body } = takeFrontMatter(whole.text);
  const paragraphs = body
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
  const isMarkdown = path.extname(source.file).toLowerCase() !== '.txt';
  const title = settings.title ?? takeTitle(paragraphs, isMarkdown) ?? titleFromName(source.file);
  const content = paragraphs.join('\n\n');
  if (content === '') {
    yield rejectFile(source, 1, 'the story has no text', whole.text);
    return;
  }
  const { author, collection } = settings;
  const record = { externalId: settings.id ?? source.derivedId, title, author, collection, content };
  yield {
    kind: 'record',
    offset: source.sizeBytes,
    raw: whole.text,
    file: source.file,
    line: 1,
    type: 'story',
    record,
  };
}

function takeFrontMatter(text: string): { settings: Record<string, string | undefined>; body: string } {
  const match = /^---[ \t]*\n([\s\S]*?)\n---[ \t]*(?:\n|$)/.exec(text);
  if (match === null) return { settings: {}, body: text };
  const settings: Record<string, string | undefined> = {};
  for (const line of (match[1] ?? '').split('\n')) {
    const [, key, value] = /^([A-Za-z]+):\s*(.+?)\s*$/.exec(line) ?? [];
    if (key !== undefined) settings[key.toLowerCase()] = value?.replace(/^(["'])(.*)\1$/, '$2') || undefined;
  }
  return { settings, body: text.slice(match[0].length) };
}

/** Removes the title from the paragraphs, if the first one is one. */
function takeTitle(paragraphs: string[], isMarkdown: boolean): string | undefined {
  const first = paragraphs[0];
  if (first === undefined) return undefined;
  if (isMarkdown) {
    const [heading = '', ...rest] = first.split('\n');
    const title = /^#{1,6}[ \t]+(.+?)[ \t#]*$/.exec(heading)?.[1];
    if (title === undefined) return undefined;
    const remainder = rest.join('\n').trim();
    paragraphs.splice(0, 1, ...(remainder === '' ? [] : [remainder]));
    return title;
  }
  const isTitle =
    paragraphs.length > 1 && !first.includes('\n') && first.length <= MAX_TITLE_LENGTH && !/[.!?,;:”"]$/.test(first);
  return isTitle ? paragraphs.shift() : undefined;
}

function titleFromName(file: string): string {
  const words = path.basename(file, path.extname(file)).replace(/[-_]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
