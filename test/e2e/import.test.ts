import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { addressesOf, count, pointIds, untilIndexed, withDatabase } from './support/both-stores';
import { eventually } from './support/eventually';
import { ask } from './support/graphql';
import { cleanUp, runProgram, startProgram, temporaryFolder, type Finished } from './support/program';

const FIXTURES = path.join(__dirname, 'fixtures');
const RECORDS = path.join(FIXTURES, 'records');
const SHARED_DATA = path.resolve(__dirname, '..', '..', '..', 'shared', 'data');

interface Summary {
  byType: Record<string, { created: number; updated: number; unchanged: number; rejected: number }>;
  rejected: number;
  skipped: { file: string; reason: string }[];
  isInterrupted: boolean;
}

const folder = temporaryFolder();
let url: string;

beforeAll(async () => {
  url = await startProgram(folder, ['serve'], { env: { KINDRED_DEMO: 'off' } }).ready();
});

afterAll(cleanUp);

const importInto = (...args: string[]): Promise<Finished> => runProgram(folder, ['import', ...args, '--json']);

function summaryOf({ stdout, stderr }: Finished): Summary {
  if (stdout === '') throw new Error(`no summary: ${stderr}`);
  return JSON.parse(stdout) as Summary;
}

/** How many of each type, all with the same outcome. */
function all(outcome: 'created' | 'unchanged', counts: Record<string, number>): Summary['byType'] {
  const none = { created: 0, updated: 0, unchanged: 0, rejected: 0 };
  return Object.fromEntries(Object.entries(counts).map(([type, number]) => [type, { ...none, [outcome]: number }]));
}

async function expectBothStoresToAgree(): Promise<void> {
  const { rows, ledger, points } = await pointIds(addressesOf(folder));
  expect(rows.length).toBeGreaterThan(0);
  expect(ledger).toEqual(rows);
  expect(points).toEqual(rows);
}

describe('import of every format', () => {
  const COUNTS = { tag: 2, profile: 3, job: 5, story: 3, resume: 1, content: 1 };

  it('returns with --wait once everything is written and can be found', async () => {
    const finished = await importInto(RECORDS, '--wait');

    expect(finished.code).toBe(0);
    expect(summaryOf(finished)).toEqual({
      byType: all('created', COUNTS),
      failed: 0,
      rejected: 0,
      skipped: [],
      isInterrupted: false,
    });
    await expectBothStoresToAgree();
    const found = await ask<{ searchStories: { nodes: { title: string }[] } }>(
      url,
      '{ searchStories(query: { text: "the lamps bent down to listen", mode: LEXICAL }, first: 1) { nodes { title } } }',
    );
    expect(found.searchStories.nodes).toEqual([{ title: "The Lamplighter's Ladder" }]);
  });

  it('keeps what each format says', async () => {
    const answer = await ask(
      url,
      `{
        profiles(filter: { name: { eq: "Tove Brandt" } }) {
          nodes {
            headline location skills { name category } projects { name technologies } educations { institution }
            workExperiences { title company startDate highlights }
          }
        }
        tag(name: "Stone bridges") { scheme parent { name category scheme } }
        tagSchemes { name kinds threshold }
        job(externalId: "fx-csv-1") { title company location }
        resume(externalId: "fx-resume-1") { profile { name } }
        story(externalId: "file:the-clock.md") { title chunks { totalCount } }
        well: story(externalId: "file:the-well.txt") { title }
        content(contentType: "thought", contentId: "1") { content }
      }`,
    );

    expect(answer).toMatchObject({
      profiles: {
        nodes: [
          {
            headline: 'Instrument Maker',
            location: 'Lund, SE',
            skills: [
              { name: 'Spruce', category: 'Wood' },
              { name: 'Maple', category: 'Wood' },
            ],
            projects: [{ name: 'A travelling viola', technologies: ['Carbon fibre'] }],
            educations: [{ institution: 'School of Crafts' }],
            workExperiences: [{ title: 'Luthier', company: 'Harbour Luthiers' }],
          },
        ],
      },
      tag: { scheme: 'general', parent: { name: 'Bridges', category: 'fixtures', scheme: 'fixtures' } },
      tagSchemes: [
        { name: 'fixtures', kinds: ['STORY', 'CONTENT_ITEM'], threshold: 0.4 },
        { name: 'general' },
        { name: 'job' },
      ],
      job: { title: 'Ferry Pilot', company: 'Sound Lines', location: 'Helsingør' },
      resume: { profile: { name: 'Ines Falk' } },
      story: { title: 'The Clock That Waited', chunks: { totalCount: 2 } },
      well: { title: 'The Well at Noon' },
      content: { content: 'A bridge is a promise between two banks.' },
    });
  });

  it('changes nothing the second time', async () => {
    const { databaseUrl } = addressesOf(folder);
    const revisions = (): Promise<string> =>
      withDatabase(databaseUrl, async (client) => {
        const { rows } = await client.query<{ text: string }>(
          "SELECT string_agg(point_id || ':' || revision, ',' ORDER BY point_id) AS text FROM vector_points",
        );
        return rows[0]?.text ?? '';
      });
    const before = await revisions();

    const finished = await importInto(RECORDS, '--wait');

    expect(finished.code).toBe(0);
    expect(summaryOf(finished).byType).toEqual(all('unchanged', COUNTS));
    expect(await revisions()).toBe(before);
    expect(existsSync(path.join(folder, 'kindred-rejects.jsonl'))).toBe(false);
  });
});

