import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { startTracing } from '../../src/adapters/opentelemetry';
import { traceRequests } from '../../src/http/request-tracing';
import type { TestApp, TestAppOptions } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { buildTestServer } from '../support/http-server';
import { until } from '../support/until';

const CREATE = 'mutation ($input: CreateTagInput!) { createTag(input: $input) { syncToken } }';
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const exporter = new InMemorySpanExporter();

async function start(options?: TestAppOptions): Promise<TestApp> {
  const app = await startApp(options);
  closers.push(() => app.close());
  return app;
}

/** The names from a span up to where its trace begins. */
function lineOf(span: ReadableSpan, all: readonly ReadableSpan[]): string[] {
  const parent = all.find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId);
  return [span.name, ...(parent ? lineOf(parent, all) : [])];
}

describe('a trace', () => {
  let stop: () => Promise<void>;
  beforeAll(() => {
    const processor = new SimpleSpanProcessor(exporter);
    stop = startTracing({ endpoint: 'http://localhost:4318', serviceName: 'test', processor });
  });
  beforeEach(() => exporter.reset());
  afterAll(() => stop());

  it('leads from the mutation over its events to the upsert', async () => {
    const app = await start();
    await app.executeOperation(CREATE, { input: { name: 'traced' } });
    await app.settle();
    await until(() => Promise.resolve(exporter.getFinishedSpans().some(({ name }) => name === 'relay point')));
    const spans = exporter.getFinishedSpans();
    const [upsert, ...others] = spans.filter(({ name }) => name === 'qdrant upsert');
    expect(others).toEqual([]);
    // A transaction of the writer, one of the relay that renders the texts, and then the points.
    expect(lineOf(upsert as ReadableSpan, spans)).toEqual([
      'qdrant upsert',
      'relay point',
      'transaction',
      'relay source',
      'transaction',
    ]);
    const embed = spans.find(({ name }) => name === 'embed document');
    expect(embed?.spanContext().traceId).toBe(upsert?.spanContext().traceId);
  });

  it('of a batch links to the trace of each change in it', async () => {
    const app = await start({ isRelaying: false });
    exporter.reset();
    for (const name of ['one', 'two', 'three']) await app.executeOperation(CREATE, { input: { name } });
    const writes = exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
    expect(new Set(writes).size).toBe(3);
    exporter.reset();
    const relay = app.core.createRelay();
    closers.push(() => relay.stop());
    relay.start();
    await app.settle();
    await until(() => Promise.resolve(exporter.getFinishedSpans().some(({ name }) => name === 'relay point')));
    const batch = exporter.getFinishedSpans().find(({ name }) => name === 'relay source');
    expect(new Set(batch?.links.map((link) => link.context.traceId))).toEqual(new Set(writes));
  });

  it('is named on events that other writers capture within their own', async () => {
    const app = await start({ isRelaying: false });
    await app.core.database.transaction({}, async (transaction) => {
      await transaction.query(`SELECT set_config('kindred.traceparent', $1, true)`, [CALLER]);
      await transaction.query(`INSERT INTO tag_concepts (name) VALUES ('theirs')`);
    });
    await app.core.database.query(`INSERT INTO tag_concepts (name) VALUES ('untraced')`);
    await app.core.database.transaction({}, async (transaction) => {
      await transaction.query(`SELECT set_config('kindred.traceparent', 'nonsense', true)`);
      await transaction.query(`INSERT INTO tag_concepts (name) VALUES ('wrong')`);
    });
    const events = await app.core.database.query('SELECT trace_parent FROM outbox_events ORDER BY id');
    expect(events).toEqual([{ trace_parent: CALLER }, { trace_parent: null }, { trace_parent: null }]);
  });

  it('continues that of the caller, and says which request failed', async () => {
    const server = await buildTestServer({ instrument: traceRequests });
    closers.push(() => server.close());
    await server.app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { traceparent: CALLER },
      payload: { query: '{ whoAmI }' },
    });
    await server.app.inject({ url: '/nowhere' });
    const [asked, lost] = exporter.getFinishedSpans();
    expect(asked?.name).toBe('POST /graphql');
    expect(asked?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(lost?.attributes).toMatchObject({ 'http.response.status_code': 404 });
  });
});

it('without a tracer, events carry no trace', async () => {
  const app = await start({ isRelaying: false });
  await app.executeOperation(CREATE, { input: { name: 'silent' } });
  expect(await app.core.database.query('SELECT trace_parent FROM outbox_events')).toEqual([{ trace_parent: null }]);
});
