import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { driftKinds, type DriftKind, type KindConsistency } from '../../src/kernel/consistency/consistency-report';
import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';

describe('consistency', () => {
  const embedded: string[] = [];
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      embedder: createDeterministicEmbedder({ onEmbed: (texts) => void embedded.push(...texts) }),
    });
    for (const title of ['Glass blower', 'Clock maker', 'Bee keeper']) {
      await app.executeOperation('mutation ($input: CreateJobInput!) { createJob(input: $input) { syncToken } }', {
        input: { title, description: `Work as a ${title}`, company: 'Acme' },
      });
    }
    await app.settle();
  });
  afterAll(() => app.close());

  const jobs = async (): Promise<KindConsistency> => {
    const report = await app.core.services.consistency.check({ kinds: ['job_description'] });
    return report.kinds[0] as KindConsistency;
  };
  const wrong = (counted: KindConsistency): Partial<Record<DriftKind, number>> =>
    Object.fromEntries(driftKinds.filter((drift) => counted[drift] > 0).map((drift) => [drift, counted[drift]]));
  const pointIds = async (): Promise<string[]> => {
    const rows = await app.core.database.query<{ id: string }>(
      `SELECT qdrant_point_id AS id FROM job_description_embeddings ORDER BY id`,
    );
    return rows.map((row) => row.id);
  };

  it('is zero once everything has been followed, and counts both sides', async () => {
    const counted = await jobs();
    expect(wrong(counted)).toEqual({});
    expect(counted.rows).toBe((await pointIds()).length);
    expect(counted.points).toBe(counted.rows);
  });

  it('finds every kind of drift, and repairs it through the outbox', async () => {
    const [lost, changed, otherText, otherModel] = (await pointIds()) as [string, string, string, string];
    const { store, database, catalog } = app.core;
    const alias = catalog.alias('job_description');
    const [other] = await store.retrieve(alias, [changed], { payload: true, vectors: ['dense', 'lexical'] });
    if (!other?.dense || !other.lexical) throw new Error('the point to be copied is not there');
    await store.delete(alias, [{ id: lost }]);
    const orphan = { ...other, id: randomUUID(), dense: Float32Array.from(other.dense), lexical: other.lexical };
    await store.upsert(alias, [orphan]);
    await store.overwritePayloads(alias, [{ id: changed, payload: { ...other.payload, company: 'Elsewhere' } }]);
    await database.query(`UPDATE vector_points SET indexed_hash = repeat('0', 64) WHERE point_id = $1`, [otherText]);
    await database.query(`UPDATE vector_points SET generation_id = NULL WHERE point_id = $1`, [otherModel]);

    expect(wrong(await jobs())).toEqual({ missing: 1, orphaned: 1, stalePayload: 1, staleText: 1, wrongModel: 1 });

    const plan = [{ kind: 'job_description', records: 0, writes: 3, payloads: 1, deletions: 1 }];
    const repair = (dryRun: boolean) =>
      app.executeOperation(
        `mutation { repairConsistency(dryRun: ${dryRun}) { queued report { drift } plan { kind records writes payloads deletions } } }`,
      );
    expect((await repair(true)).data).toEqual({ repairConsistency: { queued: 0, report: { drift: 5 }, plan } });
    expect((await repair(false)).data).toEqual({ repairConsistency: { queued: 5, report: { drift: 5 }, plan } });
    await app.settle();
    expect(wrong(await jobs())).toEqual({});
    const [restored] = await store.retrieve(alias, [lost], { payload: ['entity_id'], vectors: [] });
    expect(restored?.id).toBe(lost);
  });

  it('finds points with numbers for ids, which are nobody’s here, and deletes them', async () => {
    const { store, catalog } = app.core;
    const alias = catalog.alias('job_description');
    const FOREIGN = 1_100;
    const response = await fetch(`${app.qdrantUrl}/collections/${alias}/points?wait=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'api-key': process.env.QDRANT_API_KEY ?? '' },
      body: JSON.stringify({
        points: Array.from({ length: FOREIGN }, (_, id) => ({ id, vector: {}, payload: { by: 'hand' } })),
      }),
    });
    expect(response.status).toBe(200);
    expect(wrong(await jobs())).toEqual({ orphaned: FOREIGN });
    const { queued } = await app.core.services.consistency.repair({ kinds: ['job_description'] });
    expect(queued).toBe(FOREIGN);
    await app.settle();
    expect(wrong(await jobs())).toEqual({});
    expect(await store.count(alias)).toBe((await pointIds()).length);
  });

  it('brings back points that are ahead of a restored database', async () => {
    const [ahead] = (await pointIds()) as [string];
    const { store, catalog } = app.core;
    const alias = catalog.alias('job_description');
    const [point] = await store.retrieve(alias, [ahead], { payload: true, vectors: [] });
    await store.overwritePayloads(alias, [{ id: ahead, payload: { ...point?.payload, revision: 1_000_000 } }]);
    expect(wrong(await jobs())).toEqual({ stalePayload: 1 });
    await app.core.services.consistency.repair();
    await app.settle();
    expect(wrong(await jobs())).toEqual({});
  });

  it('repairs more than it names, and embeds nothing where only the payload differs', async () => {
    const { store, catalog, services } = app.core;
    const alias = catalog.alias('job_description');
    const { points } = await store.scroll(alias, { limit: 100, payload: true });
    await store.overwritePayloads(
      alias,
      points.map(({ id, payload }) => ({ id, payload: { ...payload, company: 'Wrong' } })),
    );
    embedded.length = 0;
    const { findings, queued } = await services.consistency.repair({ maxDrifts: 1 });
    expect([findings.drift, findings.drifts.length, findings.isCut, queued]).toEqual([
      points.length,
      1,
      true,
      points.length,
    ]);
    await app.settle();
    expect((await services.consistency.check()).drift).toBe(0);
    expect(embedded).toEqual([]);
  });

  it('repairs more than one batch of points that were lost at once', async () => {
    const LOST = 1_250;
    const { store, catalog, services, database } = app.core;
    await database.query(
      `INSERT INTO tag_concepts (name) SELECT 'tag number ' || i FROM generate_series(1, $1::int) i`,
      [LOST],
    );
    await app.settle(300_000);
    const alias = catalog.alias('tag_concept');
    const rows = await database.query<{ id: string }>('SELECT qdrant_point_id AS id FROM tag_concept_embeddings');
    await store.delete(alias, rows);
    expect(await store.count(alias)).toBe(0);

    const { findings, plan, queued } = await services.consistency.repair();
    expect(findings.kinds.find(({ kind }) => kind === 'tag_concept')).toMatchObject({ rows: LOST, missing: LOST });
    expect(plan).toEqual([{ kind: 'tag_concept', records: 0, writes: LOST, payloads: 0, deletions: 0 }]);
    expect(queued).toBe(LOST);

    await app.settle(300_000);
    expect(await store.count(alias)).toBe(LOST);
    expect((await services.consistency.check()).drift).toBe(0);
  });

  it('puts back rows of more than one batch of records', async () => {
    const { services, database } = app.core;
    const removed = await database.transaction({}, async (transaction) => {
      const gone = await transaction.query('DELETE FROM tag_concept_embeddings RETURNING 1');
      await transaction.query(`DELETE FROM outbox_events WHERE topic = 'source'`);
      return gone;
    });
    await app.settle(300_000);
    const { findings, queued } = await services.consistency.repair();
    expect([findings.drift, queued]).toEqual([removed.length, removed.length]);
    await app.settle(300_000);
    expect((await services.consistency.check()).drift).toBe(0);
  });

  it('changes nothing on a dry run, and is for admins', async () => {
    const dry = await app.executeOperation('mutation { repairConsistency(dryRun: true) { queued } }');
    expect(dry.data).toEqual({ repairConsistency: { queued: 0 } });
    const refused = await app.executeOperation('{ consistency { drift } }', {}, { role: 'reader' });
    expect(refused.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });
});
