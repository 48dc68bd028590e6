import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { WritePathServers, type WritePath } from '../support/write-path';
import { relayUntilKilled, type Death } from './support/mortal-relay';

let servers: WritePathServers;
let opened: WritePath | undefined;

beforeAll(async () => {
  servers = await WritePathServers.start();
});

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

afterAll(async () => {
  await servers.close();
});

const PARAGRAPHS = 1100;
const SUBJECTS = ['ravens', 'bakers', 'sailors', 'miners'];

/** More than two batches. Each paragraph is near the tag of its subject and no other. */
const paragraphs = Array.from({ length: PARAGRAPHS }, (_, i) => SUBJECTS[i % SUBJECTS.length]).join('\n\n');

async function open(): Promise<WritePath> {
  opened = await servers.open();
  // Nothing is compared yet.
  await opened.sql(`UPDATE tag_schemes SET kinds = '{}'`);
  await opened.sql('INSERT INTO tag_concepts (name) SELECT unnest($1::text[])', [SUBJECTS]);
  await opened.sql(`INSERT INTO stories (title, content) VALUES ('Trades', $1)`, [paragraphs]);
  const relay = opened.relay();
  await opened.idle();
  await relay.stop();
  await opened.sql(`UPDATE tag_schemes SET kinds = ARRAY['story'] WHERE name = 'general'`);
  await opened.sql('DELETE FROM outbox_events');
  return opened;
}

const queue = (path: WritePath, kind: string, table: string): Promise<unknown> =>
  path.sql(
    `INSERT INTO outbox_events (topic, kind, key, priority) SELECT 'tag', $1, qdrant_point_id::text, 1 FROM ${table}`,
    [kind],
  );

interface State {
  assigned: number;
  rightly: number;
  miscounted: number;
  left: number;
}

async function stateOf(path: WritePath): Promise<State> {
  const [state] = await path.sql<State>(
    `SELECT count(*)::int AS assigned, count(*) FILTER (WHERE chunk.text = tag.name)::int AS rightly,
       (SELECT count(*)::int FROM tag_concepts t
        WHERE t.usage_count <> (SELECT count(*) FROM story_chunk_tags a WHERE a.tag_concept_id = t.id)) AS miscounted,
       (SELECT count(*)::int FROM outbox_events) AS left
     FROM story_chunk_tags a JOIN tag_concepts tag ON tag.id = a.tag_concept_id
     JOIN story_chunk_embeddings chunk ON chunk.id = a.story_chunk_id`,
  );
  return state as State;
}

async function killed(path: WritePath, death: Death): Promise<State> {
  const { url } = path.database.dataSource.options as unknown as { url: string };
  await relayUntilKilled({ databaseUrl: url, qdrantUrl: servers.qdrantUrl, prefix: path.prefix, death });
  return stateOf(path);
}

const done: State = { assigned: PARAGRAPHS, rightly: PARAGRAPHS, miscounted: 0, left: 0 };

describe('a relay killed while it tags texts', () => {
  const suggesting = 'INSERT INTO story_chunk_tags';

  it.each<[string, Death, boolean]>([
    ['when it has taken a batch', { step: 'claimed', after: 1 }, false],
    ['before the first suggestions are committed', { statement: suggesting, after: 1 }, false],
    ['before the events of the first are removed', { statement: 'DELETE FROM outbox_events', after: 1 }, true],
    ['after the first suggestions are committed', { step: 'acked', after: 1 }, true],
    ['in a later batch', { step: 'acked', after: 2 }, true],
  ])('%s leaves every suggestion to be made once', async (_, death, isSomeWritten) => {
    const path = await open();
    await queue(path, 'story', 'story_chunk_embeddings');
    const between = await killed(path, death);
    // Whole batches or nothing, with their counts; what is not written has its events still.
    expect(between.assigned > 0).toBe(isSomeWritten);
    expect(between).toMatchObject({ rightly: between.assigned, miscounted: 0 });
    expect(between.assigned + between.left).toBeGreaterThanOrEqual(PARAGRAPHS);
    path.relay();
    await path.idle();
    expect(await stateOf(path)).toEqual(done);
    expect(await path.drift()).toEqual([]);
  });
});

describe('a relay killed while it compares tags with all texts', () => {
  it.each<[string, Death]>([
    ['before the suggestions are committed', { statement: 'WITH compared', after: 1 }],
    ['after', { step: 'acked', after: 1 }],
  ])('%s leaves every suggestion to be made once', async (name, death) => {
    const path = await open();
    await queue(path, 'tag_concept', 'tag_concept_embeddings');
    const between = await killed(path, death);
    expect(between).toEqual(name === 'after' ? done : { ...done, assigned: 0, rightly: 0, left: SUBJECTS.length });
    path.relay();
    await path.idle();
    expect(await stateOf(path)).toEqual(done);
    expect(await path.drift()).toEqual([]);
  });
});
