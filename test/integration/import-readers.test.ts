import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findImportFiles } from '../../src/import/import-files';
import type { FoundFiles, ImportKind } from '../../src/import/import-files';
import { readImportFile } from '../../src/import/import-reader';
import type { ImportItem, ImportRecord, Reject } from '../../src/import/import-records';
import { RejectsFile } from '../../src/import/rejects-file';

type Found = Extract<ImportItem, { kind: 'record' }>;

let scratch: string;
let folder: string;
let folderNumber = 0;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'kindred-import-'));
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(async () => {
  folder = path.join(scratch, String(folderNumber++));
  await mkdir(folder);
});

async function put(name: string, content: string | Buffer): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function readAll(found: FoundFiles): Promise<{ records: Found[]; rejects: Reject[]; skipped: string[] }> {
  const result = { records: [] as Found[], rejects: [] as Reject[], skipped: found.skipped.map(({ file }) => file) };
  for (const file of found.files) {
    let offset = 0;
    for await (const item of readImportFile(file)) {
      expect(item.offset).toBeGreaterThanOrEqual(offset);
      expect(item.offset).toBeLessThanOrEqual(file.sizeBytes);
      offset = item.offset;
      if (item.kind === 'record') result.records.push(item);
      else if (item.kind === 'reject') result.rejects.push(item.reject);
      else result.skipped.push(item.file);
    }
  }
  return result;
}

async function read(name: string, content: string | Buffer, as?: ImportKind) {
  return readAll(await findImportFiles([await put(name, content)], as));
}

