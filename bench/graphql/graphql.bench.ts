import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { startEmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { createCore } from '../../src/app/core';
import { ImportWriter } from '../../src/import/import-writer';
import { startMigratedPostgres } from '../../src/testing/migrated-postgres';
import { median, quantile, range, table, writeResult } from '../support/report';
import { MeasuredServer, type Load } from './measured-server';
import { DIMENSIONS, queries, type BenchQuery } from './queries';
import { jobItems, profileItems } from './records';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
/** Rounds that are not counted: V8 goes on compiling what is hot for some thousands of requests. */
const WARM_UP_ROUNDS = Number(process.env['BENCH_WARM_UP'] ?? 6);
const AT_ONCE = 8;
const PROFILES = 500;
const JOBS = 1000;
const BODIES = 32;

interface Measured {
  query: BenchQuery;
  floor: Load[];
  kindred: Load[];
}

/** Kindred beside a hand-written server on the same two stores: processor time a request, throughput and latency. */
export async function graphqlBench(): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startMigratedPostgres();
    closers.push(() => postgres.stop());
    const qdrant = await startEmbeddedQdrant({ dataDir: ':memory:' });
    closers.push(() => qdrant.close());
    await fill(postgres.url, qdrant.url);

    const profileDir = process.env['BENCH_PROFILE_DIR'];
    // The setting wants a host; the socket's folder in the query goes before it.
    const env = { DATABASE_URL: postgres.url.replace('@/', '@localhost/'), QDRANT_URL: qdrant.url };
    const floor = await MeasuredServer.start({
      name: 'floor',
      file: 'bench/graphql/floor-server.ts',
      execArgv: ['-r', './scripts/register-typescript.js'],
      env,
      connections: AT_ONCE,
      profileDir: profileDir && `${profileDir}/floor`,
    });
    closers.push(() => floor.close());
    const kindred = await MeasuredServer.start({
      name: 'Kindred',
      file: 'dist/cli.js',
      args: ['serve'],
      env: {
        ...env,
        PORT: '0',
        KINDRED_EMBEDDER: 'deterministic',
        KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS),
        KINDRED_DEMO: 'off',
        KINDRED_RELAY: 'off',
        KINDRED_RATE_LIMIT_PER_MINUTE: '0',
        KINDRED_LOG_LEVEL: 'warn',
      },
      readUrl: /GraphQL {3}(http:\S+?)\/graphql/,
      connections: AT_ONCE,
      profileDir: profileDir && `${profileDir}/kindred`,
    });
    closers.push(() => kindred.close());

    const only = process.env['BENCH_ONLY'];
    const chosen = queries.filter((query) => only === undefined || only.split(',').includes(query.name));
    for (const query of chosen) await compareAnswers(query, floor, kindred);
    const measured = await measure(chosen, floor, kindred);
    if (only === undefined && profileDir === undefined) await report(measured);
    else
      for (const one of measured)
        console.log(one.query.name, ...ratioCells(one), ...ratiosOf(one).map((ratio) => ratio.toFixed(2)));
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

async function fill(databaseUrl: string, qdrantUrl: string): Promise<void> {
  const core = await createCore({
    databaseUrl,
    poolSize: 5,
    applicationName: 'kindred bench',
    qdrantUrl,
    embedder: createDeterministicEmbedder({ dimensions: DIMENSIONS }),
    relay: { pointBatchSize: 256, sourceBatchSize: 256 },
    logger: pino({ level: 'warn' }),
  });
  try {
    await core.catalog.start();
    const writer = new ImportWriter(core.database, core.registry);
    await writer.write(profileItems(PROFILES));
    await writer.write(jobItems(JOBS));
    const relay = core.createRelay();
    relay.start();
    while (!(await core.isIdle())) await delay(50);
    await relay.stop();
    await core.database.query('VACUUM ANALYZE');
  } finally {
    await core.close();
  }
}

function bodiesOf(query: BenchQuery): string[] {
  return Array.from({ length: BODIES }, (_, i) =>
    JSON.stringify({ query: query.document, variables: query.variables(i) }),
  );
}

