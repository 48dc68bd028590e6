import { median, range, table } from '../support/report';
import { openCore } from './core';
import {
  familySeconds,
  processorSeconds,
  serverProcess,
  startRelayProcess,
  type RelayProcess,
  type StoreTargets,
} from './processes';
import { importStories, inBatches, untilIdle } from './throughput';
import { startNative, type BenchPostgres, type BenchQdrant } from './stores';
import { makeStories, POINTS_A_STORY } from './stories';

/** What a call of the model takes: nothing, as on a good local machine, and as of an API far away. */
const MODELS = [
  { modelMs: 0, rounds: 5 },
  { modelMs: 20, rounds: 3 },
  { modelMs: 500, rounds: 3 },
];
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
    const compared: Compared[] = [];
    for (const model of MODELS) compared.push(await compare(targets, qdrant, model));
    return report(postgres.name, compared);
  } finally {
    await native?.stop();
  }
}

/** One drain of the backlog. */
interface Drain {
  pointsASecond: number;
  /** Processor seconds. */
  relays: number;
  postgres: number;
  qdrant: number;
  /** Processors that these kept busy, on average. */
  busy: number;
}

interface Compared {
  modelMs: number;
  one: Drain[];
  two: Drain[];
}

async function compare(
  targets: StoreTargets,
  qdrant: BenchQdrant,
  { modelMs, rounds }: (typeof MODELS)[number],
): Promise<Compared> {
  const core = await openCore(targets);
  const relays = await Promise.all([startRelayProcess(targets, modelMs), startRelayProcess(targets, modelMs)]);
  const server = await serverProcess(targets.databaseUrl);
  const used = (): number[] => [
    relays.reduce((sum, relay) => sum + processorSeconds(relay.pid), 0),
    familySeconds(server),
    processorSeconds(qdrant.pid),
  ];
  const drain = async (running: readonly RelayProcess[], seed: number): Promise<Drain> => {
    await importStories(targets.databaseUrl, inBatches(makeStories(STORIES, seed)));
    const before = used();
    const startedAt = performance.now();
    await Promise.all(running.map((relay) => relay.begin()));
    await untilIdle(core);
    const seconds = (performance.now() - startedAt) / 1000;
    const [forRelays = 0, forPostgres = 0, forQdrant = 0] = used().map((after, i) => after - (before[i] ?? 0));
    await Promise.all(running.map((relay) => relay.pause()));
    return {
      pointsASecond: (STORIES * POINTS_A_STORY) / seconds,
      relays: forRelays,
      postgres: forPostgres,
      qdrant: forQdrant,
      busy: (forRelays + forPostgres + forQdrant) / seconds,
    };
  };
  const seed = modelMs + 1000;
  // Warm, both of them.
  await drain(relays, seed);
  const compared: Compared = { modelMs, one: [], two: [] };
  for (let round = 1; round <= rounds; round++) {
    compared.one.push(await drain([relays[round % 2] as RelayProcess], seed + round));
    compared.two.push(await drain(relays, seed + 100 + round));
  }
  await Promise.all(relays.map((relay) => relay.stop()));
  await core.close();
  return compared;
}

function report(name: string, compared: readonly Compared[]): string[] {
  const points = (STORIES * POINTS_A_STORY) / 1000;
  const middle = (drains: readonly Drain[], number: (drain: Drain) => number): number => median(drains.map(number));
  const modelOf = (ms: number): string => (ms === 0 ? 'costs nothing' : `answers after ${ms} ms`);
  const rates = compared.map(({ modelMs, one, two }) => {
    const ratios = two.map((drain, i) => drain.pointsASecond / (one[i]?.pointsASecond ?? Number.NaN));
    return [
      modelOf(modelMs),
      ...[one, two].map((drains) => middle(drains, (drain) => drain.pointsASecond).toFixed(0)),
      median(ratios).toFixed(2),
      range(ratios),
      modelMs === 0 ? '> 1' : '—',
    ];
  });
  const costs = compared.flatMap(({ modelMs, one, two }) =>
    [one, two].map((drains, i) => [
      modelOf(modelMs),
      ['one', 'two'][i] ?? '',
      ...(['relays', 'postgres', 'qdrant'] as const).map((part) =>
        middle(drains, (drain) => drain[part] / points).toFixed(2),
      ),
      middle(drains, (drain) => (drain.relays + drain.postgres + drain.qdrant) / points).toFixed(2),
      middle(drains, (drain) => drain.busy).toFixed(2),
    ]),
  );
  return [
    '## Two relays',
    '',
    `${STORIES * POINTS_A_STORY} points, all pending before anything is relayed, on ${name}; the vector server in a process of its own.`,
    `${MODELS.map(({ rounds }) => rounds).join(', ')} rounds of each, in turns; points a second. A call of the model is one of 256 texts.`,
    '',
    table(['model', 'one relay process', 'two', 'ratio, median of the rounds', 'lowest–highest', 'target'], rates),
    '',
    'Where the processors were, in processor seconds for 1000 points, and how many were busy:',
    '',
    table(['model', 'processes', 'relays', 'PostgreSQL', 'vector server', 'together', 'processors busy'], costs),
    '',
  ];
}