const bare = ({ type, record }: Found): ImportRecord => ({ type, record }) as ImportRecord;
const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('JSON lines', () => {
  it('reads each kind into its record', async () => {
    const profile = {
      id: 'p1',
      name: 'Ada Byron',
      email: 'ada@example.org',
      headline: ' ',
      summary: null,
      skills: [{ name: 'Analysis', category: 'Mathematics' }, 'Poetry'],
      workExperiences: [{ title: 'Analyst', startDate: '1842-3', endDate: 'present', highlights: ['Note G', ''] }],
      education: [{ institution: 'At home' }],
      projects: [{ name: 'Engine', url: 'https://example.org' }],
      shoeSize: 38,
    };
    const { records, rejects } = await read('profiles.jsonl', lines(profile));
    expect(rejects).toEqual([]);
    expect(records.map(bare)).toEqual([
      {
        type: 'profile',
        record: {
          externalId: 'p1',
          name: 'Ada Byron',
          email: 'ada@example.org',
          skills: [{ name: 'Analysis', category: 'Mathematics' }, { name: 'Poetry' }],
          workExperiences: [{ title: 'Analyst', startDate: '1842-03', highlights: ['Note G'], skillsUsed: [] }],
          educations: [{ institution: 'At home' }],
          projects: [{ name: 'Engine', technologies: [], url: 'https://example.org' }],
        },
      },
    ]);
    const others = await Promise.all([
      read('resumes.jsonl', lines({ id: 'r1', profileId: 'p1', title: 'T', content: 'C' })),
      read('jobs.jsonl', lines({ id: 'j1', title: 'T', description: 'D', skills: ['Go'], educationRequired: null })),
      read('stories.jsonl', lines({ id: 's1', title: 'T', paragraphs: [{ id: 'x', text: 'One. ' }, 'Two.'] })),
      read('tags.jsonl', lines({ id: 't1', name: 'N', scheme: 'S', parent: 't0' })),
      read('contents.jsonl', lines({ content_type: 'post', content_id: 7, content: 'Hi', source_type: 'Chat' })),
    ]);
    expect(others.flatMap((result) => result.records.map(bare))).toEqual([
      { type: 'resume', record: { externalId: 'r1', profileExternalId: 'p1', title: 'T', content: 'C' } },
      {
        type: 'job',
        record: {
          externalId: 'j1',
          title: 'T',
          description: 'D',
          responsibilities: [],
          requirements: [],
          skills: [{ name: 'Go' }],
        },
      },
      { type: 'story', record: { externalId: 's1', title: 'T', content: 'One.\n\nTwo.' } },
      { type: 'tag', record: { externalId: 't1', name: 'N', scheme: 'S', category: 'S', parent: 't0' } },
      {
        type: 'content',
        record: { externalId: 'post:7', contentType: 'post', contentId: '7', content: 'Hi', sourceType: 'Chat' },
      },
    ]);
  });

  it('rejects what is wrong by file and line and reads the rest', async () => {
    const good = (id: string) => JSON.stringify({ id, name: id });
    const bytes = Buffer.concat([
      Buffer.from(`\uFEFF${good('t1')}\r\n\r\n{"id": "t2", "name": \n`),
      Buffer.from([...Buffer.from('{"id":"t3","name":"caf'), 0xe9, ...Buffer.from('"}\n')]),
      Buffer.from(`[1]\n${JSON.stringify({ id: 7, description: 'x' })}\n${good('t1')}\n${good('t4')}`),
    ]);
    const { records, rejects } = await read('tags.jsonl', bytes);
    expect(records.map(({ record, line }) => [record.externalId, line])).toEqual([
      ['t1', 1],
      ['t4', 8],
    ]);
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [3, expect.stringMatching(/^the line is not valid JSON: /)],
      [4, 'the line is not UTF-8: byte 0xe9 at position 23'],
      [5, 'the record is of type array; it must be an object'],
      [6, 'id is of type number; it must be a string, name is missing; it must be a string'],
      [7, 'the id "t1" is already on line 1 of this file'],
    ]);
    expect(rejects[0]?.raw).toBe('{"id": "t2", "name": ');
    expect(Buffer.from(rejects[1]?.rawBase64 ?? '', 'base64').includes(0xe9)).toBe(true);
    expect(rejects.every(({ file }) => file === path.join(folder, 'tags.jsonl'))).toBe(true);
  });

  it('names nested fields and impossible dates', async () => {
    const profile = (experience: object) => ({ id: 'p', name: 'P', workExperiences: [experience] });
    const { rejects } = await read(
      'profiles.jsonl',
      lines(profile({ company: 'C' }), profile({ title: 'T', startDate: '2021-02-30' }), { id: 'q', name: ' ' }),
    );
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'workExperiences[0].title is missing; it must be a string',
      'workExperiences[0].startDate is "2021-02-30", not a date such as 2021, 2021-04 or 2021-04-30',
      'name must not be empty',
    ]);
  });

  it('reads lines longer than a chunk, and rejects absurd ones without holding them', async () => {
    const long = { id: 'r1', profileId: 'p1', title: 'T', content: 'é'.repeat(400_000) };
    const absurd = Buffer.alloc(33 * 1024 * 1024, 'x');
    const { records, rejects } = await read(
      'resumes.jsonl',
      Buffer.concat([Buffer.from(lines(long)), absurd, Buffer.from(`\n${lines({ ...long, id: 'r2', content: 'C' })}`)]),
    );
    expect(records.map(({ record, line }) => [record.externalId, line])).toEqual([
      ['r1', 1],
      ['r2', 3],
    ]);
    expect(records[0]?.record).toMatchObject({ content: long.content });
    expect(rejects).toEqual([{ file: expect.any(String), line: 2, reason: 'the line is longer than 32 MB', raw: '' }]);
  });

  it('says so when a file is UTF-16', async () => {
    const { rejects } = await read('tags.jsonl', Buffer.from('\uFEFF{"id":"t"}', 'utf16le'));
    expect(rejects[0]?.reason).toBe('the line is UTF-16, and must be UTF-8');
  });
});

