import { describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { recordKinds } from '../../src/features/registry';
import type { ModelDescriptor } from '../../src/kernel/model/embedder';
import { CollectionCatalog, defaultCollectionSettings } from '../../src/kernel/vector/collections';
import { payloadIndexes } from '../../src/kernel/vector/record-payload';
import { kindNames, recordingLogger, type WritePath } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

/** Another process of the same installation, with this model. */
function another(path: WritePath, model: ModelDescriptor = path.embedder.model): CollectionCatalog {
  return new CollectionCatalog({
    database: path.database,
    store: path.store,
    model,
    kinds: recordKinds,
    logger: recordingLogger(),
    settings: { ...defaultCollectionSettings, prefix: path.prefix },
  });
}

const otherModel: ModelDescriptor = createDeterministicEmbedder({ dimensions: 32, version: '2' }).model;

const ours = async (path: WritePath): Promise<string[]> =>
  (await path.store.listCollections()).filter((name) => name.startsWith(path.prefix)).sort();

describe('a first start', () => {
  it('makes one collection a kind behind an alias, with its vectors and payload indexes', async () => {
    const path = await open();
    expect(await ours(path)).toEqual(kindNames.map((kind) => `${path.prefix}${kind}__feature-hash__1`).sort());
    for (const kind of recordKinds.filter((one) => one.embedding)) {
      const info = await path.store.describeCollection(path.catalog.alias(kind.kind));
      expect(info).toMatchObject({ dimensions: 64, distance: 'Cosine', hasLexical: true });
      expect(info?.payloadIndexes).toEqual(payloadIndexes(kind));
    }
  });

  it('names its collections once when many processes start together', async () => {
    const path = await open();
    await path.sql('DELETE FROM embedding_generations');
    for (const name of await ours(path)) await path.store.deleteCollection(name);
    await Promise.all(Array.from({ length: 4 }, () => another(path).start()));
    expect(await ours(path)).toHaveLength(kindNames.length);
    expect(await path.sql('SELECT * FROM embedding_generations')).toHaveLength(kindNames.length);
  });
});

describe('a later start', () => {
  it('changes nothing', async () => {
    const path = await open();
    path.relay();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('kept')`);
    await path.idle();
    const before = await ours(path);
    await another(path).start();
    expect(await ours(path)).toEqual(before);
    expect(await path.drift()).toEqual([]);
  });

  it('refuses another model, and says what to do', async () => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('embedded')`);
    path.relay();
    await path.idle();
    const before = await ours(path);
    await expect(another(path, otherModel).start()).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringMatching(
        /tag_concept.*feature-hash \(64 dimensions\).*\(32 dimensions\).*kindred reindex/s,
      ),
    });
    expect(await ours(path)).toEqual(before);
  });

  it('takes another model while nothing is embedded', async () => {
    const path = await open();
    const catalog = another(path, otherModel);
    await catalog.start();
    expect(await path.store.describeCollection(path.catalog.alias('profile'))).toMatchObject({ dimensions: 32 });
    // The process that still has the former model may not write any more.
    await expect(path.catalog.targets(['profile'])).rejects.toMatchObject({ code: 'COLLECTION_MISMATCH' });
  });

  it('adds a payload index that is missing', async () => {
    const path = await open();
    const { collection } = (
      await path.sql<{ collection: string }>(`SELECT collection FROM embedding_generations WHERE kind = 'story'`)
    )[0] ?? { collection: '' };
    await path.store.deleteCollection(collection);
    await path.store.createCollection({
      name: collection,
      dimensions: 64,
      payloadIndexes: { title: 'keyword' },
      quantization: 'none',
      isOnDisk: false,
    });
    await another(path).start();
    const story = recordKinds.find((kind) => kind.kind === 'story');
    const info = await path.store.describeCollection(path.catalog.alias('story'));
    expect(info?.payloadIndexes).toEqual(story && payloadIndexes(story));
  });

  it('refuses a collection of another shape', async () => {
    const path = await open();
    const collection = `${path.prefix}story__feature-hash__1`;
    await path.store.deleteCollection(collection);
    await path.store.createCollection({
      name: collection,
      dimensions: 16,
      payloadIndexes: {},
      quantization: 'none',
      isOnDisk: false,
    });
    await expect(another(path).start()).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringContaining('has 16 dimensions'),
    });
  });

  it('makes a collection that has vanished again, and queues its points', async () => {
    const path = await open();
    await path.sql(`INSERT INTO tag_concepts (name) VALUES ('a'), ('b')`);
    path.relay();
    await path.idle();
    await path.store.deleteCollection(`${path.prefix}tag_concept__feature-hash__1`);
    await another(path).start();
    await path.idle();
    expect(await path.points('tag_concept')).toHaveLength(2);
    expect(await path.drift()).toEqual([]);
  });

  it('does not take over an alias of another database', async () => {
    const path = await open();
    const other = await open();
    await path.store.setAliases({ [path.catalog.alias('story')]: `${other.prefix}story__feature-hash__1` });
    await expect(another(path).start()).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringContaining('belongs to another database'),
    });
  });
});
