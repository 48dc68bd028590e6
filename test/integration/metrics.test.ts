import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { createMetrics, watchCore } from '../../src/app/metrics';
import { startHealthServer } from '../../src/http/health';
import { createLogger } from '../../src/http/logger';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { buildTestServer } from '../support/http-server';

describe('metrics', () => {
  const metrics = createMetrics();
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      meter: metrics,
      embedder: createDeterministicEmbedder({
        onEmbed: (texts) => {
          if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
        },
      }),
    });
    watchCore(metrics, app.core);
  });
  afterAll(() => app.close());

  /** The value of a line such as `kindred_x{kind="profile"}`; undefined where there is none. */
  const read = async (from = metrics): Promise<(name: string) => number | undefined> => {
    const lines = new Map(
      (await from.read())
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    return (name) => lines.get(`kindred_${name}`);
  };

  it('count what is written, embedded, tried and given up', async () => {
    const insert = `INSERT INTO tag_concepts (name) VALUES ('clear water'), ('poison')`;
    await app.core.database.query(insert);
    await app.settle();
    await app.core.database.query(`UPDATE tag_concepts SET name = 'blue sky' WHERE name = 'clear water'`);
    await app.settle();
    const value = await read();
    expect(value('outbox_events{kind="tag_concept",state="dead"}')).toBe(1);
    expect(value('outbox_events{kind="tag_concept",state="source"}')).toBe(0);
    expect(value('points_unsettled{kind="tag_concept",state="failed"}')).toBe(1);
    expect(value('outbox_is_known')).toBe(1);
    expect(value('relay_attempts_total{topic="source",kind="tag_concept",outcome="done"}')).toBe(3);
    expect(value('relay_attempts_total{topic="point",kind="tag_concept",outcome="done"}')).toBe(2);
    expect(value('relay_attempts_total{topic="point",kind="tag_concept",outcome="dead"}')).toBe(1);
    expect(value('qdrant_points_written_total{operation="upsert"}')).toBe(2);
    expect(value('qdrant_write_duration_seconds_count{operation="upsert",outcome="ok"}')).toBe(2);
    expect(value('embed_duration_seconds_count{purpose="document",outcome="error"}')).toBeGreaterThan(0);
    expect(value('embedded_tokens_total{purpose="document"}')).toBeGreaterThan(0);
    expect(value('vector_reuse_total{result="miss"}')).toBeGreaterThanOrEqual(3);
  });

  it('count query texts that were remembered', async () => {
    const search = '{ searchTags(query: { text: "sky", mode: SEMANTIC }) { nodes { name } } }';
    await app.executeOperation(search);
    await app.executeOperation(search);
    const value = await read();
    expect(value('query_texts_total{result="hit"}')).toBe(1);
    expect(value('query_texts_total{result="miss"}')).toBe(1);
  });

  it('say by how much the stores differ, once they are counted', async () => {
    await app.core.lightCheck.run();
    let value = await read();
    expect(value('embedding_rows{kind="tag_concept"}')).toBe(2);
    expect(value('points{kind="tag_concept"}')).toBe(1);
    expect(value('drift_suspected{kind="tag_concept"}')).toBe(0);
    expect(value('drift{kind="tag_concept",type="missing"}')).toBeUndefined();

    const alias = app.core.catalog.alias('tag_concept');
    const { points } = await app.core.store.scroll(alias, { limit: 10, payload: false });
    await app.core.store.delete(
      alias,
      points.map(({ id }) => ({ id })),
    );
    await app.core.lightCheck.run();
    await app.core.services.consistency.check();
    value = await read();
    expect(value('drift_suspected{kind="tag_concept"}')).toBe(1);
    expect(value('drift{kind="tag_concept",type="missing"}')).toBe(1);
    expect(value('drift_is_queued{kind="tag_concept"}')).toBe(0);
    expect(value('check_timestamp_seconds{kind="tag_concept"}')).toBeGreaterThan(1_700_000_000);
  });

  it('say what another process found and repaired, and that it is right again once somebody looked', async () => {
    const { consistency } = app.core.services;
    // Nothing of it is in this process: what it shows comes from the database.
    const others = createMetrics();
    watchCore(others, app.core);
    await consistency.repair();
    let value = await read(others);
    expect(value('drift{kind="tag_concept",type="missing"}')).toBe(1);
    expect(value('drift_is_queued{kind="tag_concept"}')).toBe(1);
    await app.settle();
    const counts = await app.core.lightCheck.run();
    await Promise.all([consistency.checkRepaired(counts), consistency.checkRepaired(counts)]);
    value = await read(others);
    expect(value('drift{kind="tag_concept",type="missing"}')).toBe(0);
    expect(value('drift_is_queued{kind="tag_concept"}')).toBe(0);
  });

  it('are named as Prometheus asks, each with its help and its type', async () => {
    metrics.answered('/graphql', 'POST', 200, 12);
    metrics.failed('NOT_FOUND');
    await app.core.lightCheck.run();
    await app.core.services.consistency.check();
    const lines = (await metrics.read()).split('\n').filter((line) => line !== '');
    const types = new Map<string, string>();
    const helped = new Set<string>();
    for (const line of lines) {
      const [, sort, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
      if (sort === 'HELP') expect([name, helped.has(name)]).toEqual([name, false]);
      if (sort === 'HELP') helped.add(name);
      if (sort === 'TYPE') types.set(name, rest);
    }
    expect([...types.keys()].sort()).toEqual([...helped].sort());
    const own = [...types].filter(([name]) => name.startsWith('kindred_'));
    expect(own.length).toBeGreaterThan(15);
    for (const [name, type] of own) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(ms|milliseconds?|minutes?|hours?|kb|mb|kilobytes?|percent|count|sum|bucket)(_|$)/);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    }
    // Every sample is of a family that has been declared, and a number.
    for (const line of lines.filter((one) => !one.startsWith('#'))) {
      const [, name = '', value] = /^([a-z0-9_]+)(?:\{(?:[a-z_]+="[^"]*",?)*\})? (\S+)$/.exec(line) ?? [];
      const family = name.replace(/_(bucket|sum|count)$/, '');
      expect([line, types.has(name) || types.has(family)]).toEqual([line, true]);
      expect([line, Number.isFinite(Number(value?.replace('+Inf', '0')))]).toEqual([line, true]);
    }
    expect(types.get('process_cpu_seconds_total')).toBe('counter');
  });

  it('suspect nothing while something is on its way', async () => {
    await app.relay?.stop();
    await app.core.database.query(`INSERT INTO stories (title, content) VALUES ('A story', 'Once upon a time.')`);
    const counts = await app.core.lightCheck.run();
    expect(counts.find(({ kind }) => kind === 'story')?.suspected).toBeNull();
  });
});

