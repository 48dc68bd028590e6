import { Pool } from 'undici';

/** Asks the GraphQL API. */
export type Ask = <T>(query: string, variables: Record<string, unknown>) => Promise<T>;

const CONCURRENCY = 4;

export function createAsk(url: string): { ask: Ask; close: () => Promise<void> } {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONCURRENCY });
  const ask: Ask = async <T>(query: string, variables: Record<string, unknown>): Promise<T> => {
    const { body } = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await body.json()) as { data?: T; errors?: { message: string }[] };
    if (answer.errors || !answer.data) throw new Error(answer.errors?.[0]?.message ?? 'no data');
    return answer.data;
  };
  return { ask, close: () => pool.close() };
}

/** A few at a time. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const drain = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, drain));
}
