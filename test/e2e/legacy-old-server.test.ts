import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';

import { cleanUp, runProgram, temporaryFolder } from './support/program';
import { eventually } from './support/eventually';

const DEBIAN = '/usr/lib/postgresql';
const NEEDED = 16;
/** Who runs the server when this process is root, which PostgreSQL refuses. */
const NOBODY = 65_534;

const old = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : []).find((version) => Number(version) < NEEDED);
const bin = path.join(DEBIAN, old ?? '', 'bin');

let place: string;
let server: ChildProcess;
let url: string;
const folder = temporaryFolder();

async function onServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

(old === undefined ? describe.skip : describe)(
  `a server that is too old for a move (skipped where ${DEBIAN} has none below ${NEEDED})`,
  () => {
    beforeAll(async () => {
      place = mkdtempSync(path.join(os.tmpdir(), 'kindred-old-'));
      const data = path.join(place, 'data');
      mkdirSync(data, { mode: 0o700 });
      const isRoot = process.getuid?.() === 0;
      if (isRoot) for (const made of [place, data]) chownSync(made, NOBODY, NOBODY);
      const as = { cwd: place, stdio: 'ignore' as const, ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) };
      spawnSync(path.join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '-N'], as);
      server = spawn(path.join(bin, 'postgres'), ['-D', data, '-k', place, '-c', 'listen_addresses=', '-F'], as);
      url = `postgres://postgres@/postgres?host=${encodeURIComponent(place)}`;
      await eventually('the server', () =>
        onServer(async (client) => (await client.query('SELECT 1')).rows.length).catch(() => undefined),
      );
      await onServer(async (client) => {
        await client.query(`CREATE TABLE vector_embeddings (
        id SERIAL PRIMARY KEY, entity_type TEXT, entity_id TEXT, qdrant_point_id TEXT, metadata_json TEXT)`);
      });
    });

    afterAll(async () => {
      await cleanUp();
      const ended = once(server, 'exit');
      if (server.exitCode === null && server.kill('SIGINT')) await ended;
      rmSync(place, { recursive: true, force: true });
    });

    const run = (...args: string[]) => runProgram(folder, args, { env: { DATABASE_URL: url, KINDRED_DEMO: 'off' } });

    beforeAll(async () => {
      expect(await run('migrate')).toMatchObject({ code: 0 });
    });

    it.each([
      ['plan', []],
      ['copy', ['--reembed', '--no-wait']],
    ])('is named by legacy %s, with what is needed', async (command, options) => {
      const { code, stderr, stdout } = await run('legacy', command, ...options);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(
        new RegExp(`DATABASE_URL: this server is PostgreSQL ${old}\\..*needs PostgreSQL ${NEEDED} or later`),
      );
      await onServer(async (client) => {
        expect((await client.query('SELECT * FROM legacy_move')).rows).toEqual([]);
        expect(
          (await client.query(`SELECT tgname FROM pg_trigger WHERE tgname LIKE 'kindred\\_legacy%'`)).rows,
        ).toEqual([]);
      });
    });

    it('has its table constrained all the same, ids and points of text too', async () => {
      await onServer(async (client) => {
        await client.query('TRUNCATE profiles, vector_embeddings RESTART IDENTITY CASCADE');
        await client.query(`INSERT INTO profiles (name) VALUES ('Person')`);
        await client.query(`INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id) VALUES
          ('profile', '1', gen_random_uuid()), ('profile', 'one', gen_random_uuid()),
          ('profile', '99999999999', gen_random_uuid()), ('profile', '3000000000', gen_random_uuid()),
          ('profile', '1', 'no uuid'), ('profile', '2', gen_random_uuid())`);
      });
      const { code, stdout } = await run('legacy', 'constrain', '--json');
      expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
        code: 0,
        quarantined: { bad_entity_id: 3, bad_point_id: 1, no_parent: 1 },
      });
      await onServer(async (client) => {
        const { rows } = await client.query('SELECT id, entity_id FROM vector_embeddings');
        expect(rows).toEqual([{ id: 1, entity_id: 1 }]);
      });
    });
  },
);
