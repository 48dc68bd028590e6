import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startEmbeddedQdrant, type EmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { startThrowawayPostgres, type EmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { toGlobalId } from '../../src/kernel/record/global-id';
import { DIMENSIONS, fail, startFakeOpenAi, type FakeOpenAi } from '../integration/openai-support/fake-openai';
import { count, pointIds, untilIndexed, withDatabase, type StoreAddresses } from './support/both-stores';
import { eventually } from './support/eventually';
import { post } from './support/graphql';
import { scrape, startWorker, type Worker } from './support/worker';
import { cleanUp, runProgram, startProgram, temporaryFolder } from './support/program';

const PROCESSES = 3;
/** Of each process: two loops, and one for what somebody may be waiting for. */
const BATCHES_AT_ONCE = 3;
const THOUGHTS = 60;
const STORIES = 60;

let postgres: EmbeddedPostgres;
let qdrant: EmbeddedQdrant;
let provider: FakeOpenAi;
let env: Record<string, string>;
let addresses: StoreAddresses;

beforeAll(async () => {
  [postgres, qdrant, provider] = await Promise.all([
    startThrowawayPostgres(),
    startEmbeddedQdrant({ dataDir: ':memory:' }),
    startFakeOpenAi(),
  ]);
  addresses = { databaseUrl: postgres.url, qdrantUrl: qdrant.url };
  env = {
    DATABASE_URL: postgres.url,
    QDRANT_URL: qdrant.url,
    KINDRED_DEMO: 'off',
    KINDRED_EMBEDDER: 'openai',
    OPENAI_BASE_URL: provider.baseUrl,
    KINDRED_EMBEDDING_MODEL: 'fake',
    KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS),
    KINDRED_RELAY_BATCH_SIZE: '8',
  };
  expect((await runProgram(temporaryFolder(), ['migrate'], { env })).code).toBe(0);
});

afterAll(async () => {
  await cleanUp();
  await Promise.all([provider.close(), qdrant.close()]);
  await postgres.stop();
});

