import { createTestApp, type TestApp } from '../../src/testing/create-test-app';
import { median, quantile, table } from '../support/report';
import type { BenchPostgres, BenchQdrant } from './stores';
import { zeroCostEmbedder } from './zero-cost-embedder';

const PENDING = Number(process.env['BENCH_PENDING'] ?? 100_000);
const MUTATIONS = 400;
const WARM_UP = 50;
const TARGET = 1.2;

const CREATE = `mutation ($input: CreateStoryInput!) { createStory(input: $input) { syncToken story { id } } }`;

/** The same mutations in turns on two databases: one whose outbox is empty at first, one with a long backlog. */
export async function measureMutations(postgres: BenchPostgres, qdrant: BenchQdrant): Promise<string[]> {
  const options = {
    postgresUrl: await postgres.database('mutations'),
    qdrantUrl: qdrant.url,
    embedder: zeroCostEmbedder(),
    isRelaying: false,
  };
  const empty = await createTestApp(options);
  const full = await createTestApp(options);
  try {
    await full.core.database.query(
      `INSERT INTO outbox_events (topic, kind, key, priority) SELECT 'source', 'story', (1000000 + i)::text, 1
       FROM generate_series(1, $1) i`,
      [PENDING],
    );
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < WARM_UP + MUTATIONS; i++) {
      const pair = [await mutate(empty, i), await mutate(full, i)] as const;
      // Nothing piles up in the one that is to be empty.
      await empty.core.database.query('DELETE FROM outbox_events');
      if (i >= WARM_UP) pair.forEach((ms, side) => times[side]?.push(ms));
    }
    return report(times);
  } finally {
    await full.close();
    await empty.close();
  }
}

async function mutate(app: TestApp, i: number): Promise<number> {
  const input = { title: `Story ${i}`, content: `It began on day ${i}.\n\nIt ended soon after.` };
  const startedAt = performance.now();
  const { errors } = await app.executeOperation(CREATE, { input });
  if (errors) throw new Error(JSON.stringify(errors));
  return performance.now() - startedAt;
}

function report([empty, full]: [number[], number[]]): string[] {
  const row = (name: string, of: (values: number[]) => number): string[] => {
    const [without, behind] = [of(empty), of(full)];
    return [
      name,
      without.toFixed(2),
      behind.toFixed(2),
      (behind / without).toFixed(2),
      name === 'median' ? `≤ ${TARGET}` : '—',
    ];
  };
  return [
    '## Mutations beside a backlog',
    '',
    `\`createStory\` through the GraphQL layer, ${MUTATIONS} times in turns on a database whose outbox is empty and on one with ${PENDING}`,
    'pending events. No relay runs, so that the queue alone makes the difference.',
    '',
    table(
      ['ms', 'empty outbox', `${PENDING} pending`, 'ratio', 'target'],
      [row('median', median), row('95 %', (values) => quantile(values, 0.95))],
    ),
    '',
  ];
}
