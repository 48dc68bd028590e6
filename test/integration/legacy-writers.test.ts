import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';

import { DomainError } from '../../src/kernel/errors/domain-error';
import { Copy } from '../../src/legacy/copy';
import { cutOver } from '../../src/legacy/cutover';
import { rollBack } from '../../src/legacy/rollback';
import { verify } from '../../src/legacy/verify';
import { until } from '../support/until';
import { DOCUMENT_TABLE, newPoints } from './legacy-support/document-table';
import { startLegacyApp, type LegacyApp } from './legacy-support/legacy-app';

let legacy: LegacyApp;
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  await legacy.close();
});

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: legacy.app.databaseUrl });
  await client.connect();
  clients.push(client);
  return client;
}

/** A role that there is everywhere, whose members this test's own role is among, and that has no rights to tables. */
const ROLE = 'pg_monitor';

/** A session of a role that may do with the table what an old program may, and nothing else. */
async function otherRole(schema: string, rights: readonly string[]): Promise<Client> {
  for (const right of [...rights, `USAGE ON SCHEMA ${schema}`]) await legacy.sql(`GRANT ${right} TO ${ROLE}`);
  const client = await connect();
  await client.query(`SET ROLE ${ROLE}`);
  return client;
}

const INSERT = `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, metadata_json)
  VALUES ('profile', $1, $2, 'full_profile', 'by another role') RETURNING id, entity_id`;

const TABLES: [string, string][] = [
  ['a serial key', 'SERIAL PRIMARY KEY'],
  ['an identity key', 'INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY'],
];

describe('an old program’s own role', () => {
  it.each(TABLES)('writes through the view of a table with %s, and only there', async (_, key) => {
    legacy = await startLegacyApp(
      [
        'CREATE SCHEMA app',
        DOCUMENT_TABLE.replace('vector_embeddings', 'app.vector_embeddings').replace('SERIAL PRIMARY KEY', key),
      ],
      { isRelaying: false },
    );
    const [one, two, three] = legacy.records.profile as [number, number, number];
    const points = newPoints(4);
    await legacy.collection.put(points);
    const client = await otherRole('app', [
      'SELECT, INSERT, UPDATE, DELETE ON app.vector_embeddings',
      ...(key.startsWith('SERIAL') ? ['USAGE ON SEQUENCE app.vector_embeddings_id_seq'] : []),
    ]);
    await client.query('SET search_path = app');
    const settings = legacy.settings({ table: { schema: 'app', name: 'vector_embeddings' } });
    await client.query(INSERT, [one, points[0]]);
    await new Copy(legacy.parts).run(settings);
    // Writes are noted for it, although it may not touch what they are noted in.
    await client.query(INSERT, [two, points[1]]);
    await cutOver(legacy.parts);

    // Tables and functions of its own by the names that the triggers use change nothing.
    await client.query('CREATE TEMPORARY TABLE profile_embeddings (id INTEGER)');
    await client.query('CREATE TEMPORARY TABLE legacy_changes (legacy_key TEXT)');
    expect((await client.query(INSERT, [three, points[2]])).rows).toEqual([{ id: 3, entity_id: three }]);
    const updated = await client.query(
      `UPDATE vector_embeddings SET metadata_json = 'changed' WHERE id = 1 RETURNING id`,
    );
    expect(updated.rows).toEqual([{ id: 1 }]);
    expect((await client.query('DELETE FROM vector_embeddings WHERE id = 2')).rowCount).toBe(1);
    await expect(client.query(INSERT, [999_999, points[3]])).rejects.toThrow('Profile with id 999999 does not exist');
    await expect(client.query('SELECT * FROM public.profile_embeddings')).rejects.toThrow('permission denied');
    await expect(client.query('DELETE FROM public.legacy_quarantine')).rejects.toThrow('permission denied');
    expect((await client.query('SELECT * FROM pg_temp.legacy_changes')).rows).toEqual([]);
    expect(await legacy.sql('SELECT legacy_key AS key FROM profile_embeddings ORDER BY legacy_key')).toEqual([
      { key: '1' },
      { key: '3' },
    ]);

    await rollBack(legacy.parts);
    const { rows } = await client.query('SELECT id, metadata_json FROM vector_embeddings ORDER BY id');
    expect(rows).toEqual([
      { id: 1, metadata_json: 'changed' },
      { id: 3, metadata_json: 'by another role' },
    ]);
    expect((await client.query(INSERT, [two, points[3]])).rows).toEqual([{ id: expect.any(Number), entity_id: two }]);
  });

  it('keeps rights to columns, and may not do what it could not', async () => {
    legacy = await startLegacyApp(DOCUMENT_TABLE, { isRelaying: false });
    const [point] = newPoints(1);
    await legacy.collection.put([point as string]);
    const client = await otherRole('public', ['SELECT (id, entity_type), UPDATE (metadata_json) ON vector_embeddings']);
    await legacy.sql(INSERT, [legacy.records.profile?.[0], point]);
    await new Copy(legacy.parts).run(legacy.settings());
    await cutOver(legacy.parts);
    expect((await client.query('SELECT id FROM vector_embeddings')).rows).toEqual([{ id: 1 }]);
    expect((await client.query(`UPDATE vector_embeddings SET metadata_json = 'x' WHERE id = 1`)).rowCount).toBe(1);
    for (const refused of [
      'SELECT qdrant_point_id FROM vector_embeddings',
      'UPDATE vector_embeddings SET entity_id = 1',
      'DELETE FROM vector_embeddings',
    ]) {
      await expect(client.query(refused)).rejects.toThrow('permission denied');
    }
  });

  it('is not let past the policies of a table with row security', async () => {
    legacy = await startLegacyApp(DOCUMENT_TABLE, { isRelaying: false });
    await legacy.sql('ALTER TABLE vector_embeddings ENABLE ROW LEVEL SECURITY');
    await new Copy(legacy.parts).run(legacy.settings({ vectorHome: null }));
    await expect(cutOver(legacy.parts)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('row security'),
    });
  });
});

