import { Client } from 'pg';

import { eventually } from './eventually';
import { readRuntime } from './program';

export interface StoreAddresses {
  databaseUrl: string;
  qdrantUrl: string;
  qdrantApiKey?: string;
}

/** Where the running instance's stores are. */
export function addressesOf(folder: string): StoreAddresses {
  const runtime = readRuntime(folder);
  if (runtime === undefined) throw new Error(`nothing runs on ${folder}`);
  return runtime;
}

/** Runs `work` with a connection of its own. */
export async function withDatabase<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  // The server may be stopped under it; whoever waits for an answer learns of it there.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function count(client: Client, sql: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${sql}`);
  return Number(rows[0]?.count);
}

/** Waits until nothing is left to relay and nothing was given up. */
export async function untilIndexed(addresses: StoreAddresses): Promise<void> {
  await withDatabase(addresses.databaseUrl, (client) =>
    eventually('everything to be indexed', async () => {
      const [events, unindexed] = [
        await count(client, 'outbox_events WHERE available_at <= now() OR lease_owner IS NOT NULL OR attempts > 0'),
        await count(client, "vector_points WHERE state <> 'indexed'"),
      ];
      return events === 0 && unindexed === 0 ? true : undefined;
    }),
  );
}

export interface Comparison {
  /** Of embedding rows in PostgreSQL. */
  rows: string[];
  /** Of the ledger. */
  ledger: string[];
  /** Of points in Qdrant. */
  points: string[];
}

/** The point ids that each store has, sorted: three equal lists when the two agree. */
export async function pointIds(addresses: StoreAddresses): Promise<Comparison> {
  const { rows, ledger } = await withDatabase(addresses.databaseUrl, async (client) => {
    const tables = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'qdrant_point_id' ORDER BY 1`,
    );
    const ids = async (sql: string): Promise<string[]> =>
      (await client.query<{ id: string }>(sql)).rows.map((row) => row.id);
    const found: string[] = [];
    for (const { name } of tables.rows) found.push(...(await ids(`SELECT qdrant_point_id AS id FROM "${name}"`)));
    return { rows: found.sort(), ledger: (await ids('SELECT point_id AS id FROM vector_points')).sort() };
  });
  const request = async <Result>(path: string, body?: object): Promise<Result> => {
    const response = await fetch(`${addresses.qdrantUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', 'api-key': addresses.qdrantApiKey ?? '' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { result: Result }).result;
  };
  const { collections } = await request<{ collections: { name: string }[] }>('/collections');
  const points: string[] = [];
  for (const { name } of collections) {
    let offset: string | null = null;
    do {
      const page: { points: { id: string }[]; next_page_offset: string | null } = await request(
        `/collections/${name}/points/scroll`,
        { limit: 1000, with_payload: false, ...(offset === null ? {} : { offset }) },
      );
      points.push(...page.points.map((point) => point.id));
      offset = page.next_page_offset;
    } while (offset !== null);
  }
  return { rows, ledger, points: points.sort() };
}
