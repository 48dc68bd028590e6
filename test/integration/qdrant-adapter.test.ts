import { describe, expect, it } from '@jest/globals';
import { VectorStoreRejectedError } from '../../src/kernel/vector/vector-store.errors';
import { near, point, useStore, uuid } from './support/embedded-store';

const vectors = useStore();

describe('administration', () => {
  it('pings', async () => {
    const { title, version } = await vectors.store.ping();
    expect(title).toMatch(/qdrant/);
    expect(version).toMatch(/^1\./);
  });

  it.each(['none', 'scalar', 'binary'] as const)(
    'creates and describes a collection (quantization %s)',
    async (quantization) => {
      const wanted = vectors.spec({ quantization, shardNumber: 1, replicationFactor: 1, writeConsistencyFactor: 1 });
      await vectors.store.createCollection(wanted);
      expect(await vectors.store.describeCollection(wanted.name)).toEqual({
        dimensions: 3,
        distance: 'Cosine',
        hasLexical: true,
        payloadIndexes: { kind: 'keyword', revision: 'integer' },
        pointCount: 0,
      });
      await vectors.store.createPayloadIndex(wanted.name, 'postedAt', 'datetime');
      expect((await vectors.store.describeCollection(wanted.name))?.payloadIndexes.postedAt).toBe('datetime');
      expect(await vectors.store.listCollections()).toContain(wanted.name);
      expect(await vectors.store.deleteCollection(wanted.name)).toBe(true);
      expect(await vectors.store.deleteCollection(wanted.name)).toBe(false);
      expect(await vectors.store.describeCollection(wanted.name)).toBeUndefined();
    },
  );

  it('does not create a collection twice', async () => {
    const wanted = vectors.spec();
    await vectors.store.createCollection(wanted);
    await expect(vectors.store.createCollection(wanted)).rejects.toMatchObject({
      code: 'VECTOR_STORE_REJECTED',
      status: 409,
    });
  });

  it('moves all aliases in one request and leaves the others', async () => {
    const [first, second] = [await vectors.collectionOf([point(1, [1, 0, 0])]), await vectors.collectionOf([])];
    await vectors.store.setAliases({ alias_moved: first, alias_kept: first });
    expect(await vectors.store.listAliases()).toMatchObject({ alias_moved: first, alias_kept: first });
    expect(await vectors.store.count('alias_moved')).toBe(1);
    const sent = await vectors.requestsOf(() => vectors.store.setAliases({ alias_moved: second, alias_new: second }));
    expect(sent).toEqual(['POST /collections/aliases']);
    expect(await vectors.store.listAliases()).toMatchObject({
      alias_moved: second,
      alias_new: second,
      alias_kept: first,
    });
    expect(await vectors.store.count('alias_moved')).toBe(0);
  });
});

