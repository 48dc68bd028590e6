/**
 * Latency of nearest-neighbour queries in the embedded vector server, beside a plain JavaScript loop over the same
 * vectors: `node scripts/build.js && node -r ./scripts/register-typescript.js bench/embedded-qdrant.bench.ts`.
 * Medians over rounds; figures depend on the machine, so nothing is asserted.
 */
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { startEmbeddedQdrant } from '../src/adapters/embedded-qdrant';
import { DenseVectors } from '../src/adapters/embedded-qdrant/engine/dense-vectors';
import { best } from '../src/adapters/embedded-qdrant/query/hit';
import { VectorMemory } from '../src/adapters/embedded-qdrant/simd/vector-memory';

const DIMENSIONS = 384;
const ROUNDS = 21;
const LIMIT = 10;

function randomUnit(next: () => number): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => next() - 0.5);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

/** Numbers from 0 to 1, the same on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function median(work: () => unknown): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return `${(times[ROUNDS >> 1] as number).toFixed(2)} ms`;
}

function plainLoop(vectors: readonly Float32Array[], query: Float32Array): number {
  let highest = -Infinity;
  for (const vector of vectors) {
    let sum = 0;
    for (let at = 0; at < DIMENSIONS; at += 1) sum += (query[at] as number) * (vector[at] as number);
    if (sum > highest) highest = sum;
  }
  return highest;
}

async function bench(count: number): Promise<void> {
  const next = seeded(count);
  const vectors = Array.from({ length: count }, () => randomUnit(next));
  const queries = Array.from({ length: 8 }, () => randomUnit(next));
  const [query] = queries as [Float32Array];
  console.log(`\n${count} × ${DIMENSIONS}`);
  console.log('  plain JavaScript loop       ', await median(() => plainLoop(vectors, query)));

  const memory = new VectorMemory();
  const dense = new DenseVectors(memory, DIMENSIONS, 'Cosine');
  for (const [slot, vector] of vectors.entries()) dense.set(slot, vector);
  const search = (many: readonly Float32Array[]): unknown =>
    dense.scoreAll(many, count).map((scores) => best(scores, LIMIT, undefined, undefined));
  console.log('  SIMD scan and best 10       ', await median(() => search([query])));
  console.log('  the same, 8 queries at once ', await median(() => search(queries)));

  const server = await startEmbeddedQdrant({ dataDir: ':memory:', log: console });
  const pool = new Pool(server.url, { connections: 1 });
  const call = async (method: 'PUT' | 'POST', path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await pool.request({ method, path, headers, body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(text);
  };
  await call('PUT', '/collections/bench', { vectors: { dense: { size: DIMENSIONS, distance: 'Cosine' } } });
  await call('PUT', '/collections/bench/index', { field_name: 'kind', field_schema: 'keyword' });
  const start = performance.now();
  for (let first = 0; first < count; first += 500) {
    const points = vectors.slice(first, first + 500).map((vector, at) => {
      const id = first + at;
      return { id, vector: { dense: [...vector] }, payload: { kind: `k${id % 10}`, even: id % 2 === 0, rank: id } };
    });
    await call('PUT', '/collections/bench/points?wait=true', { points });
  }
  console.log('  upserts over HTTP, a point  ', `${((performance.now() - start) / count).toFixed(3)} ms`);
  const one = { query: [...query], using: 'dense', limit: LIMIT };
  const post = (path: string, body: unknown) => () => call('POST', `/collections/bench/points/${path}`, body);
  const match = (key: string, value: unknown): unknown => ({ must: [{ key, match: { value } }] });
  console.log('  query over HTTP             ', await median(post('query', one)));
  console.log('  by point id over HTTP       ', await median(post('query', { ...one, query: 7 })));
  const indexed = { ...one, filter: match('kind', 'k3') };
  console.log('  filtered, indexed field     ', await median(post('query', indexed)));
  console.log('  filtered, no index          ', await median(post('query', { ...one, filter: match('even', true) })));
  const excluded = { ...one, filter: { must_not: [{ key: 'kind', match: { value: 'k3' } }] } };
  console.log('  filtered, nine tenths left  ', await median(post('query', excluded)));
  const batch = { searches: queries.map((item) => ({ ...one, query: [...item] })) };
  console.log('  batch of 8 over HTTP        ', await median(post('query/batch', batch)));
  await pool.close();
  await server.close();
}

async function main(): Promise<void> {
  for (const count of [20_000, 100_000]) await bench(count);
  console.log(`\nresident memory ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
}

void main();
