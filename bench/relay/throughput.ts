import { setTimeout as delay } from 'node:timers/promises';
import type { Core } from '../../src/app/core';
import { range, median, table } from '../support/report';
import { openCore } from './core';
import { writeByHand } from './floor';
import { familySeconds, processorSeconds, serverProcess, startRelayProcess, type StoreTargets } from './processes';
import { onDatabase, type BenchPostgres, type BenchQdrant } from './stores';
import { insertStories, makeStories, POINTS_A_STORY, type Story } from './stories';
import { zeroCostEmbedder } from './zero-cost-embedder';

const ROUNDS = 5;
const STORIES_A_ROUND = Number(process.env['BENCH_STORIES'] ?? 1000);
/** Stories a statement and transaction: what `kindred import` writes at once. */
export const BATCH = 50;
const TARGET = 0.5;

interface Round {
  seconds: number;
  /** Of the writing process, the relay, the vector server and PostgreSQL. */
  processorSeconds: number;
}

/** Alternates: a part by hand, the same part through Kindred with one relay. */
export async function measureThroughput(
  postgres: BenchPostgres,
  qdrant: BenchQdrant,
  targets: StoreTargets,
): Promise<string[]> {
  const byHand = { databaseUrl: await postgres.database('by_hand'), qdrantUrl: qdrant.url, prefix: 'by_hand_' };
  const handCore = await openCore(byHand);
  const collection = (await handCore.catalog.targets(['story'])).get('story')?.live?.collection ?? '';
  await dropCapture(byHand.databaseUrl);
  await handCore.close();
  const core = await openCore(targets);
  const relay = await startRelayProcess(targets);
  await relay.begin();
  const server = await serverProcess(targets.databaseUrl);
  const cost = (): number =>
    process.cpuUsage().user / 1e6 +
    process.cpuUsage().system / 1e6 +
    processorSeconds(relay.pid) +
    processorSeconds(qdrant.pid) +
    familySeconds(server);
  const measured = async (work: () => Promise<void>): Promise<Round> => {
    const startedAt = performance.now();
    const costBefore = cost();
    await work();
    return { seconds: (performance.now() - startedAt) / 1000, processorSeconds: cost() - costBefore };
  };
  const hand: Round[] = [];
  const kindred: Round[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const batches = inBatches(makeStories(STORIES_A_ROUND, round + 1));
      hand.push(
        await measured(() => writeByHand(byHand.databaseUrl, qdrant.url, collection, zeroCostEmbedder(), batches)),
      );
      kindred.push(
        await measured(async () => {
          await importStories(targets.databaseUrl, batches);
          await untilIdle(core);
        }),
      );
    }
  } finally {
    await relay.stop();
    await core.close();
  }
  return report(hand, kindred);
}

export function inBatches(stories: readonly Story[]): Story[][] {
  return Array.from({ length: Math.ceil(stories.length / BATCH) }, (_, i) => stories.slice(i * BATCH, (i + 1) * BATCH));
}

export async function importStories(databaseUrl: string, batches: readonly (readonly Story[])[]): Promise<void> {
  await onDatabase(databaseUrl, async (client) => {
    await client.query(`SET kindred.priority = '1'`);
    for (const batch of batches) await insertStories(client, batch);
  });
}

export async function untilIdle(core: Core): Promise<void> {
  // The question reads what the relay has deleted from the outbox; asked all the time, it would be half of the work.
  while (!(await core.isIdle())) await delay(100);
}

/** The loop by hand has no outbox. */
async function dropCapture(databaseUrl: string): Promise<void> {
  await onDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) AS statement
       FROM pg_trigger WHERE tgname LIKE 'kindred\\_capture%'`,
    );
    for (const { statement } of rows) await client.query(statement);
  });
}

function report(hand: readonly Round[], kindred: readonly Round[]): string[] {
  const points = STORIES_A_ROUND * POINTS_A_STORY;
  const rates = (rounds: readonly Round[]): number[] => rounds.map((round) => points / round.seconds);
  const costs = (rounds: readonly Round[]): number[] => rounds.map((round) => (round.processorSeconds / points) * 1000);
  const ratios = rates(kindred).map((rate, i) => rate / (rates(hand)[i] ?? Number.NaN));
  const rounded = (values: readonly number[]): string => median(values).toFixed(0);
  return [
    '## Throughput',
    '',
    `Stories of ${POINTS_A_STORY} passages of some 45 words, ${BATCH} a transaction, by SQL, as bulk work: from the first INSERT to`,
    'the last point acknowledged. By hand: one process inserts the same stories and passages and puts the same points, batch by',
    'batch; no outbox, no ledger, no revisions, and a crash loses its place. Kindred: the same INSERTs, one relay in a process of',
    `its own. ${ROUNDS} rounds of ${points} points, taken in turns.`,
    '',
    table(
      ['', 'by hand', 'Kindred, one relay', 'ratio, median of the rounds', 'lowest–highest', 'target'],
      [
        [
          'points a second',
          rounded(rates(hand)),
          rounded(rates(kindred)),
          median(ratios).toFixed(2),
          range(ratios),
          `≥ ${TARGET}`,
        ],
        [
          'processor seconds a 1000 points, all processes',
          median(costs(hand)).toFixed(2),
          median(costs(kindred)).toFixed(2),
          (median(costs(kindred)) / median(costs(hand))).toFixed(2),
          '—',
          '—',
        ],
      ],
    ),
    '',
  ];
}