describe('import of records that are wrong', () => {
  it('takes the others, keeps the bad ones with file, line and reason, and ends with 1', async () => {
    const notUtf8 = path.join(folder, 'latin1.txt');
    writeFileSync(notUtf8, Buffer.from('A caf\u00e9\n\nwith an accent of 1987', 'latin1'));
    const faulty = path.join(FIXTURES, 'faulty');

    const finished = await importInto(faulty, notUtf8, '--rejects', 'out/rejects.jsonl');

    expect(finished.code).toBe(1);
    const { byType, rejected } = summaryOf(finished);
    expect(byType.job).toEqual({ created: 2, updated: 0, unchanged: 0, rejected: 0 });
    expect(byType.resume).toEqual({ created: 0, updated: 0, unchanged: 0, rejected: 1 });
    expect(rejected).toBe(5);
    const rejects = readFileSync(path.join(folder, 'out', 'rejects.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; line: number; reason: string; raw: string });
    expect(rejects.map(({ file, line }) => `${path.basename(file)}:${line}`)).toEqual([
      'jobs.jsonl:2',
      'jobs.jsonl:3',
      'jobs.jsonl:4',
      'latin1.txt:1',
      'resumes.jsonl:1',
    ]);
    const [json, title, twice, bytes, parent] = rejects.map(({ reason }) => reason);
    expect(json).toMatch(/not valid JSON/);
    expect(title).toMatch(/title/);
    expect(twice).toMatch(/already on line 1/);
    expect(bytes).toMatch(/not UTF-8/);
    expect(parent).toMatch(/external id 'nobody'/);
    expect(rejects[1]?.raw).toContain('A job without a title.');
    for (const { file, line, reason } of rejects) expect(finished.stderr).toContain(`${file}:${line}: ${reason}`);
  });

  it.each([
    [['absent.jsonl'], /absent\.jsonl does not exist/],
    [['picture.png'], /\.png is no known type.*JSON Resume/],
  ])('says what is wrong with %j, and ends with 1', async (paths, message) => {
    writeFileSync(path.join(folder, 'picture.png'), '');
    const { code, stdout, stderr } = await importInto(...paths);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('import that is stopped', () => {
  const TOTAL = 3000;
  const stopAfter = randomInt(1, 1500);

  it(`leaves whole records when it is stopped after ${stopAfter} of ${TOTAL}, and goes on from there`, async () => {
    const file = path.join(folder, 'jobs-many.jsonl');
    const lines = Array.from({ length: TOTAL }, (_, i) =>
      JSON.stringify({ id: `many-${i}`, title: `Lamp ${i}`, description: `Light lamp number ${i} at dusk.` }),
    );
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { databaseUrl } = addressesOf(folder);
    const program = startProgram(folder, ['import', file, '--json']);
    const written = await withDatabase(databaseUrl, async (client) => {
      await eventually('the moment to stop it', async () => {
        const soFar = await count(client, "job_descriptions WHERE external_id LIKE 'many-%'");
        return soFar >= stopAfter ? true : undefined;
      });
      program.kill('SIGINT');
      expect(await program.ended).toEqual({ code: 130, signal: null });
      return count(client, "job_descriptions WHERE external_id LIKE 'many-%'");
    });
    const interrupted = JSON.parse(program.stdout()) as Summary;
    expect(interrupted.isInterrupted).toBe(true);
    expect(interrupted.byType.job?.created).toBe(written);
    expect(written).toBeLessThan(TOTAL);

    const finished = await importInto(file);

    expect(finished.code).toBe(0);
    expect(summaryOf(finished).byType.job).toEqual({
      created: TOTAL - written,
      updated: 0,
      unchanged: written,
      rejected: 0,
    });
    await untilIndexed(addressesOf(folder));
    await expectBothStoresToAgree();
  });
});

const lineCount = (file: string): number =>
  readFileSync(path.join(SHARED_DATA, file), 'utf8').trimEnd().split('\n').length;

(existsSync(SHARED_DATA) ? describe : describe.skip)(
  'import of the shared data (skipped where the checkout has no ../shared/data beside it)',
  () => {
    it('creates every record, and changes none the second time', async () => {
      const counts = {
        tag: lineCount('tags.jsonl'),
        profile: lineCount('profiles.jsonl'),
        job: lineCount('jobs.jsonl') + lineCount('jobs_real.jsonl'),
        story: lineCount('stories.jsonl'),
        resume: lineCount('resumes.jsonl'),
      };

      const first = await importInto(SHARED_DATA, '--wait');
      const second = await importInto(SHARED_DATA, '--wait');

      expect([first.code, second.code]).toEqual([0, 0]);
      expect(summaryOf(first)).toMatchObject({ byType: all('created', counts), rejected: 0 });
      expect(summaryOf(second)).toMatchObject({ byType: all('unchanged', counts), rejected: 0 });
      await expectBothStoresToAgree();
    });
  },
);