describe('writes', () => {
  it('store vectors, words and payload', async () => {
    const name = await vectors.collectionOf([point(1, [3, 4, 0], { kind: 'a', tags: ['x', 'y'] }, [5, 9])]);
    const [stored] = await vectors.store.retrieve(name, [uuid(1), uuid(2)], {
      payload: true,
      vectors: ['dense', 'lexical'],
    });
    expect(stored).toMatchObject({
      id: uuid(1),
      payload: { revision: 1, kind: 'a', tags: ['x', 'y'] },
      lexical: { indices: [5, 9], values: [1, 1] },
    });
    stored!.dense!.forEach((value, i) => expect(value).toBeCloseTo([0.6, 0.8, 0][i]!, 6));
  });

  it('never replace a point of a higher revision, whatever else travels with it', async () => {
    const name = await vectors.collectionOf([1, 2, 3].map((n) => point(n, [1, 0, 0], { revision: 5, by: 'first' })));
    const late = [
      point(1, [0, 1, 0], { revision: 4 }),
      point(2, [0, 1, 0], { revision: 5 }),
      point(3, [0, 1, 0], { revision: 6 }),
    ];
    const sent = await vectors.requestsOf(() =>
      vectors.store.upsert(name, [...late, point(4, [0, 1, 0], { revision: 1 })]),
    );
    expect(sent).toHaveLength(1);
    const stored = await vectors.store.retrieve(name, [1, 2, 3, 4].map(uuid), { payload: true, vectors: ['dense'] });
    const byId = new Map(stored.map(({ id, payload, dense }) => [id, [payload.revision, payload.by, dense]]));
    expect(byId.get(uuid(1))).toEqual([5, 'first', [1, 0, 0]]);
    expect(byId.get(uuid(2))).toEqual([5, undefined, [0, 1, 0]]);
    expect(byId.get(uuid(3))).toEqual([6, undefined, [0, 1, 0]]);
    expect(byId.get(uuid(4))).toEqual([1, undefined, [0, 1, 0]]);
  });

  it('keep the highest revision when one call names a point twice', async () => {
    const name = await vectors.collectionOf([
      point(1, [1, 0, 0], { revision: 7 }),
      point(1, [0, 1, 0], { revision: 3 }),
    ]);
    const [stored] = await vectors.store.retrieve(name, [uuid(1)], { payload: true, vectors: [] });
    expect(stored!.payload.revision).toBe(7);
  });

  it('replace whole payloads in one request; absent points stay absent, newer ones as they are', async () => {
    const name = await vectors.collectionOf([
      point(1, [1, 0, 0], { kind: 'a', gone: true }),
      point(2, [1, 0, 0], { kind: 'a', revision: 9 }),
    ]);
    const payload = { kind: 'b', revision: 2, empty: null };
    const sent = await vectors.requestsOf(() =>
      vectors.store.overwritePayloads(
        name,
        [1, 2, 3].map((n) => ({ id: uuid(n), payload })),
      ),
    );
    expect(sent).toEqual([`POST /collections/${name}/points/batch`]);
    const stored = await vectors.store.retrieve(name, [1, 2, 3].map(uuid), { payload: true, vectors: ['dense'] });
    expect(new Map(stored.map((each) => [each.id, each.payload]))).toEqual(
      new Map<string, unknown>([
        [uuid(1), payload],
        [uuid(2), { kind: 'a', revision: 9 }],
      ]),
    );
    expect(stored.find(({ id }) => id === uuid(1))!.dense).toEqual([1, 0, 0]);
  });

  it('delete, and again', async () => {
    const name = await vectors.collectionOf([point(1, [1, 0, 0]), point(2, [1, 0, 0])]);
    await vectors.store.delete(name, [{ id: uuid(1) }, { id: uuid(7) }]);
    await vectors.store.delete(name, [{ id: uuid(1) }]);
    expect(await vectors.store.count(name)).toBe(1);
  });

  it('delete nothing that is newer', async () => {
    const name = await vectors.collectionOf([
      point(1, [1, 0, 0], { revision: 4 }),
      point(2, [1, 0, 0], { revision: 5 }),
      point(3, [1, 0, 0], { revision: 6 }),
      point(4, [1, 0, 0]),
      point(5, [1, 0, 0], { revision: 9 }),
      point(6, [1, 0, 0], { revision: 1 }),
    ]);
    const ids = [1, 2, 3, 4].map((n) => ({ id: uuid(n), revision: 5 }));
    await vectors.store.delete(name, [...ids, { id: uuid(5) }, { id: uuid(8), revision: 1 }]);
    const { points } = await vectors.store.scroll(name, { limit: 10, payload: false });
    expect(points.map(({ id }) => id)).toEqual([uuid(3), uuid(6)]);
  });

  it('of a vector of another length say both lengths', async () => {
    const name = await vectors.collectionOf([]);
    const failure = vectors.store.upsert(name, [point(1, [1, 0, 0, 0])]);
    await expect(failure).rejects.toBeInstanceOf(VectorStoreRejectedError);
    await expect(failure).rejects.toThrow(/expected dim: 3, got 4/);
    await expect(vectors.store.queryBatch(name, [near([1, 0])])).rejects.toThrow(/expected dim: 3, got 2/);
  });
});

describe('scroll and count', () => {
  it('visit every point once, in id order, under a filter', async () => {
    const points = Array.from({ length: 23 }, (_, i) => point(i + 1, [1, 0, 0], { kind: i % 3 ? 'x' : 'y' }));
    const name = await vectors.collectionOf(points);
    const filter = { must: [{ key: 'kind', match: { value: 'x' } }] };
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await vectors.store.scroll(name, { filter, limit: 4, after, payload: ['kind'] });
      for (const { id, payload } of page.points) {
        seen.push(id);
        expect(payload).toEqual({ kind: 'x' });
      }
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(points.filter(({ payload }) => payload.kind === 'x').map(({ id }) => id));
    expect(await vectors.store.count(name, filter)).toBe(seen.length);
    expect(await vectors.store.count(name)).toBe(23);
  });

  it('take a filter by ids, and no payload', async () => {
    const name = await vectors.collectionOf([point(1, [1, 0, 0]), point(2, [1, 0, 0])]);
    const page = await vectors.store.scroll(name, {
      filter: { must: [{ has_id: [uuid(2)] }] },
      limit: 5,
      payload: false,
    });
    expect(page).toEqual({ points: [{ id: uuid(2), payload: {} }], next: undefined });
  });
});