/** Writes to one name, whatever is behind it, and keeps its own account of its rows. */
class Writer {
  readonly account = new Map<number, string>();
  private isStopping = false;
  private place = 0;
  writes = 0;

  constructor(
    private readonly client: Client,
    private readonly profile: number,
    private readonly next: (below: number) => number,
  ) {}

  async run(): Promise<void> {
    while (!this.isStopping) {
      await this.step();
      this.writes += 1;
      await delay(PAUSE_MS);
    }
  }

  stop(): void {
    this.isStopping = true;
  }

  private async step(): Promise<void> {
    const ids = [...this.account.keys()];
    const id = ids[this.next(Math.max(1, ids.length))];
    const chance = this.next(10);
    if (id === undefined || chance < 5) {
      const text = `written ${this.place}`;
      const { rows } = await this.client.query<{ id: number }>(
        `INSERT INTO vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
         VALUES ('profile', $1, $2, 'summary', $3, $4) RETURNING id`,
        [this.profile, randomUUID(), this.place++, text],
      );
      this.account.set(rows[0]?.id ?? 0, text);
    } else if (chance < 8) {
      // Prepared, as drivers do: its plan is of what was behind the name when it was made.
      const text = `changed ${this.writes}`;
      const { rowCount } = await this.client.query({
        name: 'change',
        text: 'UPDATE vector_embeddings SET metadata_json = $2 WHERE id = $1',
        values: [id, text],
      });
      expect(rowCount).toBe(1);
      this.account.set(id, text);
    } else {
      const { rowCount } = await this.client.query('DELETE FROM vector_embeddings WHERE id = $1', [id]);
      expect(rowCount).toBe(1);
      this.account.delete(id);
    }
  }
}

const WRITERS = 4;
/** Leaves the machine something for the move itself. */
const PAUSE_MS = 5;
const SOME_WRITES = 15;

/** Numbers that depend on the seed alone. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What says to try again is tried again. */
async function persistently(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof DomainError) || !error.retryable) throw error;
      await delay(10);
    }
  }
}

describe('programs that write around the cutover and the rollback', () => {
  it('notice nothing, and nothing of theirs is lost', async () => {
    legacy = await startLegacyApp(DOCUMENT_TABLE, { isRelaying: false, profiles: WRITERS });
    const seed = randomInt(1e9);
    const settings = legacy.settings({ vectorHome: null });
    const writers = await Promise.all(
      (legacy.records.profile as number[]).map(async (id, i) => new Writer(await connect(), id, numbers(seed + i))),
    );
    const running = Promise.all(writers.map((writer) => writer.run()));
    const someWrites = (): Promise<void> => {
      const wanted = writers.map(({ writes }) => writes + SOME_WRITES);
      const reached = until(async () => writers.every(({ writes }, i) => writes >= (wanted[i] ?? 0)));
      // A writer that failed would never get there.
      return Promise.race([reached, running.then(() => undefined)]);
    };
    try {
      await someWrites();
      for (let round = 0; round < 2; round++) {
        await persistently(() => new Copy(legacy.parts, { batchSize: 20 }).run(settings));
        await someWrites();
        await persistently(() => cutOver(legacy.parts));
        await someWrites();
        await persistently(() => rollBack(legacy.parts));
        await someWrites();
      }
    } finally {
      for (const writer of writers) writer.stop();
      await running;
    }
    const there = async (): Promise<Map<number, string>> => {
      const rows = await legacy.sql<{ id: number; text: string }>(
        'SELECT id, metadata_json AS text FROM vector_embeddings WHERE id > 0 ORDER BY id',
      );
      return new Map(rows.map(({ id, text }) => [id, text]));
    };
    const expected = new Map(writers.flatMap(({ account }) => [...account]).sort(([a], [b]) => a - b));
    expect({ seed, there: await there() }).toEqual({ seed, there: expected });
    await new Copy(legacy.parts).run(settings);
    expect(await verify(legacy.parts, { isComparingPoints: false })).toMatchObject({
      differing: 0,
      legacy: expected.size,
      migrated: expected.size,
      quarantined: 0,
    });
    await cutOver(legacy.parts);
    expect({ seed, there: await there() }).toEqual({ seed, there: expected });
  });
});