describe('the page of metrics', () => {
  const key = 'a-key-for-prometheus';
  const authentication = {
    apiKeys: [{ role: 'reader' as const, sha256: createHash('sha256').update(key).digest('hex') }],
  };

  it('is for those who are known, and says how requests were answered', async () => {
    const metrics = createMetrics();
    const onAnswered = metrics.answered.bind(metrics);
    const server = await buildTestServer({ metrics, onAnswered, authentication });
    try {
      const refused = await server.app.inject({ url: '/metrics' });
      expect(refused.statusCode).toBe(401);
      await server.app.inject({ url: '/health/live' });
      const answer = await server.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${key}` } });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toContain('text/plain');
      expect(answer.body).toContain(
        'kindred_http_request_duration_seconds_count{route="/health/live",method="GET",status="200"} 1',
      );
      expect(answer.body).toContain(
        'kindred_http_request_duration_seconds_count{route="/metrics",method="GET",status="401"} 1',
      );
    } finally {
      await server.close();
    }
  });

  it('of a worker is at its health port, which others reach with authentication only', async () => {
    const metrics = createMetrics();
    const logger = createLogger({ level: 'silent' });
    const parts = { port: 0, readiness: {}, metrics, logger };
    await expect(startHealthServer({ ...parts, host: '0.0.0.0', authentication: {} })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    });
    const close = await startHealthServer({ ...parts, host: '0.0.0.0', authentication });
    await close();
  });
});
