import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';

import { addressesOf, untilIndexed, withDatabase, type StoreAddresses } from './support/both-stores';
import { cleanUp, runProgram, startProgram, temporaryFolder, type Program } from './support/program';
import { eventually } from './support/eventually';

const COLLECTION = 'old_points';
const DIMENSIONS = 8;
const ROWS = 2_000;
const PROFILES = 500;
const TABLE = `CREATE TABLE vector_embeddings (
  id SERIAL PRIMARY KEY, entity_type VARCHAR(50) NOT NULL, entity_id INTEGER NOT NULL, qdrant_point_id UUID UNIQUE NOT NULL,
  embedding_type VARCHAR(50) NOT NULL, chunk_index INTEGER DEFAULT 0, metadata_json TEXT, created_at TIMESTAMP DEFAULT NOW()
)`;
const env = { KINDRED_DEMO: 'off', KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS) };

const folder = temporaryFolder();
const seed = randomInt(1e9);
let server: Program;
let stores: StoreAddresses;

beforeAll(async () => {
  server = startProgram(folder, ['serve'], { env });
  await server.ready();
  stores = addressesOf(folder);
});

afterAll(cleanUp);

async function qdrant(method: string, path: string, body: object): Promise<void> {
  const response = await fetch(`${stores.qdrantUrl}/collections/${COLLECTION}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'api-key': stores.qdrantApiKey ?? '', connection: 'close' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

const putPoints = (ids: readonly string[]): Promise<void> =>
  qdrant('PUT', '/points?wait=true', {
    points: ids.map((id) => ({
      id,
      vector: Array.from({ length: DIMENSIONS }, () => Math.random() - 0.5),
      payload: {},
    })),
  });

/** Numbers that depend on the seed alone. */
function numbers(): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A program that knows one table, whatever is behind its name, and keeps its own account of what must be in it. */
class OldProgram {
  readonly account = new Map<number, string>();
  writes = 0;
  private isStopping = false;
  private readonly next = numbers();
  private place = 0;

  constructor(
    private readonly client: Client,
    private readonly profiles: readonly number[],
  ) {}

  async insert(): Promise<void> {
    const point = randomUUID();
    await putPoints([point]);
    // No two of its rows are of the same record, type and chunk.
    const place = this.place++;
    const { rows } = await this.client.query<{ id: number }>(
      `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
       VALUES ('profile', $1, $2, 'summary', $3, 'written') RETURNING id`,
      [this.profiles[place % this.profiles.length], point, Math.floor(place / this.profiles.length)],
    );
    this.account.set(rows[0]?.id ?? 0, `${point} written`);
  }

  async step(): Promise<void> {
    const ids = [...this.account.keys()];
    const id = ids[this.next(ids.length)] as number;
    const [point] = (this.account.get(id) ?? '').split(' ');
    const chance = this.next(10);
    this.writes += 1;
    if (chance < 5) await this.insert();
    else if (chance < 8) {
      const metadata = `changed${this.writes}`;
      const { rowCount } = await this.client.query('UPDATE vector_embeddings SET metadata_json = $2 WHERE id = $1', [
        id,
        metadata,
      ]);
      expect(rowCount).toBe(1);
      this.account.set(id, `${point} ${metadata}`);
    } else {
      const { rowCount } = await this.client.query('DELETE FROM vector_embeddings WHERE id = $1', [id]);
      expect(rowCount).toBe(1);
      this.account.delete(id);
    }
  }

  async run(): Promise<void> {
    while (!this.isStopping) {
      await this.step();
      await delay(5);
    }
  }

  stop(): void {
    this.isStopping = true;
  }

  async whatIsThere(): Promise<Map<number, string>> {
    const { rows } = await this.client.query<{ id: number; content: string }>(
      `SELECT id, qdrant_point_id || ' ' || metadata_json AS content FROM vector_embeddings WHERE id > 0`,
    );
    return new Map(rows.map(({ id, content }) => [id, content]));
  }
}

const legacy = (...args: string[]) => runProgram(folder, ['legacy', ...args], { env });

/** Kills a command some time after it has begun to work on the database. */
async function killed(client: Client, args: readonly string[], afterMs: number): Promise<void> {
  const program = startProgram(folder, ['legacy', ...args], { env });
  await eventually('the command to be at work', async () => {
    const { rows } = await client.query(
      `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
       WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.objid = (hashtext('kindred_legacy')::bigint & 4294967295)::oid`,
    );
    return rows.length > 0 || program.hasEnded() ? true : undefined;
  });
  await Promise.race([program.ended, delay(afterMs)]);
  program.kill('SIGKILL');
  await program.ended;
}

async function isCutOver(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ kind: string }>(
    `SELECT relkind::text AS kind FROM pg_class WHERE oid = 'vector_embeddings'::regclass`,
  );
  return rows[0]?.kind === 'v';
}

describe('a move that is killed again and again while an old program writes', () => {
  it('loses no row and invents none', async () => {
    await withDatabase(stores.databaseUrl, async (client) => {
      const profiles = await client.query<{ id: number }>(
        `INSERT INTO profiles (name, summary) SELECT 'Person ' || n, 'Summary ' || n FROM generate_series(1, $1) n RETURNING id`,
        [PROFILES],
      );
      const ids = profiles.rows.map(({ id }) => id);
      await qdrant('PUT', '', { vectors: { size: DIMENSIONS, distance: 'Cosine' } });
      await client.query(TABLE);
      const points = Array.from({ length: ROWS }, () => randomUUID());
      for (let at = 0; at < ROWS; at += 500) await putPoints(points.slice(at, at + 500));
      await client.query(
        `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
           SELECT 'profile', ($1::int[])[(n - 1) % ${PROFILES} + 1], point, 'full_profile', (n - 1) / ${PROFILES}, 'old'
           FROM unnest($2::uuid[]) WITH ORDINALITY AS p (point, n)`,
        [ids, points],
      );
      const old = new OldProgram(client, ids);
      for (const [id, content] of await old.whatIsThere()) old.account.set(id, content);
      const running = old.run();
      const next = numbers();

      const copy = ['copy', '--collection', COLLECTION, '--batch', '50', '--no-wait'];
      await withDatabase(stores.databaseUrl, async (other) => {
        for (let i = 0; i < 3; i++) await killed(other, copy, next(1_500));
        expect(await legacy(...copy)).toMatchObject({ code: 0 });
        for (let i = 0; i < 3 && !(await isCutOver(other)); i++) await killed(other, ['cutover'], next(400));
        if (!(await isCutOver(other))) {
          const cut = await legacy('cutover');
          if (cut.code !== 0) throw new Error(`seed ${seed}: ${cut.stderr}`);
        }
        const before = old.writes;
        while (old.writes < before + 20) await delay(20);
      });
      old.stop();
      await running;
      expect({ seed, there: await old.whatIsThere() }).toEqual({ seed, there: old.account });
      await untilIndexed(stores);
      const verified = await legacy('verify', '--json');
      expect({ seed, ...(JSON.parse(verified.stdout) as object) }).toMatchObject({
        isVerified: true,
        quarantined: 0,
        differing: 0,
      });
      expect(verified.code).toBe(0);

      expect(await legacy('rollback')).toMatchObject({ code: 0 });
      expect({ seed, there: await old.whatIsThere() }).toEqual({ seed, there: old.account });
    });
  });
});
