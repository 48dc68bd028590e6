import { afterAll, describe, expect, it } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Client } from 'pg';

import { addressesOf, count, pointIds, untilIndexed, withDatabase } from './support/both-stores';
import { eventually } from './support/eventually';
import { ask } from './support/graphql';
import {
  cleanUp,
  expectNoPostgres,
  postgresProcesses,
  readRuntime,
  runProgram,
  startProgram,
  temporaryFolder,
  type Program,
} from './support/program';

afterAll(cleanUp);

/** Points that the vector server has acknowledged so far; undefined while there is nobody to ask. */
async function indexedPoints(folder: string): Promise<number | undefined> {
  const runtime = readRuntime(folder);
  if (runtime === undefined) return undefined;
  return withDatabase(runtime.databaseUrl, (client) => count(client, "vector_points WHERE state = 'indexed'")).catch(
    () => undefined,
  );
}

/** Lets the demo get as far as its last table, and no further until the connection ends. */
async function holdTheDemo(client: Client): Promise<void> {
  await client.query('BEGIN');
  await client.query('LOCK TABLE content_items IN SHARE MODE');
  await eventually('the demo to reach its last table', async () => {
    const waiting = await count(client, "pg_locks WHERE NOT granted AND relation = 'content_items'::regclass");
    const written = await count(client, 'content_items');
    return waiting > 0 || written > 0 ? true : undefined;
  });
}

/** Nobody may have to wait for the leases of a process that was killed. */
const LONG_LEASES = { KINDRED_RELAY_LEASE_MS: '3600000' };

describe('serve killed while it starts', () => {
  const folder = temporaryFolder();
  const moments = {
    logLine: randomInt(1, 12),
    firstPoints: randomInt(0, 20),
    laterPoints: randomInt(20, 150),
  };

  async function killWhen(isTime: (program: Program) => boolean | Promise<boolean>): Promise<void> {
    // Every step of the start is a line at this level.
    const program = startProgram(folder, ['serve'], { env: { ...LONG_LEASES, KINDRED_LOG_LEVEL: 'debug' } });
    await eventually('the moment to kill it', async () => {
      if (program.hasEnded()) throw new Error(`it ended by itself:\n${program.stderr()}`);
      return (await isTime(program)) ? true : undefined;
    });
    program.kill('SIGKILL');
    expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await expectNoPostgres(folder);
  }

  it(`leaves no PostgreSQL behind, and the next start has everything: ${JSON.stringify(moments)}`, async () => {
    await killWhen((program) => program.logs().length >= moments.logLine);
    let holding: Promise<void> | undefined;
    let isHeld = false;
    await killWhen((program) => {
      const runtime = readRuntime(folder);
      // The file may still be that of the one that was killed before.
      if (runtime?.pid === program.pid) {
        holding ??= withDatabase(runtime.databaseUrl, async (client) => {
          const killed = new Promise((resolve) => client.once('end', resolve));
          await holdTheDemo(client);
          isHeld = true;
          await killed;
        });
      }
      return isHeld;
    });
    await holding;
    await killWhen(async () => ((await indexedPoints(folder)) ?? -1) >= moments.firstPoints);
    await killWhen(async () => ((await indexedPoints(folder)) ?? -1) >= moments.laterPoints);

    const program = startProgram(folder, ['serve'], { env: LONG_LEASES });
    const url = await program.ready();
    await untilIndexed(addressesOf(folder));

    const { rows, ledger, points } = await pointIds(addressesOf(folder));
    expect(ledger).toEqual(rows);
    expect(points).toEqual(rows);
    const totals = await ask<Record<string, { totalCount: number }>>(
      url,
      `{ profiles { totalCount } jobs { totalCount } resumes { totalCount }
           stories { totalCount } tags { totalCount } contents { totalCount } }`,
    );
    expect(Object.values(totals).map(({ totalCount }) => totalCount)).toEqual([14, 24, 5, 12, 31, 17]);
    program.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
});

describe('serve whose embedded servers die', () => {
  const folder = temporaryFolder();
  const env = { KINDRED_DEMO: 'off' };

  it('says that PostgreSQL is gone, and ends with an error', async () => {
    const program = startProgram(folder, ['serve'], { env });
    await program.ready();

    for (const pid of postgresProcesses(folder)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // One that ended by itself since, or with those before it.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }

    expect(await program.ended).toEqual({ code: 1, signal: null });
    const fatal = program.logs().filter(({ level }) => level === 'fatal');
    expect(fatal.map(({ msg }) => msg)).toEqual(['The embedded PostgreSQL ended unexpectedly.']);
    expect(program.stderr()).not.toMatch(/^\s+at /m);
    expect(readRuntime(folder)).toBeUndefined();
  });

  it('says that the vector server is gone, and ends with an error', async () => {
    const preload = path.join(folder, 'end-threads-on-signal.cjs');
    writeFileSync(
      preload,
      `const threads = [];
         require('node:diagnostics_channel').subscribe('worker_threads', ({ worker }) => threads.push(worker));
         process.on('SIGUSR2', () => threads.forEach((thread) => thread.terminate()));`,
    );
    const program = startProgram(folder, ['serve'], { env, nodeOptions: ['--require', preload] });
    await program.ready();

    program.kill('SIGUSR2');

    expect(await program.ended).toEqual({ code: 1, signal: null });
    const fatal = program.logs().filter(({ level }) => level === 'fatal');
    expect(fatal.map(({ msg }) => msg)).toEqual(['The embedded vector server ended unexpectedly.']);
    expect(program.stderr()).not.toMatch(/^\s+at /m);
    await expectNoPostgres(folder);
  });

  it('starts again as if nothing had been', async () => {
    const { code, stdout, stderr } = await runProgram(folder, ['status', '--json'], { env });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ backlog: { sources: 0, points: 0, dead: 0 } });
  });
});