const sql = (...statements: string[]): Promise<void> =>
  withDatabase(postgres.url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
const rowsOf = <Row extends object>(statement: string): Promise<Row[]> =>
  withDatabase(postgres.url, async (client) => (await client.query<Row>(statement)).rows);
const stop = async (workers: readonly Worker[]): Promise<void> => {
  for (const { program } of workers) program.kill('SIGTERM');
  for (const { program } of workers) expect(await program.ended).toEqual({ code: 0, signal: null });
};
const cli = (...args: string[]) => runProgram(temporaryFolder(), args, { env });

async function expectBothStoresToAgree(): Promise<void> {
  const { rows, ledger, points } = await pointIds(addresses);
  expect(ledger).toEqual(rows);
  expect(points).toEqual(rows);
}

describe('several workers on one outbox', () => {
  it('share it: every text is embedded once, every event handled once, and all of them are at work', async () => {
    const workers = await Promise.all(Array.from({ length: PROCESSES }, () => startWorker(env)));
    // Each has asked whether the model answers.
    provider.requests.length = 0;
    let letThrough = (): void => undefined;
    provider.gate = new Promise((resolve) => (letThrough = resolve));
    await sql(
      'CREATE TABLE captured (topic text, kind text, key text)',
      `CREATE FUNCTION note_captured() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO captured VALUES (NEW.topic, NEW.kind, NEW.key); RETURN NULL; END $$`,
      'CREATE TRIGGER note_captured AFTER INSERT ON outbox_events FOR EACH ROW EXECUTE FUNCTION note_captured()',
    );
    // None belongs to another, so that nothing has to be looked at twice; no two texts are the same.
    for (let i = 0; i < THOUGHTS; i++) {
      await sql(
        `INSERT INTO content_items (content_type, content_id, content) VALUES ('thought', gen_random_uuid()::text, 'Thought ${i}.')`,
      );
    }
    for (let i = 0; i < STORIES; i++) {
      await sql(`INSERT INTO stories (title, content) VALUES ('Story ${i}', E'Once ${i}.\\n\\nThen ${i}.')`);
    }
    // So many at once that no two processes could have them.
    await eventually('every worker to be at work', () =>
      provider.mostAtOnce > (PROCESSES - 1) * BATCHES_AT_ONCE ? true : undefined,
    );
    letThrough();
    provider.gate = undefined;
    await untilIndexed(addresses);

    const tables = await rowsOf<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'qdrant_point_id'`,
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const rows = await rowsOf<{ text: string }>(
        `SELECT coalesce(context_line || E'\\n', '') || text AS text FROM ${name}`,
      );
      texts.push(...rows.map(({ text }) => text));
    }
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.length).toBeGreaterThan(THOUGHTS + STORIES);
    expect(provider.requests.flatMap(({ input }) => input).sort()).toEqual(texts.sort());

    const captured = await rowsOf<{ topic: string; count: number }>(
      'SELECT topic, count(*)::int AS count FROM captured GROUP BY topic ORDER BY topic',
    );
    expect(await rowsOf('SELECT topic, kind, key FROM captured GROUP BY 1, 2, 3 HAVING count(*) > 1')).toEqual([]);
    const pages = await Promise.all(workers.map(scrape));
    const handled = captured.map(({ topic }) => ({
      topic,
      count: pages.reduce((sum, page) => sum + page.sum('relay_attempts_total', { topic, outcome: 'done' }), 0),
    }));
    expect(handled).toEqual(captured);
    for (const page of pages) expect(page.sum('embedded_texts_total')).toBeGreaterThan(0);
    expect(pages.reduce((sum, page) => sum + page.sum('embedded_texts_total'), 0)).toBe(texts.length);
    expect(pages.reduce((sum, page) => sum + page.sum('qdrant_points_written_total'), 0)).toBe(texts.length);
    await sql('DROP TRIGGER note_captured ON outbox_events');
    await stop(workers);
    await expectBothStoresToAgree();
  });
});

describe('the metrics of a worker', () => {
  it('say what waits, for how long, what was tried, given up, embedded, written and found again', async () => {
    const worker = await startWorker(env);
    const before = await scrape(worker);
    expect(before.sum('outbox_is_known')).toBe(1);
    expect(before.sum('outbox_events')).toBe(0);

    let letThrough = (): void => undefined;
    provider.gate = new Promise((resolve) => (letThrough = resolve));
    await sql(`INSERT INTO tag_concepts (name) VALUES ('slow')`);
    await eventually('a point to wait, and to grow older', async () => {
      const page = await scrape(worker);
      const waiting = page.sum('outbox_events', { kind: 'tag_concept', state: 'point' });
      return waiting === 1 && page.sum('outbox_oldest_seconds', { kind: 'tag_concept' }) > 0.5 ? true : undefined;
    });
    expect((await scrape(worker)).sum('points_unsettled', { kind: 'tag_concept', state: 'pending' })).toBe(1);
    provider.faults.push(fail(400, { message: 'not that', type: 'invalid_request_error', param: null, code: null }));
    letThrough();
    provider.gate = undefined;
    await eventually('a dead letter', async () =>
      (await scrape(worker)).sum('outbox_events', { state: 'dead' }) === 1 ? true : undefined,
    );
    const listed = JSON.parse((await cli('dead-letters', 'list', '--json')).stdout) as {
      total: number;
      deadLetters: { id: string }[];
    };
    expect(listed).toMatchObject({ total: 1, deadLetters: [{ kind: 'tag_concept', errorCode: 'MODEL_REJECTED' }] });
    expect((await cli('dead-letters', 'redrive', listed.deadLetters[0]?.id ?? '')).code).toBe(0);
    await untilIndexed(addresses);
    await sql(`INSERT INTO content_items (content_type, content_id, content)
        SELECT 'thought', gen_random_uuid()::text, 'The same thought.' FROM generate_series(1, 1)`);
    await untilIndexed(addresses);
    await sql(`INSERT INTO content_items (content_type, content_id, content)
        SELECT 'thought', gen_random_uuid()::text, 'The same thought.' FROM generate_series(1, 1)`);
    await untilIndexed(addresses);

    const after = await scrape(worker);
    const tag = { kind: 'tag_concept' };
    expect(after.sum('outbox_events')).toBe(0);
    expect(after.sum('relay_attempts_total', { ...tag, topic: 'point', outcome: 'dead' })).toBe(1);
    expect(after.sum('relay_attempts_total', { ...tag, topic: 'point', outcome: 'done' })).toBe(1);
    expect(after.sum('embed_duration_seconds_count', { purpose: 'document', outcome: 'error' })).toBeGreaterThan(0);
    expect(after.sum('embed_duration_seconds_count', { purpose: 'document', outcome: 'ok' })).toBeGreaterThan(0);
    expect(after.sum('embed_duration_seconds_sum', { purpose: 'document' })).toBeGreaterThan(0);
    expect(after.sum('embedded_tokens_total', { purpose: 'document' })).toBeGreaterThan(0);
    expect(after.sum('vector_reuse_total', { result: 'hit' })).toBe(1);
    expect(after.sum('vector_reuse_total', { result: 'miss' })).toBeGreaterThan(0);
    expect(after.sum('qdrant_write_duration_seconds_count', { operation: 'upsert', outcome: 'ok' })).toBeGreaterThan(0);
    expect(after.sum('qdrant_write_duration_seconds_sum', { operation: 'upsert' })).toBeGreaterThan(0);
    // Made by the worker itself, every minute and at its start.
    expect(after.sum('light_check_timestamp_seconds')).toBeGreaterThan(0);
    expect(after.sum('embedding_rows')).toBeGreaterThan(0);
    expect(after.sum('points')).toBeGreaterThan(0);
    expect(after.sum('drift_suspected')).toBe(0);
    await stop([worker]);
  });

  it('say what a check from the command line found, and that a repair has mended it', async () => {
    const worker = await startWorker(env);
    const missing = { kind: 'tag_concept', type: 'missing' };
    const [row] = await rowsOf<{ id: string; collection: string }>(
      `SELECT p.point_id AS id, g.collection FROM vector_points p JOIN embedding_generations g ON g.id = p.generation_id
         WHERE p.kind = 'tag_concept'`,
    );
    const response = await fetch(`${qdrant.url}/collections/${row?.collection}/points/delete?wait=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ points: [row?.id] }),
    });
    expect(response.status).toBe(200);
    expect((await scrape(worker)).sum('drift', missing)).toBe(0);

    expect((await cli('consistency', 'check')).code).toBe(1);
    let page = await scrape(worker);
    expect(page.sum('drift', missing)).toBe(1);
    expect(page.sum('drift')).toBe(1);
    expect(page.sum('drift_is_queued')).toBe(0);

    expect((await cli('consistency', 'repair')).code).toBe(0);
    expect((await scrape(worker)).sum('drift_is_queued')).toBe(1);
    await untilIndexed(addresses);
    expect((await cli('consistency', 'check')).code).toBe(0);
    page = await scrape(worker);
    expect([page.sum('drift'), page.sum('drift_is_queued')]).toEqual([0, 0]);
    await stop([worker]);
  });
});

