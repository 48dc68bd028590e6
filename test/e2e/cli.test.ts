import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { addressesOf, pointIds, untilIndexed } from './support/both-stores';
import { ask } from './support/graphql';
import {
  cleanUp,
  expectNoPostgres,
  readRuntime,
  runProgram,
  startProgram,
  temporaryFolder,
  type Program,
} from './support/program';

const RECORDS = path.join(__dirname, 'fixtures', 'records');
const DEMO = { profile: 14, job_description: 24, generated_resume: 5, story: 12, tag_concept: 31, content_item: 17 };

afterAll(cleanUp);

interface Status {
  kinds: { kind: string; records: number }[];
  backlog: { sources: number; points: number; dead: number };
}

async function json<Result>(folder: string, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await runProgram(folder, [...args, '--json'], {
    env: { KINDRED_LOG_LEVEL: 'warn' },
  });
  const beyondProgress = stderr.split('\n').filter((line) => !/^(Importing|Embedding): \d+\/\d+ \w+$|^$/.test(line));
  expect({ args, code, beyondProgress }).toEqual({ args, code: 0, beyondProgress: [] });
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout) as Result;
}

const recordsOf = ({ kinds }: Status): Record<string, number> =>
  Object.fromEntries(kinds.map(({ kind, records }) => [kind, records]));

describe('commands', () => {
  const folder = temporaryFolder();
  let program: Program | undefined;

  describe('without a server', () => {
    it('run on stores of their own, and leave nothing running', async () => {
      const { applied } = await json<{ applied: string[] }>(folder, 'migrate');
      expect(applied.length).toBeGreaterThan(0);

      expect((await json<{ changed: number }>(folder, 'demo')).changed).toBe(103);
      expect((await json<{ changed: number }>(folder, 'demo')).changed).toBe(0);

      const status = await json<Status>(folder, 'status');
      expect(recordsOf(status)).toMatchObject(DEMO);
      expect(status.backlog.sources).toBeGreaterThan(0);
      expect(status.backlog.dead).toBe(0);
      expect(readRuntime(folder)).toBeUndefined();
      await expectNoPostgres(folder);
    });

    it('embed by themselves what they are told to wait for', async () => {
      const summary = await runProgram(folder, ['import', RECORDS, '--wait', '--json']);

      expect(summary.code).toBe(0);
      expect(JSON.parse(summary.stdout)).toMatchObject({ byType: { job: { created: 5 } }, rejected: 0 });
      expect((await json<Status>(folder, 'status')).backlog).toMatchObject({ sources: 0, points: 0, dead: 0 });
      await expectNoPostgres(folder);
    });
  });

  describe('beside a server that was started later', () => {
    let url: string;

    beforeAll(async () => {
      program = startProgram(folder, ['serve']);
      url = await program.ready();
    });

    it('find what earlier commands wrote, all of it indexed', async () => {
      const { rows, ledger, points } = await pointIds(addressesOf(folder));
      expect(ledger).toEqual(rows);
      expect(points).toEqual(rows);
      expect(await ask(url, '{ jobs { totalCount } }')).toEqual({ jobs: { totalCount: DEMO.job_description + 5 } });
    });

    it('use its stores, and leave it as it was', async () => {
      const before = readRuntime(folder);
      const [migrate, demo, status, imported] = await Promise.all([
        json<{ applied: string[] }>(folder, 'migrate'),
        json<{ changed: number }>(folder, 'demo'),
        json<Status>(folder, 'status'),
        json<{ byType: object }>(folder, 'import', path.join(RECORDS, 'tags.jsonl'), '--wait'),
      ]);

      expect(migrate.applied.length).toBeGreaterThan(0);
      expect(demo.changed).toBe(0);
      expect(recordsOf(status)).toMatchObject({
        profile: DEMO.profile + 3,
        job_description: DEMO.job_description + 5,
        generated_resume: DEMO.generated_resume + 1,
        story: DEMO.story + 3,
        tag_concept: DEMO.tag_concept + 2,
        content_item: DEMO.content_item + 1,
      });
      expect(imported.byType).toMatchObject({ tag: { unchanged: 2 } });
      expect(readRuntime(folder)).toEqual(before);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    });

    it('show what was given up, and try it again', async () => {
      expect(await json(folder, 'dead-letters', 'list', '--kind', 'profile')).toEqual({ total: 0, deadLetters: [] });
      expect(await json(folder, 'dead-letters', 'redrive', '--all')).toEqual({ redriven: 0 });
      expect((await runProgram(folder, ['dead-letters', 'redrive'])).code).toBe(2);
      const wrong = await runProgram(folder, ['dead-letters', 'list', '--kind', 'nothing']);
      expect(wrong).toMatchObject({ code: 1, stdout: '' });
      expect(wrong.stderr).toContain("--kind: 'nothing' is none of profile,");
    });

    it('delete what was archived, and erase a person', async () => {
      const dry = ['purge', '--older-than', '0s', '--dry-run'];
      expect(await json(folder, ...dry)).toMatchObject({ records: 0, isDryRun: true });
      const { profile } = await ask<{ profile: { id: string } }>(
        url,
        '{ profile(externalId: "demo-profile-mara-lindqvist") { id } }',
      );
      await ask(url, 'mutation ($id: ID!) { archiveProfile(id: $id) { syncToken } }', { id: profile.id });
      expect(await json(folder, ...dry)).toMatchObject({ records: 1 });
      expect((await runProgram(folder, ['purge'])).stderr).toContain('--older-than');
      expect((await runProgram(folder, ['purge', '--older-than', 'long'])).code).toBe(2);

      const erased = await json<{ erasedId: string; found: object }>(
        folder,
        ...['erase', 'profile', 'demo-profile-mara-lindqvist', '--external-id'],
      );
      expect(erased.erasedId).toBe(profile.id);
      expect(new Set(Object.values(erased.found))).toEqual(new Set([0]));
      const again = await runProgram(folder, ['erase', 'profile', profile.id]);
      expect(again).toMatchObject({ code: 1, stdout: '' });
      expect(await json(folder, 'purge', '--older-than', '1s')).toMatchObject({ records: 0, isDryRun: false });
      // Whole again for what follows.
      expect((await json<{ changed: number }>(folder, 'demo')).changed).toBeGreaterThan(0);
      await untilIndexed(addressesOf(folder));
    });

    it('print for people too, results on standard output', async () => {
      const [status, migrate] = await Promise.all([
        runProgram(folder, ['status']),
        runProgram(folder, ['migrate'], { env: { KINDRED_LOG_LEVEL: 'warn' } }),
      ]);
      expect(status.stdout).toMatch(/^profile +17$/m);
      expect(status.stdout).toMatch(/waiting: \d+ records, \d+ points; given up: 0/);
      expect(migrate).toMatchObject({ code: 0, stderr: '' });
      expect(migrate.stdout).toMatch(/^The schema is up to date \(\d+ migrations\)\.\n$/);
    });

    it('do not mind a server that was killed', async () => {
      await untilIndexed(addressesOf(folder));
      program?.kill('SIGKILL');
      await program?.ended;
      expect(readRuntime(folder)).toBeDefined();

      const status = await json<Status>(folder, 'status');

      expect(recordsOf(status)).toMatchObject({ job_description: 29 });
      expect(readRuntime(folder)).toBeUndefined();
      await expectNoPostgres(folder);
    });
  });
});

