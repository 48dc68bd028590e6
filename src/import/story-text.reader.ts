import path from 'node:path';
import type { ImportFile } from './import-files';
import type { ImportItem, StoryChunkingEntry } from './import-records';
import { readWholeFile, rejectFile } from './whole-file';

const MAX_TITLE_LENGTH = 120;
const FRONT_MATTER = /^---[ \t]*\n([\s\S]*?)\n---[ \t]*(?:\n|$)/;
/** Begins with a key; else the dashes are rules between parts of the text. */
const SETTINGS = /^(?:#.*\n)*[A-Za-z][\w-]*[ \t]*:(?:\s|$)/;
const ATX_TITLE = /^\s*#{1,6}[ \t]+(.+?)[ \t#]*(?:\n|$)/;
/** A line of words that is underlined. */
const SETEXT_TITLE = /^\s*([^\s#>|`~*+\d-][^\n]*)\n {0,3}(?:=+|-+)[ \t]*(?:\n|$)/;

/**
 * Reads a Markdown or plain-text file as one story; a blank line ends a paragraph.
 * Lines of `key: value` between `---` at the top may give id, title, author and collection, and chunking, chunkTokens,
 * chunkOverlap and chunkContext. Otherwise the title is the heading that begins the text (Markdown) or a short first line
 * that stands alone and is no sentence (text), else the file's name; and the external id is `file:<path>`.
 */
export async function* readStoryText(source: ImportFile): AsyncGenerator<ImportItem> {
  const whole = await readWholeFile(source);
  if ('problem' in whole) {
    yield whole.problem;
    return;
  }
  const { settings, body } = takeFrontMatter(whole.text);
  const isMarkdown = path.extname(source.file).toLowerCase() !== '.txt';
  const { title, content } = isMarkdown ? readMarkdown(body, settings.title) : readPlainText(body, settings.title);
  if (content === '') {
    yield rejectFile(source, 1, 'the story has no text', whole.text);
    return;
  }
  const { author, collection } = settings;
  yield {
    kind: 'record',
    offset: source.sizeBytes,
    raw: whole.text,
    file: source.file,
    line: 1,
    type: 'story',
    record: {
      externalId: settings.id ?? source.derivedId,
      title: title ?? titleFromName(source.file),
      author,
      collection,
      content,
      ...chunkingOf(settings),
      ...(isMarkdown && { isMarkdown }),
    },
  };
}

interface TitledText {
  title: string | undefined;
  content: string;
}

/** As it is written, for indentation and blank lines mean something; without the heading that is its title. */
function readMarkdown(body: string, givenTitle: string | undefined): TitledText {
  const [heading = '', title] = givenTitle === undefined ? (ATX_TITLE.exec(body) ?? SETEXT_TITLE.exec(body) ?? []) : [];
  const text = body.slice(heading.length);
  return { title: givenTitle ?? title?.trim(), content: text.replace(/^(?:[ \t]*\n)+/, '').trimEnd() };
}

function readPlainText(body: string, givenTitle: string | undefined): TitledText {
  const paragraphs = body
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '');
  const title = givenTitle ?? takeTitle(paragraphs);
  return { title, content: paragraphs.join('\n\n') };
}

function chunkingOf(settings: Record<string, string | undefined>): StoryChunkingEntry {
  const count = (value: string | undefined): number | undefined => (value === undefined ? undefined : Number(value));
  const entry: StoryChunkingEntry = {
    chunkingStrategy: settings.chunking?.toLowerCase(),
    chunkTokens: count(settings.chunktokens),
    chunkOverlap: count(settings.chunkoverlap),
    chunkContext: settings.chunkcontext?.toLowerCase(),
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

function takeFrontMatter(text: string): { settings: Record<string, string | undefined>; body: string } {
  const match = FRONT_MATTER.exec(text);
  if (match === null || !SETTINGS.test(match[1] ?? '')) return { settings: {}, body: text };
  const settings: Record<string, string | undefined> = {};
  for (const line of (match[1] ?? '').split('\n')) {
    const [, key, value] = /^([A-Za-z]+):\s*(.+?)\s*$/.exec(line) ?? [];
    if (key !== undefined) settings[key.toLowerCase()] = value?.replace(/^(["'])(.*)\1$/, '$2') || undefined;
  }
  return { settings, body: text.slice(match[0].length) };
}

/** Removes the title from the paragraphs, if the first one is one. */
function takeTitle(paragraphs: string[]): string | undefined {
  const first = paragraphs[0];
  if (first === undefined) return undefined;
  const isTitle =
    paragraphs.length > 1 && !first.includes('\n') && first.length <= MAX_TITLE_LENGTH && !/[.!?,;:”"]$/.test(first);
  return isTitle ? paragraphs.shift() : undefined;
}

function titleFromName(file: string): string {
  const words = path.basename(file, path.extname(file)).replace(/[-_]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