describe('JSON Resume', () => {
  const resume = {
    basics: {
      name: 'Grace Murray',
      label: 'Programmer',
      email: 'grace@example.org',
      location: { city: 'Arlington', region: 'VA', countryCode: 'US' },
    },
    work: [{ name: 'Navy', position: 'Rear Admiral', startDate: '1943-12-01T00:00:00Z', highlights: ['COBOL'] }],
    education: [{ institution: 'Yale', area: 'Mathematics', studyType: 'PhD', endDate: '1934' }],
    skills: [{ name: 'Languages', level: 'Master', keywords: ['COBOL', 'FLOW-MATIC'] }, { name: 'Teaching' }],
    projects: [{ name: 'A-0', description: 'A linker.', highlights: ['First of its kind.'], keywords: ['UNIVAC'] }],
    interests: [{ name: 'Clocks' }],
  };

  it('becomes a profile with an id from its place below the folder', async () => {
    await put('people/grace.json', JSON.stringify(resume));
    const { records, rejects } = await readAll(await findImportFiles([folder]));
    expect(rejects).toEqual([]);
    expect(records.map(bare)).toEqual([
      {
        type: 'profile',
        record: {
          externalId: 'file:people/grace.json',
          name: 'Grace Murray',
          headline: 'Programmer',
          email: 'grace@example.org',
          location: 'Arlington, VA, US',
          skills: [
            { name: 'COBOL', category: 'Languages', level: 'Master' },
            { name: 'FLOW-MATIC', category: 'Languages', level: 'Master' },
            { name: 'Teaching' },
          ],
          workExperiences: [
            { title: 'Rear Admiral', company: 'Navy', startDate: '1943-12-01', highlights: ['COBOL'], skillsUsed: [] },
          ],
          educations: [{ institution: 'Yale', area: 'Mathematics', studyType: 'PhD', endDate: '1934' }],
          projects: [{ name: 'A-0', description: 'A linker.\nFirst of its kind.', technologies: ['UNIVAC'] }],
        },
      },
    ]);
  });

  it('is skipped in a folder when it is something else, and rejected when it was named', async () => {
    const file = await put('package.json', '{"name":"x"}');
    expect(await readAll(await findImportFiles([folder]))).toEqual({ records: [], rejects: [], skipped: [file] });
    const { rejects } = await readAll(await findImportFiles([file]));
    expect(rejects[0]?.reason).toBe('basics is missing; it must be an object');
  });

  it('is rejected with the line where its JSON breaks', async () => {
    const { rejects } = await read('cv.json', '{\n  "basics": {\n    "name": oops\n  }\n}');
    expect(rejects).toEqual([expect.objectContaining({ line: 3, reason: expect.stringMatching(/not valid JSON/) })]);
    const nameless = await read('cv2.json', JSON.stringify({ basics: {}, work: [{ summary: 'x' }] }));
    expect(nameless.rejects[0]?.reason).toBe(
      'basics.name is missing; it must be a string, work[0] has neither a position nor a name',
    );
  });
});

describe('stories as text', () => {
  it('lose nothing between rules, which are no settings', async () => {
    const texts = ['---\n\nA hen.\n\n---\n\nA fox.', '---\nA hen woke.\n---\nA fox.'];
    await put('a.md', texts[0] ?? '');
    await put('b.txt', texts[1] ?? '');
    await put('c.md', '---\n# Kept by a tool\ntitle: Owl\ntags:\n  - night\n---\nMoon.');
    const { records } = await readAll(await findImportFiles([folder]));
    expect(records.map(({ record }) => record)).toMatchObject([
      { title: 'A', content: texts[0] },
      { title: 'B', content: texts[1] },
      { title: 'Owl', content: 'Moon.' },
    ]);
  });

  it('take their title from a heading that is underlined', async () => {
    await put('a.md', '\nThe Fox \n=======\n\nOne.\n');
    await put('b.md', 'The Hen\n---\nTwo.\n\nHeading\n===\n');
    await put('c.md', '- item\n---\n\nThree.\n');
    const { records } = await readAll(await findImportFiles([folder]));
    expect(records.map(({ record }) => record)).toMatchObject([
      { title: 'The Fox', content: 'One.' },
      { title: 'The Hen', content: 'Two.\n\nHeading\n===' },
      { title: 'C', content: '- item\n---\n\nThree.' },
    ]);
  });

  it('take title and settings from where people put them', async () => {
    await put(
      'a-fox.md',
      '---\ntitle: "The Fox"\nauthor: Ann\ncollection: Fables\nid: fox-1\n---\n\nOne\nline.\n\n\nTwo.\n',
    );
    await put('b-hen.md', '# The Hen #\nOnce.\n\n  Twice.  ');
    await put('c-old_owl.txt', 'The Owl\r\n\r\nShe sat.\r\n\r\nShe thought.');
    await put('d-no-title.txt', 'It was late.\n\nVery late.');
    const { records, rejects } = await readAll(await findImportFiles([folder]));
    expect(rejects).toEqual([]);
    expect(records.map(({ record }) => record)).toEqual([
      {
        externalId: 'fox-1',
        title: 'The Fox',
        author: 'Ann',
        collection: 'Fables',
        content: 'One\nline.\n\n\nTwo.',
        isMarkdown: true,
      },
      { externalId: 'file:b-hen.md', title: 'The Hen', content: 'Once.\n\n  Twice.', isMarkdown: true },
      { externalId: 'file:c-old_owl.txt', title: 'The Owl', content: 'She sat.\n\nShe thought.' },
      { externalId: 'file:d-no-title.txt', title: 'D no title', content: 'It was late.\n\nVery late.' },
    ]);
  });

  it('keep what Markdown means, and say how they are chunked', async () => {
    await put('a.md', '\n# A\n\n    code\n\n\n    more\n\n## One\n\n- a\n\n  b\n');
    await put('b.txt', '---\nchunking: Token\nchunkTokens: 64\nchunkOverlap: 8\nchunkContext: title\n---\nOnce.');
    const { records } = await readAll(await findImportFiles([folder]));
    expect(records.map(({ record }) => record)).toEqual([
      {
        externalId: 'file:a.md',
        title: 'A',
        content: '    code\n\n\n    more\n\n## One\n\n- a\n\n  b',
        isMarkdown: true,
      },
      {
        externalId: 'file:b.txt',
        title: 'B',
        content: 'Once.',
        chunkingStrategy: 'token',
        chunkTokens: 64,
        chunkOverlap: 8,
        chunkContext: 'title',
      },
    ]);
  });

  it('are rejected when they hold no text, or text that is not UTF-8', async () => {
    const empty = await read('empty.md', '# Only a title\n');
    expect(empty.rejects[0]?.reason).toBe('the story has no text');
    const latin1 = await read('latin1.txt', Buffer.from('One.\n\nCaf\xe9.', 'latin1'));
    expect(latin1.rejects[0]).toMatchObject({ line: 3, reason: 'the file is not UTF-8: byte 0xe9 at position 10' });
  });
});

