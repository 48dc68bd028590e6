import { median, range, table } from '../support/report';
import { openCore } from './core';
import { startRelayProcess, type RelayProcess, type StoreTargets } from './processes';
import { importStories, inBatches, untilIdle } from './throughput';
import { startNative, type BenchPostgres, type BenchQdrant } from './stores';
import { makeStories, POINTS_A_STORY } from './stories';

const ROUNDS = 3;
/** As an API far away, or a model on one core. */
const SLOW_MODEL_MS = 2_000;
const STORIES = Number(process.env['BENCH_STORIES'] ?? 1000);

/** One relay process and two, in turns, on a backlog that was there before them. */
export async function measureTwoRelays(embedded: BenchPostgres, qdrant: BenchQdrant): Promise<string[]> {
  const native = await startNative();
  const postgres = native ?? embedded;
  try {
    const targets = {
      databaseUrl: await postgres.database('two_relays'),
      qdrantUrl: qdrant.url,
      prefix: 'two_relays_',
    };
    const zeroCost = await compare(targets, 0);
    const slow = await compare(targets, SLOW_MODEL_MS);
    return report(postgres.name, zeroCost, slow);
  } finally {
    await native?.stop();
  }
}

async function compare(targets: StoreTargets, modelMs: number): Promise<Rates> {
  const core = await openCore(targets);
  const relays = await Promise.all([startRelayProcess(targets, modelMs), startRelayProcess(targets, modelMs)]);
  const drain = async (running: readonly RelayProcess[], seed: number): Promise<number> => {
    await importStories(targets.databaseUrl, inBatches(makeStories(STORIES, seed)));
    const startedAt = performance.now();
    await Promise.all(running.map((relay) => relay.begin()));
    await untilIdle(core);
    const seconds = (performance.now() - startedAt) / 1000;
    await Promise.all(running.map((relay) => relay.pause()));
    return (STORIES * POINTS_A_STORY) / seconds;
  };
  const seed = modelMs + 1000;
  // Warm, both of them.
  await drain(relays, seed);
  const rates: Rates = { one: [], two: [] };
  for (let round = 1; round <= ROUNDS; round++) {
    rates.one.push(await drain([relays[round % 2] as RelayProcess], seed + round));
    rates.two.push(await drain(relays, seed + 100 + round));
  }
  await Promise.all(relays.map((relay) => relay.stop()));
  await core.close();
  return rates;
}

interface Rates {
  /** Points a second. */
  one: number[];
  two: number[];
}

function report(name: string, zeroCost: Rates, slow: Rates): string[] {
  const row = (model: string, { one, two }: Rates, target: string): string[] => {
    const ratios = two.map((rate, i) => rate / (one[i] ?? Number.NaN));
    const rates = [one, two].map((values) => median(values).toFixed(0));
    return [model, ...rates, median(ratios).toFixed(2), range(ratios), target];
  };
  return [
    '## Two relays',
    '',
    `${STORIES * POINTS_A_STORY} points, all pending before anything is relayed, on ${name}; the vector server in a process of its own.`,
    `${ROUNDS} rounds of each, in turns; points a second.`,
    '',
    table(
      ['model', 'one relay process', 'two', 'ratio, median of the rounds', 'lowest–highest', 'target'],
      [row('costs nothing', zeroCost, '> 1'), row(`answers after ${SLOW_MODEL_MS / 1000} s`, slow, '—')],
    ),
    '',
  ];
}