describe('retention', () => {
  it('is kept by any worker that has it set: what is older goes with its points and parts, what is younger stays', async () => {
    const relaying = await startWorker(env);
    await sql(
      `WITH old AS (
           INSERT INTO profiles (name, headline, archived_at) VALUES ('Long gone', 'Was here', now() - interval '31 days') RETURNING id
         ), skill AS (INSERT INTO skills (profile_id, name) SELECT id, 'Forgetting' FROM old)
         INSERT INTO generated_resumes (profile_id, title, content) SELECT id, 'Of old', 'Old words.' FROM old`,
      `WITH young AS (
           INSERT INTO profiles (name, headline, archived_at) VALUES ('Just gone', 'Was here too', now() - interval '29 days') RETURNING id
         ) INSERT INTO skills (profile_id, name) SELECT id, 'Remembering' FROM young`,
      `INSERT INTO stories (title, content, archived_at) VALUES ('Old story', 'Once.', now() - interval '400 days')`,
    );
    await untilIndexed(addresses);
    const { points: before } = await pointIds(addresses);
    const going = await rowsOf<{ id: string }>(
      `SELECT p.point_id AS id FROM vector_points p
         WHERE (kind, entity_id) IN (
           SELECT 'profile', id FROM profiles WHERE name = 'Long gone'
           UNION SELECT 'skill', id FROM skills WHERE name = 'Forgetting'
           UNION SELECT 'generated_resume', id FROM generated_resumes WHERE title = 'Of old'
           UNION SELECT 'story', id FROM stories WHERE title = 'Old story')`,
    );
    expect(going.length).toBeGreaterThanOrEqual(4);
    await stop([relaying]);

    const purging = await startWorker({ ...env, KINDRED_PURGE_AFTER_DAYS: '30' });
    await eventually('the purge', () =>
      withDatabase(postgres.url, async (client) =>
        (await count(client, `profiles WHERE name = 'Long gone'`)) === 0 &&
        (await count(client, `stories WHERE title = 'Old story'`)) === 0
          ? true
          : undefined,
      ),
    );
    await untilIndexed(addresses);

    const gone = new Set(going.map(({ id }) => id));
    expect((await pointIds(addresses)).points).toEqual(before.filter((id) => !gone.has(id)));
    await expectBothStoresToAgree();
    expect(await rowsOf(`SELECT name FROM skills WHERE name IN ('Forgetting', 'Remembering')`)).toEqual([
      { name: 'Remembering' },
    ]);
    expect(await rowsOf(`SELECT name FROM profiles WHERE archived_at IS NOT NULL`)).toEqual([{ name: 'Just gone' }]);
    expect(purging.program.logs().map(({ msg }) => msg)).toContain('purged what was archived long ago');
    await stop([purging]);
  });
});