describe('jobs as a table', () => {
  it('maps headers however they are written, and derives ids that survive other rows', async () => {
    const csv = [
      'Job Title;Company Name;Description;Required Skills;Responsibilities;Nonsense',
      'Baker;"Crust; Co";"Bakes bread,\nearly.";Ovens, Dough;- Knead|- Bake;x',
      '',
      'Baker;"Crust; Co";Another one;;;x',
    ].join('\r\n');
    const { records, rejects } = await read('openings.csv', `\uFEFF${csv}`);
    expect(rejects).toEqual([]);
    expect(records.map(({ record }) => record)).toEqual([
      {
        externalId: 'file:openings.csv#baker-crust-co',
        title: 'Baker',
        company: 'Crust; Co',
        description: 'Bakes bread,\nearly.',
        skills: [{ name: 'Ovens' }, { name: 'Dough' }],
        responsibilities: ['Knead', 'Bake'],
        requirements: [],
      },
      expect.objectContaining({ externalId: 'file:openings.csv#baker-crust-co~2', description: 'Another one' }),
    ]);
    expect(records.map(({ line }) => line)).toEqual([2, 5]);
  });

  it('rejects rows with a wrong number of cells, no title or other bytes, and reads the rest', async () => {
    const { records, rejects } = await read(
      'jobs.csv',
      Buffer.concat([
        Buffer.from('id,title,description\n1,Baker,Bakes\n2,Miller\n3,,Grinds\n4,Caf'),
        Buffer.from([0xe9]),
        Buffer.from(',x\n5,Größe,"a ""b"""\n5,Twice,x\n6,Smith,Forges\n'),
      ]),
    );
    expect(records.map(({ record, line }) => [record.externalId, line])).toEqual([
      ['1', 2],
      ['5', 6],
      ['6', 8],
    ]);
    expect(records[1]?.record).toMatchObject({ title: 'Größe', description: 'a "b"' });
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [3, expect.stringMatching(/not valid CSV: .*columns length is 3, got 2/)],
      [4, 'title must not be empty'],
      [5, expect.stringMatching(/not UTF-8: byte 0xe9/)],
      [7, 'the id "5" is already on line 6 of this file'],
    ]);
  });

  it('says which column is missing, and where a quote never ends', async () => {
    const { records, rejects } = await read('jobs.csv', 'name,description\nBaker,x\n');
    expect(records).toEqual([]);
    expect(rejects).toEqual([
      expect.objectContaining({ line: 1, reason: 'the header has no column for title; it has: name, description' }),
    ]);
    const open = await read('jobs2.csv', 'title,description\nBaker,x\nMiller,"y\nz\n');
    expect(open.records.length).toBe(1);
    expect(open.rejects).toEqual([expect.objectContaining({ line: 3, reason: expect.stringMatching(/quote/i) })]);
  });

  it('reads tabs and an empty table', async () => {
    const { records } = await read('jobs.tsv', 'title\tdescription\nBaker\tBakes, early\n');
    expect(records[0]?.record).toMatchObject({ title: 'Baker', description: 'Bakes, early' });
    const empty = await read('none.csv', '');
    expect(empty).toMatchObject({ records: [], rejects: [] });
    await put('folder/scores.tsv', 'query\tdoc\n1\t2\n');
    expect((await readAll(await findImportFiles([path.join(folder, 'folder')]))).skipped.length).toBe(1);
    await expect(read('header-only.csv', 'title,description\n')).resolves.toMatchObject({ records: [], rejects: [] });
  });
});

