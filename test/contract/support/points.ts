import type { ContractServer, Schemas } from './contract-server';

export type Id = number | string;

/** Two dimensions are enough where vectors do not matter. */
export const ANY_VECTOR = { size: 2, distance: 'Dot' } as const;

/** A collection of points that differ in payload only; each stored with the vector [1, 1]. */
export async function createWithPayloads(
  server: ContractServer,
  payloads: Record<number, Record<string, unknown>>,
): Promise<string> {
  const name = await server.create({ vectors: ANY_VECTOR });
  const points = Object.entries(payloads).map(([id, payload]) => ({ id: Number(id), vector: [1, 1], payload }));
  await server.client.upsert(name, { wait: true, points });
  return name;
}

/** Ids of every point that passes the filter, ascending. Checks that scroll and the exact count agree. */
export async function idsMatching(server: ContractServer, name: string, filter: unknown): Promise<Id[]> {
  const scrolled = await server.http<Schemas['ScrollResult']>('POST', `/collections/${name}/points/scroll`, {
    filter,
    limit: 1000,
    with_payload: false,
  });
  if (scrolled.status !== 200) throw new Error(`${scrolled.status}: ${JSON.stringify(scrolled.body)}`);
  const ids = scrolled.body.result!.points.map(({ id }) => id);
  const counted = await server.client.count(name, { filter: filter as Schemas['Filter'], exact: true });
  if (counted.count !== ids.length) throw new Error(`scroll found ${ids.length} points, count ${counted.count}`);
  return ids;
}
