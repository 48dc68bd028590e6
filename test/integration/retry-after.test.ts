import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { createOpenAiEmbedder } from '../../src/adapters/openai';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import { eventually, WritePathServers, type WritePath } from '../support/write-path';
import { DIMENSIONS, fail, startFakeOpenAi, type FakeOpenAi, type Fault } from './openai-support/fake-openai';

let servers: WritePathServers;
let endpoint: FakeOpenAi;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  servers = await WritePathServers.start();
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

afterAll(async () => {
  await servers.close();
});

/** With an embedder that leaves waiting to the relay, or waits itself for up to `maxWaitMs`. */
async function open(maxWaitMs: number): Promise<WritePath> {
  endpoint = await startFakeOpenAi();
  opened.push(endpoint);
  const path = await servers.open({
    embedder: createOpenAiEmbedder({
      apiKey: 'key',
      baseUrl: endpoint.baseUrl,
      model: 'fake',
      dimensions: DIMENSIONS,
      maxWaitMs,
    }),
  });
  opened.push(path);
  return path;
}

const ASKED_MS = 1_500;
const asking = { 'retry-after-ms': String(ASKED_MS) };

/** Notes when its answer went out; the client cannot have it earlier. */
function noting(times: number[], fault: Fault): Fault {
  return (request, response) => {
    times.push(performance.now());
    return fault(request, response);
  };
}

/** What arrived while it was not to. The endpoint asks before the client can know of it, so this never blames who waits. */
function cameEarly(askedAt: readonly number[]): number[] {
  return endpoint.arrivedAt.filter((arrived) => askedAt.some((at) => arrived > at && arrived < at + ASKED_MS));
}

/** So that nothing is under way already when the endpoint asks. */
const ONE_AT_A_TIME = { pointConcurrency: 1, urgentPointConcurrency: 0, pointBatchSize: 2 };
const insertTags = `INSERT INTO tag_concepts (name) SELECT 'tag ' || i FROM generate_series(1, $1::int) i`;

describe('a model that asks to be left alone for a while', () => {
  it.each([
    ['429', 0],
    ['429', 5_000],
    ['503', 0],
    ['503', 5_000],
  ])('is: status %s, where the embedder waits up to %i ms itself', async (status, maxWaitMs) => {
    const path = await open(maxWaitMs);
    await path.sql(insertTags, [12]);
    const askedAt: number[] = [];
    const refuse = noting(askedAt, fail(Number(status), { message: 'later' }, asking));
    endpoint.faults.push(refuse, refuse);
    const relay = path.relay(ONE_AT_A_TIME);
    await path.idle();

    expect(askedAt.length).toBeGreaterThan(0);
    expect(cameEarly(askedAt)).toEqual([]);
    await eventually(() => expect(relay.outage).toBeUndefined());
    expect(await path.sql(`SELECT DISTINCT state FROM vector_points`)).toEqual([{ state: 'indexed' }]);
    expect(await path.sql('SELECT 1 FROM outbox_events')).toEqual([]);
  });

  it('is by all who work at the same time', async () => {
    const path = await open(0);
    await path.sql(insertTags, [12]);
    const askedAt: number[] = [];
    let openGate: () => void = () => undefined;
    endpoint.gate = new Promise((resolve) => (openGate = resolve));
    endpoint.faults.push(noting(askedAt, fail(429, { message: 'later' }, asking)));
    path.relay({ pointConcurrency: 2, urgentPointConcurrency: 1, pointBatchSize: 2 });
    await eventually(() => expect(endpoint.requests).toHaveLength(3));
    endpoint.gate = undefined;
    openGate();
    await path.idle();

    expect(askedAt).toHaveLength(1);
    expect(cameEarly(askedAt)).toEqual([]);
    expect(await path.sql(`SELECT DISTINCT state FROM vector_points`)).toEqual([{ state: 'indexed' }]);
  });
});

describe('a vector server that asks to be left alone for a while', () => {
  it('is', async () => {
    const writtenAt: number[] = [];
    const refuseOnce = (): void => {
      writtenAt.push(performance.now());
      if (writtenAt.length === 1) throw new VectorStoreUnavailableError('later', ASKED_MS);
    };
    const wrapStore = (store: VectorStore): VectorStore =>
      new Proxy(store, {
        get: (target, name: keyof VectorStore) => {
          if (name === 'upsert') refuseOnce();
          const member = target[name];
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    const path = await servers.open({ wrapStore });
    opened.push(path);
    await path.sql(insertTags, [12]);
    path.relay(ONE_AT_A_TIME);
    await path.idle();
    const [asked = Number.NaN, next = Number.NaN] = writtenAt;
    expect(next - asked).toBeGreaterThanOrEqual(ASKED_MS);
    expect(await path.drift()).toEqual([]);
  });
});
