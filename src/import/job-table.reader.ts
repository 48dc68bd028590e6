import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Info } from 'csv-parse';
import { parse } from 'csv-parse';
import { z } from 'zod';
import type { ImportFile } from './import-files';
import type { ImportItem, JobRecord } from './import-records';
import { LineCounter } from './line-counter';
import { describeIssues, optionalText, requiredText } from './schema-parts';
import { decodeUtf8, describeInvalidUtf8 } from './text-lines';
import { rejectFile } from './whole-file';

const MAX_RECORD_CHARACTERS = 8 * 1024 * 1024;

/** A job's fields, and the headers that mean them; case, spaces and punctuation do not matter. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  externalId: ['id', 'externalid', 'jobid', 'reference', 'ref', 'requisitionid'],
  title: ['title', 'jobtitle', 'position', 'positiontitle'],
  company: ['company', 'companyname', 'organization', 'organisation', 'employer'],
  location: ['location', 'joblocation', 'city', 'place'],
  description: ['description', 'jobdescription', 'summary', 'details'],
  responsibilities: ['responsibilities', 'duties', 'tasks'],
  requirements: ['requirements', 'qualifications', 'jobrequirements'],
  skills: ['skills', 'requiredskills', 'skillsrequired', 'keyskills', 'skillset'],
  educationRequired: ['educationrequired', 'requirededucation', 'education', 'educationlevel', 'degree'],
  experienceRequired: ['experiencerequired', 'requiredexperience', 'experience', 'yearsofexperience'],
  role: ['role', 'jobfunction', 'function'],
  industry: ['industry', 'sector'],
  employmentType: ['employmenttype', 'jobtype', 'contracttype', 'schedule'],
  experienceLevel: ['experiencelevel', 'seniority', 'senioritylevel', 'level'],
};

/** Cells that hold several things: one a line, or separated by `;` or `|`; skills also by commas. */
const items = optionalText.transform((cell) => split(cell, /[\n;|]/));
const skillItems = optionalText.transform((cell) => split(cell, /[\n;|,]/));

const row = z.object({
  externalId: optionalText,
  title: requiredText,
  company: optionalText,
  location: optionalText,
  description: requiredText,
  responsibilities: items,
  requirements: items,
  skills: skillItems.transform((names) => names.map((name) => ({ name }))),
  educationRequired: optionalText,
  experienceRequired: optionalText,
  role: optionalText,
  industry: optionalText,
  employmentType: optionalText,
  experienceLevel: optionalText,
});

/** One row as csv-parse gives it when asked for its position and its source text. */
interface ParsedRow {
  record: Record<string, string>;
  info: Info;
  raw: string;
}

/** A row that the parser gave up on, and the byte at which it ends. */
interface UnreadableRow {
  end: number;
  raw: string;
  reason: string;
}

/**
 * Reads jobs from a table with a header line; comma, semicolon or tab, whichever the header has most of.
 * A row without an id is known by its title, company and location: `file:<path>#<those>`, with `~2`, `~3` where
 * several rows of the file have the same. In a folder, a table without the columns of a job is skipped.
 */
export async function* readJobTable(source: ImportFile): AsyncGenerator<ImportItem> {
  const { file } = source;
  const unreadable: UnreadableRow[] = [];
  let headerProblem: string | undefined;
  const head = await readHead(file);
  const parser = parse({
    // Bytes pass through one to one, so that text which is not UTF-8 is found below instead of being replaced here.
    encoding: 'latin1',
    delimiter: delimiterOf(head.firstLine),
    columns: (headers: string[]) => {
      rowStart = parser.info.bytes;
      const columns = mapHeaders(headers.map((header) => fromLatin1(header) ?? header));
      headerProblem = missingColumns(columns, headers);
      return columns;
    },
    info: true,
    raw: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_CHARACTERS,
    skip_records_with_error: true,
    on_skip: (error, raw = '') => {
      const message = (error?.message ?? 'unknown').replace(/ (on|at) line \d+$/, '');
      unreadable.push({ end: Number(error?.bytes), raw, reason: `the row is not valid CSV: ${message}` });
    },
  });
  const input = createReadStream(file, { start: head.isMarked ? 3 : 0 });
  const lines = new LineCounter();
  input.once('error', (error) => parser.destroy(error));
  input.pipe(lines).pipe(parser);

  let rowStart = 0;
  /** Where the row is that ends at byte `end` and comes after all that were asked for before. */
  const place = (end: number, raw: string): { line: number; offset: number } => {
    const line = lines.lineAt(rowStart) + blankLinesBefore(raw);
    rowStart = end;
    return { line, offset: Math.min(end, source.sizeBytes) };
  };
  // The parser is ahead of this loop: what it could not read waits until the rows before it have been given.
  const rejectsBefore = (end: number): ImportItem[] => {
    const count = unreadable.findIndex((row) => row.end > end);
    return unreadable.splice(0, count === -1 ? unreadable.length : count).map((row) => {
      const { line, offset } = place(row.end, row.raw);
      return { kind: 'reject', offset, reject: { file, line, reason: row.reason, raw: asText(row.raw).trim() } };
    });
  };
  const ids = new Map<string, number>();
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRow>) {
      if (headerProblem !== undefined) break;
      yield* rejectsBefore(parsed.info.bytes);
      yield readRow(source, parsed, place(parsed.info.bytes, parsed.raw), ids);
    }
    if (headerProblem === undefined) yield* rejectsBefore(Infinity);
    else if (source.isNamed) yield rejectFile(source, 1, headerProblem, head.firstLine);
    else yield { kind: 'skipped', offset: source.sizeBytes, file, reason: `no table of jobs: ${headerProblem}` };
  } catch (error) {
    yield* rejectsBefore(Infinity);
    const reason = `the file cannot be read from here on: ${(error as Error).message}`;
    yield rejectFile(source, place(source.sizeBytes, '').line, reason, '');
  } finally {
    input.destroy();
    lines.destroy();
    parser.destroy();
  }
}

