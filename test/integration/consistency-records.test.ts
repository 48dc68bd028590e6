import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { wrong, type Wrong } from '../support/drift';
import { dataOf } from '../support/results';

const STORY = ['The well was dry.', 'Nobody knew why.', 'Then it rained.'].join('\n\n');

describe('records and the embedding rows that they ought to have', () => {
  const embedded: string[] = [];
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      embedder: createDeterministicEmbedder({ onEmbed: (texts) => void embedded.push(...texts) }),
    });
    await sql(
      `WITH p AS (INSERT INTO profiles (name, headline, summary) VALUES ('Ines', 'Weaver', 'Ines weaves.') RETURNING id)
       INSERT INTO skills (profile_id, name) SELECT id, 'Looms' FROM p`,
    );
    await sql(`INSERT INTO stories (title, content) VALUES ('The well', $1)`, [STORY]);
    await sql(`INSERT INTO tag_concepts (name) VALUES ('water'), ('fire')`);
    await app.settle();
  });
  afterAll(() => app.close());

  const sql = <Row extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> =>
    app.core.database.query<Row>(text, values);
  const check = async (): Promise<Wrong> => wrong(await app.core.services.consistency.check());
  /** Runs statements whose events are lost, of this topic or all of them. */
  const unseen = (statements: readonly string[], lost = 'true'): Promise<void> =>
    app.core.database.transaction({}, async (transaction) => {
      for (const statement of statements) await transaction.query(statement);
      await transaction.query(`DELETE FROM outbox_events WHERE ${lost}`);
    });

  /** Finds exactly that, by every way that reports it, and is rid of it after a repair. */
  async function isFoundAndMended(expected: Wrong, plan: Record<string, object>): Promise<void> {
    expect(await check()).toEqual(expected);
    const repaired = await app.executeOperation<{
      repairConsistency: { plan: { kind: string }[]; queued: number; report: { drift: number } };
    }>('mutation { repairConsistency { queued report { drift } plan { kind records writes payloads deletions } } }');
    const { repairConsistency } = dataOf(repaired);
    expect(Object.fromEntries(repairConsistency.plan.map(({ kind, ...rest }) => [kind, rest]))).toEqual(plan);
    expect(repairConsistency.queued).toBeGreaterThan(0);
    await app.settle();
    expect(await check()).toEqual({});
  }
  const nothing = { records: 0, writes: 0, payloads: 0, deletions: 0 };

  it('agree when all is followed', async () => {
    expect(await check()).toEqual({});
  });

  it('differ where rows were deleted and nothing captured it', async () => {
    await unseen(
      [
        `DELETE FROM profile_embeddings WHERE embedding_type IN ('summary', 'skills')`,
        `DELETE FROM story_chunk_embeddings WHERE paragraph_index = 1`,
      ],
      `topic = 'source'`,
    );
    await app.settle();
    await isFoundAndMended(
      { profile: { missingRows: 2 }, story: { missingRows: 1 } },
      { profile: { ...nothing, records: 1 }, story: { ...nothing, records: 1 } },
    );
    const chunks = await sql<{ text: string }>('SELECT text FROM story_chunk_embeddings ORDER BY paragraph_index');
    expect(chunks.map(({ text }) => text).join('\n\n')).toBe(STORY);
  });

  it('differ where a row holds another text, stands elsewhere or should not be there', async () => {
    await unseen(
      [
        `UPDATE profile_embeddings SET text = 'Somebody else.' WHERE embedding_type = 'summary'`,
        `UPDATE story_chunk_embeddings SET paragraph_index = 7 WHERE paragraph_index = 2`,
        `INSERT INTO tag_concept_embeddings (tag_concept_id, embedding_type, chunk_index, text)
         SELECT id, 'concept', 1, 'More than water.' FROM tag_concepts WHERE name = 'water'`,
      ],
      `topic = 'source'`,
    );
    await app.settle();
    await isFoundAndMended(
      { profile: { staleRows: 1 }, story: { staleRows: 1 }, tag_concept: { staleRows: 1, stalePayload: 1 } },
      {
        profile: { ...nothing, records: 1 },
        story: { ...nothing, records: 1 },
        tag_concept: { ...nothing, records: 1 },
      },
    );
  });

  it('differ where a record changed and nothing captured it', async () => {
    await unseen([
      `UPDATE stories SET content = replace(content, 'dry', 'wet')`,
      `UPDATE tag_concepts SET category = 'element' WHERE name = 'fire'`,
    ]);
    const { drifts } = await app.core.services.consistency.check();
    expect(drifts.map(({ kind, drift }) => [kind, drift])).toEqual([
      ['story', 'staleRows'],
      ['tag_concept', 'stalePayload'],
    ]);
    for (const { recordId } of drifts) expect(recordId).toEqual(expect.any(String));
    await isFoundAndMended(
      { story: { staleRows: 1 }, tag_concept: { stalePayload: 1 } },
      { story: { ...nothing, records: 1 }, tag_concept: { ...nothing, records: 1 } },
    );
  });

  it('differ where points wait and no event will ever fetch them', async () => {
    await unseen([
      `UPDATE vector_points SET state = 'pending' WHERE point_id IN
         (SELECT qdrant_point_id FROM profile_embeddings WHERE embedding_type = 'summary')`,
      `UPDATE vector_points SET state = 'failed' WHERE kind = 'story'`,
      `DELETE FROM tag_concepts WHERE name = 'fire'`,
    ]);
    await isFoundAndMended(
      { profile: { unqueued: 1 }, story: { unqueued: 3 }, tag_concept: { orphaned: 1 } },
      {
        profile: { ...nothing, writes: 1 },
        story: { ...nothing, writes: 3 },
        tag_concept: { ...nothing, deletions: 1 },
      },
    );
  });

  it('differ where the ledger has a point that neither store has', async () => {
    await sql(
      `INSERT INTO vector_points (point_id, kind, entity_id, state) SELECT gen_random_uuid(), 'profile', id, 'deleting' FROM profiles`,
    );
    await isFoundAndMended({ profile: { orphaned: 1 } }, { profile: { ...nothing, deletions: 1 } });
  });

  it('differ where the ledger has a point under another record, and the payload of that is not put on it', async () => {
    const [[water], [other]] = await Promise.all([
      sql<{ id: number }>(`SELECT id FROM tag_concepts WHERE name = 'water'`),
      sql<{ id: number }>(`INSERT INTO tag_concepts (name) VALUES ('ice') RETURNING id`),
    ]);
    await app.settle();
    await sql(`UPDATE vector_points SET entity_id = $1 WHERE kind = 'tag_concept' AND entity_id = $2`, [
      other?.id,
      water?.id,
    ]);
    // The point, and the record that it is not of.
    await isFoundAndMended({ tag_concept: { stalePayload: 2 } }, { tag_concept: { ...nothing, payloads: 1 } });
    const names = await sql(
      `SELECT payload ->> 'name' AS name FROM vector_points WHERE kind = 'tag_concept' ORDER BY 1`,
    );
    expect(names).toEqual([{ name: 'ice' }, { name: 'water' }]);
  });

  it('embed nothing that has been embedded before, where only a row is put back', async () => {
    await unseen([`UPDATE story_chunk_embeddings SET paragraph_index = 9 WHERE paragraph_index = 2`]);
    embedded.length = 0;
    await isFoundAndMended({ story: { staleRows: 1 } }, { story: { ...nothing, records: 1 } });
    expect(embedded).toEqual([]);
  });

  it('agree where a vector that was to be taken over is not there, and its row has the right text', async () => {
    await app.core.database.transaction({}, async (transaction) => {
      await transaction.query(`INSERT INTO tag_concepts (name) VALUES ('earth')`);
      await transaction.query(`SET LOCAL kindred.adopted_from = 'nowhere'`);
      await transaction.query(
        `INSERT INTO tag_concept_embeddings (tag_concept_id, embedding_type, text, start_offset, end_offset, token_count)
         SELECT id, 'concept', 'earth', 0, 5, 1 FROM tag_concepts WHERE name = 'earth'`,
      );
    });
    await app.settle();
    expect(await check()).toEqual({});
    expect(await sql(`SELECT state, adopted_from FROM vector_points WHERE payload ->> 'name' = 'earth'`)).toEqual([
      { state: 'indexed', adopted_from: null },
    ]);
  });

  it('are not compared where a change is on its way or was given up', async () => {
    await app.relay?.stop();
    await sql(`UPDATE stories SET content = content || E'\\n\\nThe end.'`);
    await sql(`UPDATE profiles SET headline = 'Master weaver'`);
    await sql(`UPDATE outbox_events SET dead_at = now(), error = 'not that' WHERE kind = 'profile'`);
    const { kinds } = await app.core.services.consistency.check();
    expect(wrong({ kinds })).toEqual({});
    expect(kinds.find(({ kind }) => kind === 'story')?.pending).toBeGreaterThan(0);
    expect(kinds.find(({ kind }) => kind === 'profile')?.dead).toBeGreaterThan(0);
  });
});

describe('a model that counts tokens in its own way', () => {
  it('is asked by the check as it is by the relay', async () => {
    const embedder = createDeterministicEmbedder();
    const ask = { count: (text: string) => text.length, isExact: true };
    const app = await startApp({ embedder: Object.assign(embedder, { tokenCounter: () => Promise.resolve(ask) }) });
    try {
      const long = 'A sentence that is long enough. '.repeat(40);
      await app.core.database.query(`INSERT INTO stories (title, content) VALUES ('Long', $1)`, [long]);
      await app.settle();
      const [chunk] = await app.core.database.query(
        `SELECT token_count = length(text) AS is_asked FROM story_chunk_embeddings`,
      );
      expect(chunk).toEqual({ is_asked: true });
      expect(wrong(await app.core.services.consistency.check())).toEqual({});
    } finally {
      await app.close();
    }
  });
});