/** Both must say the same, or the comparison means nothing. */
async function compareAnswers(query: BenchQuery, floor: MeasuredServer, kindred: MeasuredServer): Promise<void> {
  for (const body of bodiesOf(query)) {
    const [expected, actual] = await Promise.all([
      floor.post(`/${query.name.toLowerCase()}`, body),
      kindred.post('/graphql', body),
    ]);
    assert.deepEqual(JSON.parse(actual), JSON.parse(expected), `${query.name}: the answers differ`);
  }
}

async function measure(
  chosen: readonly BenchQuery[],
  floor: MeasuredServer,
  kindred: MeasuredServer,
): Promise<Measured[]> {
  const measured = chosen.map((query): Measured => ({ query, floor: [], kindred: [] }));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const one of measured) {
      const { query } = one;
      const bodies = bodiesOf(query);
      const onFloor = async (): Promise<void> => {
        const load = await floor.load(`/${query.name.toLowerCase()}`, bodies, query.requestsPerRound, AT_ONCE);
        if (round >= 0) one.floor.push(load);
      };
      const onKindred = async (): Promise<void> => {
        const load = await kindred.load('/graphql', bodies, query.requestsPerRound, AT_ONCE);
        if (round >= 0) one.kindred.push(load);
      };
      // Turn about, so that neither always comes after the other.
      const turns = round % 2 === 0 ? [onFloor, onKindred] : [onKindred, onFloor];
      for (const turn of turns) await turn();
    }
  }
  return measured;
}

function ratiosOf({ floor, kindred }: Measured): number[] {
  return kindred.map((load, round) => load.cpuMs / (floor[round] as Load).cpuMs);
}

function ratioCells(measured: Measured): string[] {
  const { floor, kindred, query } = measured;
  const cpu = (loads: Load[]): string => median(loads.map((load) => load.cpuMs)).toFixed(3);
  const ratios = ratiosOf(measured);
  return [cpu(floor), cpu(kindred), median(ratios).toFixed(2), range(ratios), `≤ ${query.target}`];
}

async function report(measured: readonly Measured[]): Promise<void> {
  const speed = (loads: Load[]): string[] => {
    const all = loads.flatMap((load) => load.latencies);
    return [
      median(loads.map((load) => load.perSecond)).toFixed(0),
      quantile(all, 0.5).toFixed(1),
      quantile(all, 0.99).toFixed(1),
    ];
  };
  await writeResult('graphql', 'Kindred beside a hand-written server', [
    `Three queries, each against a floor written by hand for that one answer (\`bench/graphql/floor-server.ts\`: Fastify, \`pg\` with`,
    'prepared statements, a keep-alive pool to the vector server, as many statements and vector requests, the same answer, which is',
    'checked). Both servers are processes of their own on the same embedded PostgreSQL and the same embedded vector server, with',
    `\`NODE_ENV=production\` and request logging off. ${PROFILES} profiles and ${JOBS} jobs, ${DIMENSIONS} dimensions; ${AT_ONCE} requests at a time;`,
    `${ROUNDS} rounds, floor and Kindred in turn, after ${WARM_UP_ROUNDS} to warm both up. Figures are medians of the rounds; a ratio is taken within its round.`,
    '',
    '## Processor time a request',
    '',
    table(
      ['query', 'floor, ms', 'Kindred, ms', 'ratio', 'lowest–highest', 'target'],
      measured.map((one) => [`${one.query.name}: ${one.query.title}`, ...ratioCells(one)]),
    ),
    '',
    '## Throughput and latency',
    '',
    'Load generator, both stores and the server share the cores, so these say less than the processor time.',
    '',
    table(
      ['query', 'server', 'requests/s', 'p50, ms', 'p99, ms'],
      measured.flatMap((one) => [
        [one.query.name, 'floor', ...speed(one.floor)],
        [one.query.name, 'Kindred', ...speed(one.kindred)],
      ]),
    ),
  ]);
}