function readRow(
  source: ImportFile,
  { record, raw }: ParsedRow,
  { line, offset }: { line: number; offset: number },
  ids: Map<string, number>,
): ImportItem {
  const { file } = source;
  const text = asText(raw).trim();
  const cells = decodeCells(record);
  if (cells === undefined) {
    const bytes = Buffer.from(raw, 'latin1');
    const reason = `the row ${describeInvalidUtf8(bytes)}`;
    return { kind: 'reject', offset, reject: { file, line, reason, raw: text, rawBase64: bytes.toString('base64') } };
  }
  const result = row.safeParse(cells);
  if (!result.success) {
    return { kind: 'reject', offset, reject: { file, line, reason: describeIssues(result.error), raw: text } };
  }
  const { externalId, ...fields } = result.data;
  const job: JobRecord = { externalId: externalId ?? rowId(source, fields, ids), ...fields };
  return { kind: 'record', offset, raw: text, file, line, type: 'job', record: job };
}

/** csv-parse gives blank lines as a part of the row after them, and \r\n there as \r. */
function blankLinesBefore(raw: string): number {
  const blank = /^[\r\n]*/.exec(raw)?.[0] ?? '';
  return Math.max(blank.split('\n').length, blank.split('\r').length) - 1;
}

/** The header line as far as the first 64 KB hold it, and whether a byte order mark is before it. */
async function readHead(file: string): Promise<{ firstLine: string; isMarked: boolean }> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const isMarked = bytesRead >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf;
    const text = buffer.subarray(isMarked ? 3 : 0, bytesRead).toString('utf8');
    return { firstLine: text.split(/\r?\n/, 1)[0] ?? '', isMarked };
  } finally {
    await handle.close();
  }
}

function delimiterOf(header: string): string {
  const unquoted = header.replace(/"[^"]*"/g, '');
  const count = (delimiter: string): number => unquoted.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}

/** The field of each column, `false` where it means none or means one that an earlier column has. */
function mapHeaders(headers: string[]): (string | false)[] {
  const used = new Set<string>();
  return headers.map((header) => {
    const name = header.toLowerCase().replace(/[^a-z0-9]/g, '');
    const field = Object.keys(HEADERS).find((candidate) => HEADERS[candidate]?.includes(name));
    if (field === undefined || used.has(field)) return false;
    used.add(field);
    return field;
  });
}

function missingColumns(columns: (string | false)[], headers: string[]): string | undefined {
  const missing = ['title', 'description'].filter((field) => !columns.includes(field));
  if (missing.length === 0) return undefined;
  return `the header has no column for ${missing.join(' and ')}; it has: ${asText(headers.join(', '))}`;
}

function decodeCells(record: Record<string, string>): Record<string, string> | undefined {
  const cells: Record<string, string> = {};
  for (const [field, value] of Object.entries(record)) {
    const text = fromLatin1(value);
    if (text === undefined) return undefined;
    cells[field] = text;
  }
  return cells;
}

function fromLatin1(value: string): string | undefined {
  return decodeUtf8(Buffer.from(value, 'latin1'));
}

function asText(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function rowId(
  { derivedId }: ImportFile,
  { title, company, location }: Omit<JobRecord, 'externalId'>,
  ids: Map<string, number>,
): string {
  const slug = [title, company, location]
    .filter((part) => part !== undefined)
    .join(' ')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
  const id = `${derivedId.slice(0, 90)}#${slug.slice(0, 100)}`;
  const count = (ids.get(id) ?? 0) + 1;
  ids.set(id, count);
  return count === 1 ? id : `${id}~${count}`;
}

function split(cell: string | undefined, separator: RegExp): string[] {
  return (cell ?? '')
    .split(separator)
    .map((part) => part.replace(/^[\s•*·-]+/, '').trim())
    .filter((part) => part !== '');
}