describe('an erasure whose process is killed', () => {
  const ERASE = `mutation ($id: ID!) { eraseProfile(id: $id, timeoutMs: 300000) {
    removed { rows points } found { rows ledgerEntries events deadLetters points cachedTexts lexicalHits vectorHits } } }`;

  it('is gone on with by the next one, and finds nothing in the end', async () => {
    const [person] = await rowsOf<{ id: number }>(`SELECT id FROM profiles WHERE name = 'Just gone'`);
    const id = toGlobalId('Profile', person?.id ?? 0);
    const first = startProgram(temporaryFolder(), ['serve'], { env: { ...env, KINDRED_RELAY: 'off' } });
    const url = await first.ready();
    // Nobody relays, so it waits; the connection breaks with the process.
    const cut = post(url, ERASE, { id }).then(
      () => false,
      () => true,
    );
    await eventually('the person to be deleted', async () =>
      (await rowsOf(`SELECT 1 FROM profiles WHERE name = 'Just gone'`)).length === 0 ? true : undefined,
    );
    first.kill('SIGKILL');
    expect(await cut).toBe(true);
    expect(JSON.parse((await cli('status', '--json')).stdout)).toMatchObject({ unfinishedErasures: [id] });

    const second = startProgram(temporaryFolder(), ['serve'], { env });
    const { data } = await post<{ eraseProfile: { removed: Record<string, number>; found: Record<string, number> } }>(
      await second.ready(),
      ERASE,
      { id },
    );
    expect(new Set(Object.values(data?.eraseProfile.found ?? { none: 1 }))).toEqual(new Set([0]));
    expect(data?.eraseProfile.removed.points).toBeGreaterThan(0);
    expect(await rowsOf('SELECT 1 FROM unfinished_erasures')).toEqual([]);
    second.kill('SIGTERM');
    await second.ended;
    await expectBothStoresToAgree();
    const check = await cli('consistency', 'check', '--json');
    expect(JSON.parse(check.stdout)).toMatchObject({ drift: 0, drifts: [] });
  });
});