describe('finding files', () => {
  it('orders what refers to others last and lists what it leaves', async () => {
    for (const name of [
      'resumes.jsonl',
      'jobs_real.jsonl',
      'Jobs-2024.jsonl',
      'tags.jsonl',
      'sub/profiles.part1.ndjson',
    ]) {
      await put(name, '');
    }
    for (const name of [
      'README.md',
      'LICENSES/MIT.txt',
      'queries/title_to_jobs.jsonl',
      'score.py',
      '.hidden/jobs.jsonl',
    ]) {
      await put(name, '');
    }
    const { files, skipped } = await findImportFiles([folder, path.join(folder, 'tags.jsonl')]);
    expect(files.map(({ file, kind }) => [path.relative(folder, file), kind])).toEqual([
      ['tags.jsonl', 'tags'],
      ['sub/profiles.part1.ndjson', 'profiles'],
      ['Jobs-2024.jsonl', 'jobs'],
      ['jobs_real.jsonl', 'jobs_real'],
      ['resumes.jsonl', 'resumes'],
    ]);
    expect(skipped.map(({ file }) => path.relative(folder, file)).sort()).toEqual([
      'LICENSES',
      'README.md',
      'queries/title_to_jobs.jsonl',
      'score.py',
    ]);
  });

  it('takes a named file for what --as says', async () => {
    const file = await put('export.jsonl', lines({ id: 't1', name: 'N' }));
    await expect(findImportFiles([file])).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/export\.jsonl: its name does not say what it holds.*--as/),
    });
    const { records } = await readAll(await findImportFiles([file], 'tags'));
    expect(records.map(({ type }) => type)).toEqual(['tag']);
    await expect(findImportFiles([await put('x.csv', '')], 'stories')).rejects.toThrow(/holds jobs, not stories/);
    await expect(findImportFiles([await put('x.bin', '')])).rejects.toThrow(/\.bin is no known type/);
    await expect(findImportFiles([path.join(folder, 'absent')])).rejects.toThrow(/absent does not exist/);
  });

  it('rejects a file that went away since it was found', async () => {
    const found = await findImportFiles([
      await put('tags.jsonl', lines({ id: 't', name: 'n' })),
      await put('a.md', 'x'),
    ]);
    await rm(folder, { recursive: true });
    const { records, rejects } = await readAll(found);
    expect(records).toEqual([]);
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/cannot be read: ENOENT/),
      expect.stringMatching(/cannot be read: ENOENT/),
    ]);
  });
});

describe('RejectsFile', () => {
  it('keeps rejects as JSON lines, and makes no file without one', async () => {
    const file = path.join(folder, 'new', 'rejects.jsonl');
    const none = new RejectsFile(file);
    await none.close();
    expect(existsSync(file)).toBe(false);
    const rejects = new RejectsFile(file);
    const reject = { file: 'tags.jsonl', line: 2, reason: 'name is missing', raw: '{"id":"ä\\n"}' };
    await rejects.add(reject);
    await rejects.add({ ...reject, line: 3 });
    await rejects.close();
    await rejects.close();
    expect(rejects.count).toBe(2);
    const written = (await readFile(file, 'utf8')).trim().split('\n');
    expect(written.map((line) => (JSON.parse(line) as Reject).line)).toEqual([2, 3]);
    expect(JSON.parse(written[0] ?? '')).toEqual(reject);
  });
});

describe('the evaluation data', () => {
  const data = path.resolve(__dirname, '../../../shared/data');
  const isThere = existsSync(data);

  (isThere ? it : it.skip)(`is read whole, without a reject (skipped where ${data} is absent)`, async () => {
    const { records, rejects, skipped } = await readAll(await findImportFiles([data]));
    expect(rejects).toEqual([]);
    expect(skipped.map((file) => path.relative(data, file))).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSES',
        'queries/t3_title_to_jobs.jsonl',
        'qrels/t1_profile_to_jobs.tsv',
      ]),
    );
    const counts: Record<string, number> = {};
    for (const { type } of records) counts[type] = (counts[type] ?? 0) + 1;
    expect(counts).toEqual({ tag: 70, profile: 461, job: 594, story: 160, resume: 461 });
    expect(new Set(records.map(({ type, record }) => `${type} ${record.externalId}`)).size).toBe(records.length);
  });
});
