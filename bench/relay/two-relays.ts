import { median, range, table } from '../support/report';
import { openCore } from './core';
import { startRelayProcess, type RelayProcess } from './processes';
import { importStories, inBatches, untilIdle } from './throughput';
import { startNative, type BenchPostgres, type BenchQdrant } from './stores';
import { makeStories, POINTS_A_STORY } from './stories';

const ROUNDS = 5;
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
    const core = await openCore(targets);
    const relays = await Promise.all([startRelayProcess(targets), startRelayProcess(targets)]);
    const drain = async (running: readonly RelayProcess[], seed: number): Promise<number> => {
      await importStories(targets.databaseUrl, inBatches(makeStories(STORIES, seed)));
      const startedAt = performance.now();
      await Promise.all(running.map((relay) => relay.begin()));
      await untilIdle(core);
      const seconds = (performance.now() - startedAt) / 1000;
      await Promise.all(running.map((relay) => relay.pause()));
      return (STORIES * POINTS_A_STORY) / seconds;
    };
    // Warm, both of them.
    await drain(relays, 1000);
    const one: number[] = [];
    const two: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      one.push(await drain([relays[round % 2] as RelayProcess], 1000 + round));
      two.push(await drain(relays, 2000 + round));
    }
    await Promise.all(relays.map((relay) => relay.stop()));
    await core.close();
    return report(postgres.name, one, two);
  } finally {
    await native?.stop();
  }
}

function report(name: string, one: readonly number[], two: readonly number[]): string[] {
  const ratios = two.map((rate, i) => rate / (one[i] ?? Number.NaN));
  return [
    '## Two relays',
    '',
    `${STORIES * POINTS_A_STORY} points, all pending before anything is relayed, on ${name}; the vector server in a process of its own.`,
    `${ROUNDS} rounds of each, in turns.`,
    '',
    table(
      ['', 'one relay process', 'two', 'ratio, median of the rounds', 'lowest–highest', 'target'],
      [
        [
          'points a second',
          median(one).toFixed(0),
          median(two).toFixed(0),
          median(ratios).toFixed(2),
          range(ratios),
          '> 1',
        ],
      ],
    ),
    '',
  ];
}
