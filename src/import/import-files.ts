import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DomainError } from '../kernel/errors/domain-error';

/** What a file can hold, as `--as` names it. */
export const importKinds = ['profiles', 'resumes', 'jobs', 'jobs_real', 'stories', 'tags', 'contents'] as const;
export type ImportKind = (typeof importKinds)[number];

/** How a file is written. */
export type ImportSyntax = 'json-lines' | 'json-resume' | 'story-text' | 'job-table';

export interface ImportFile {
  file: string;
  kind: ImportKind;
  syntax: ImportSyntax;
  sizeBytes: number;
  /** Id for the records of a file that gives them none: `file:` and the path below the folder that was named. */
  derivedId: string;
  /** Whether the file itself was named, rather than a folder that it is in. */
  isNamed: boolean;
}

export interface FoundFiles {
  /** In the order to import them: what others refer to comes first. */
  files: ImportFile[];
  /** Files of the folders that are no records, with why. */
  skipped: { file: string; reason: string }[];
}

const SYNTAXES: Readonly<Record<string, ImportSyntax | undefined>> = {
  '.jsonl': 'json-lines',
  '.ndjson': 'json-lines',
  '.json': 'json-resume',
  '.md': 'story-text',
  '.markdown': 'story-text',
  '.txt': 'story-text',
  '.csv': 'job-table',
  '.tsv': 'job-table',
};

/** A syntax that can hold one kind only. */
const FIXED_KIND: Readonly<Record<ImportSyntax, ImportKind | undefined>> = {
  'json-lines': undefined,
  'json-resume': 'profiles',
  'story-text': 'stories',
  'job-table': 'jobs',
};

const IMPORT_ORDER: readonly ImportKind[] = ['tags', 'profiles', 'jobs', 'jobs_real', 'stories', 'resumes', 'contents'];

/** Text files that come with data and are not data, as people name them in every repository. */
const ABOUT_FILE =
  /^(readme|licen[cs]es?|copying|notice|attribution|authors|contributors|contributing|changelog|changes|history|code_of_conduct|security|todo|requirements|robots)\b/i;
const ABOUT_FOLDER = /^(licen[cs]es?|node_modules|__macosx)$/i;
const MAX_ID_LENGTH = 200;

const RECOGNISED =
  'profiles, resumes, jobs, jobs_real, stories, tags or contents as .jsonl (recognised by name, else say --as), ' +
  'JSON Resume as .json, stories as .md or .txt, jobs as .csv or .tsv';

/**
 * Finds what to import in files and folders, sub-folders included.
 * A named file must be importable; in a folder, what is not is listed as skipped.
 * @param as what the files hold, where their names do not say it
 * @throws DomainError BAD_INPUT for a path that does not exist or a named file that is nothing importable
 */
export async function findImportFiles(paths: readonly string[], as?: ImportKind): Promise<FoundFiles> {
  const found: FoundFiles = { files: [], skipped: [] };
  const seen = new Set<string>();
  for (const given of paths) {
    const facts = await stat(given).catch((error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`;
      throw new DomainError('BAD_INPUT', `${given} ${reason}.`);
    });
    if (facts.isDirectory()) await walk(given, given, as, found, seen);
    else await addFile(given, path.dirname(given), true, as, found, seen);
  }
  found.files.sort(
    (a, b) =>
      IMPORT_ORDER.indexOf(a.kind) - IMPORT_ORDER.indexOf(b.kind) || (a.file < b.file ? -1 : Number(a.file > b.file)),
  );
  return found;
}

/** `jobs_real.jsonl`, `Jobs-2024.jsonl` and `jobs.part2.jsonl` name their kind; `title_to_jobs.jsonl` does not. */
export function kindOfFileName(fileName: string): ImportKind | undefined {
  const stem = fileName.toLowerCase().replace(/\.[^.]+$/, '');
  return [...importKinds]
    .sort((a, b) => b.length - a.length)
    .find((kind) => stem === kind || (stem.startsWith(kind) && /^[^a-z]/.test(stem.slice(kind.length))));
}

async function walk(
  folder: string,
  root: string,
  as: ImportKind | undefined,
  found: FoundFiles,
  seen: Set<string>,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) {
      if (ABOUT_FOLDER.test(entry.name)) found.skipped.push({ file, reason: 'a folder about the data, not data' });
      else await walk(file, root, as, found, seen);
    } else {
      await addFile(file, root, false, as, found, seen);
    }
  }
}

async function addFile(
  file: string,
  root: string,
  isNamed: boolean,
  as: ImportKind | undefined,
  found: FoundFiles,
  seen: Set<string>,
): Promise<void> {
  const refuse = (reason: string): void => {
    if (isNamed) throw new DomainError('BAD_INPUT', `${file}: ${reason}. Kindred imports ${RECOGNISED}.`);
    found.skipped.push({ file, reason });
  };
  const facts = await stat(file).catch(() => undefined);
  if (!facts?.isFile()) return refuse('not a file that can be read');
  const real = path.resolve(file);
  if (seen.has(real)) return;
  const extension = path.extname(file).toLowerCase();
  const syntax = SYNTAXES[extension] ?? (isNamed && as !== undefined ? 'json-lines' : undefined);
  if (syntax === undefined)
    return refuse(extension === '' ? 'no file type in its name' : `${extension} is no known type`);
  if (!isNamed && ABOUT_FILE.test(path.basename(file))) return refuse('about the data, not data');
  const fixed = FIXED_KIND[syntax];
  const kind = fixed ?? as ?? kindOfFileName(path.basename(file));
  if (kind === undefined) return refuse('its name does not say what it holds');
  if (fixed !== undefined && as !== undefined && as !== fixed && !(fixed === 'jobs' && as === 'jobs_real')) {
    return refuse(`a ${extension} file holds ${fixed}, not ${as}`);
  }
  seen.add(real);
  found.files.push({ file, kind, syntax, sizeBytes: facts.size, derivedId: derivedId(root, file), isNamed });
}

/** The same for the same tree on every system, wherever the tree is. */
function derivedId(root: string, file: string): string {
  const relative = path.relative(root, file).split(path.sep).join('/').normalize('NFC');
  // The end tells files apart; room is kept for a part of a file.
  return `file:${relative.slice(-(MAX_ID_LENGTH - 50))}`;
}
