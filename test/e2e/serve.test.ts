import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { addressesOf, pointIds, withDatabase } from './support/both-stores';
import { eventually } from './support/eventually';
import { ask, post } from './support/graphql';
import {
  cleanUp,
  dataFolder,
  expectNoPostgres,
  readRuntime,
  runProgram,
  startProgram,
  temporaryFolder,
  type Program,
} from './support/program';

interface ReadyOperation {
  title: string;
  query: string;
  variables: string;
}

const run = promisify(execFile);
const TOTALS = `{
  profiles { totalCount } jobs { totalCount } resumes { totalCount }
  stories { totalCount } tags { totalCount } contents { totalCount }
}`;
const DEMO_TOTALS = {
  profiles: { totalCount: 14 },
  jobs: { totalCount: 24 },
  resumes: { totalCount: 5 },
  stories: { totalCount: 12 },
  tags: { totalCount: 31 },
  contents: { totalCount: 17 },
};

afterAll(cleanUp);

describe('serve on an empty folder', () => {
  const folder = temporaryFolder();
  let program: Program;
  let url: string;

  beforeAll(async () => {
    program = startProgram(folder, ['serve']);
    url = await program.ready();
  });

  it('prints a query that runs as it stands and finds records', async () => {
    const command = /^\s*(curl .*)$/m.exec(program.stdout())?.[1] ?? '';

    const { stdout } = await run('/bin/sh', ['-c', command]);

    const { data, errors } = JSON.parse(stdout) as { data: Record<string, { nodes: unknown[] }>; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(Object.values(data)[0]?.nodes).not.toHaveLength(0);
  });

  it('prints where its health is, and is ready in every part', async () => {
    const health = /Health\s+(\S+)/.exec(program.stdout())?.[1] ?? '';

    const response = await fetch(health);

    expect(response.status).toBe(200);
    const { status, parts } = (await response.json()) as { status: string; parts: Record<string, unknown> };
    expect(status).toBe('ready');
    expect(Object.keys(parts).sort()).toEqual(['capture', 'database', 'model', 'relay', 'vectorStore']);
  });

  it('has the whole demo, all of it indexed, once it says that it is ready', async () => {
    expect(await ask(url, TOTALS)).toEqual(DEMO_TOTALS);
    const { rows, ledger, points } = await pointIds(addressesOf(folder));
    expect(rows.length).toBeGreaterThan(100);
    expect(ledger).toEqual(rows);
    expect(points).toEqual(rows);
  });

  it('answers each of the ready queries, and the same way however often it is asked', async () => {
    const operations = (await (await fetch(`${url}/explorer/operations.json`)).json()) as ReadyOperation[];
    const queries = operations.filter(
      ({ query, variables }) => !/^(mutation|subscription)/.test(query) && !/syncToken/.test(variables),
    );
    expect(queries.length).toBeGreaterThan(4);

    for (const { title, query, variables } of [...queries, { title: 'totals', query: TOTALS, variables: '' }]) {
      const first = await post(url, query, variables === '' ? {} : (JSON.parse(variables) as object));
      expect({ title, errors: first.errors }).toEqual({ title, errors: undefined });
      for (let again = 0; again < 4; again++) {
        const answer = await post(url, query, variables === '' ? {} : (JSON.parse(variables) as object));
        expect({ title, answer }).toEqual({ title, answer: first });
      }
    }
  });

  it('is the only one on its folder: another is told who has it', async () => {
    const { code, stderr } = await runProgram(folder, ['serve']);

    expect(code).toBe(1);
    const message = stderr.trim().split('\n');
    expect(message).toHaveLength(1);
    expect(message[0]).toContain(`in use by Kindred with process id ${program.pid} at ${url}`);
    expect(message[0]).toContain('KINDRED_DATA_DIR');
    expect(await ask(url, TOTALS)).toEqual(DEMO_TOTALS);
  });

  it('lets a running request end when it is asked to stop, and takes no more', async () => {
    const { databaseUrl } = addressesOf(folder);

    await withDatabase(databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE profiles IN ACCESS EXCLUSIVE MODE');
      const held = ask<typeof DEMO_TOTALS>(url, '{ profiles { totalCount } }');
      await withDatabase(databaseUrl, (watcher) =>
        eventually('the request to wait', async () => {
          const { rows } = await watcher.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
          return rows.length > 0 ? true : undefined;
        }),
      );

      program.kill('SIGTERM');
      await eventually('it to stop listening', () =>
        fetch(`${url}/health/live`).then(
          async (response) => {
            await response.text();
            return undefined;
          },
          () => true,
        ),
      );
      expect(program.hasEnded()).toBe(false);
      await client.query('COMMIT');

      expect((await held).profiles).toEqual(DEMO_TOTALS.profiles);
    });
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(readRuntime(folder)).toBeUndefined();
    await expectNoPostgres(folder);
    expect(program.logs().filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('starts again with what is there, does not load the demo again, and stops on ^C', async () => {
    const again = startProgram(folder, ['serve']);
    const urlNow = await again.ready();
    const { databaseUrl } = addressesOf(folder);
    expect(await ask(urlNow, TOTALS)).toEqual(DEMO_TOTALS);
    const rewritten = await withDatabase(databaseUrl, (client) =>
      client.query('SELECT 1 FROM profiles WHERE updated_at > created_at'),
    );
    expect(rewritten.rows).toEqual([]);

    again.kill('SIGINT');

    expect(await again.ended).toEqual({ code: 0, signal: null });
    await expectNoPostgres(folder);
  });
});

describe('serve that cannot start', () => {
  it('names a port that is taken, in one line', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const folder = temporaryFolder();
    try {
      const { code, stdout, stderr } = await runProgram(folder, ['serve'], {
        env: { PORT: String(port), KINDRED_LOG_LEVEL: 'warn' },
      });

      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toBe(
        `kindred: Port ${port} on 127.0.0.1 is taken by another program. Choose another with PORT, e.g. PORT=${port + 1}.\n`,
      );
      expect(existsSync(dataFolder(folder))).toBe(false);
    } finally {
      server.close();
    }
  });

  it('refuses an address that others reach, without authentication', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await runProgram(folder, ['serve'], {
      env: { HOST: '0.0.0.0', KINDRED_LOG_LEVEL: 'warn' },
    });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^kindred: Refusing to listen on 0\.0\.0\.0 without authentication.*KINDRED_API_KEYS.*\n$/);
    expect(existsSync(dataFolder(folder))).toBe(false);
  });

  it('lists everything that is wrong with its settings, and repeats no secret', async () => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await runProgram(folder, ['serve'], {
      env: {
        PORT: '70000',
        KINDRED_DEMO: 'maybe',
        DATABASE_URL: 'mysql://root:hunter2@db/x',
        KINDRED_API_KEYS: 'root:hunter2',
        KINDRED_RELAY_LEASE_MS: '1.5',
      },
    });

    expect(code).toBe(1);
    expect(stdout).toBe('');
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe('kindred: 5 settings are wrong:');
    expect(lines.slice(1).map((line) => /^ {2}- (\w+) /.exec(line)?.[1])).toEqual([
      'PORT',
      'KINDRED_DEMO',
      'DATABASE_URL',
      'KINDRED_API_KEYS',
      'KINDRED_RELAY_LEASE_MS',
    ]);
    expect(stderr).not.toContain('hunter2');
    expect(readRuntime(folder)).toBeUndefined();
  });
});