describe('the command line', () => {
  const folder = temporaryFolder();

  it('prints the schema, and needs no store for it', async () => {
    const { code, stdout, stderr } = await runProgram(folder, ['schema']);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const committed = readFileSync(path.resolve(__dirname, '..', '..', 'schema.graphql'), 'utf8');
    expect(committed.endsWith(`\n${stdout}`)).toBe(true);
    expect(existsSync(path.join(folder, 'data'))).toBe(false);
  });

  it('prints its version, and help for each command', async () => {
    const [version, help, importHelp] = await Promise.all(
      [['--version'], ['--help'], ['import', '--help']].map((args) => runProgram(folder, args)),
    );
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(help?.code).toBe(0);
    for (const command of ['serve', 'worker', 'migrate', 'import', 'demo', 'status', 'schema']) {
      expect(help?.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(importHelp?.stdout).toMatch(/--wait/);
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['serve', '--fast'], "unknown option '--fast'"],
    [['import'], "missing required argument 'path'"],
    [['import', 'x.jsonl', '--as', 'poems'], 'One of profiles, resumes'],
    [['vector-server', '--port', 'http'], '0 to 65535'],
  ])('answers %j with what is wrong, the usage, and exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await runProgram(folder, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^Usage: kindred/m);
    expect(existsSync(path.join(folder, 'data'))).toBe(false);
  });
});
