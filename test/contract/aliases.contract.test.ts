import { describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { ANY_VECTOR } from './support/points';

const server = useContractServer();

async function collectionOf(id: number): Promise<string> {
  const name = await server.create({ vectors: ANY_VECTOR });
  await server.client.upsert(name, { wait: true, points: [{ id, vector: [1, 1] }] });
  return name;
}

async function firstId(name: string): Promise<unknown> {
  return (await server.client.scroll(name, { limit: 1 })).points[0]?.id;
}

describe('aliases', () => {
  it('stand for a collection in reads and writes', async () => {
    const name = await collectionOf(1);
    const alias = server.freshName();
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { collection_name: name, alias_name: alias } }],
    });
    await server.client.upsert(alias, { wait: true, points: [{ id: 2, vector: [2, 2] }] });
    expect((await server.client.count(name)).count).toBe(2);
    const { points } = await server.client.query(alias, { query: [1, 1], limit: 1 });
    expect(points.map(({ id }) => id)).toEqual([2]);
    expect((await server.client.getCollection(alias)).points_count).toBe(2);
    expect(await server.client.collectionExists(alias)).toEqual({ exists: true });
    const { collections } = await server.client.getCollections();
    expect(collections.map((collection) => collection.name)).not.toContain(alias);
  });

  it('are listed for all collections and for one', async () => {
    const name = await collectionOf(1);
    const aliases = [server.freshName(), server.freshName()].sort();
    await server.client.updateCollectionAliases({
      actions: aliases.map((alias_name) => ({ create_alias: { collection_name: name, alias_name } })),
    });
    const mine = await server.client.getCollectionAliases(name);
    expect(mine.aliases.map(({ alias_name }) => alias_name).sort()).toEqual(aliases);
    const all = await server.client.getAliases();
    for (const alias_name of aliases) expect(all.aliases).toContainEqual({ alias_name, collection_name: name });
  });

  it('move to another collection in one request', async () => {
    const [first, second, alias] = [await collectionOf(1), await collectionOf(2), server.freshName()];
    const point = (collection_name: string) => ({ create_alias: { collection_name, alias_name: alias } });
    await server.client.updateCollectionAliases({ actions: [point(first)] });
    expect(await firstId(alias)).toBe(1);
    await server.client.updateCollectionAliases({ actions: [{ delete_alias: { alias_name: alias } }, point(second)] });
    expect(await firstId(alias)).toBe(2);
    await server.client.updateCollectionAliases({ actions: [point(first)] });
    expect(await firstId(alias)).toBe(1);
  });

  it('are renamed and deleted', async () => {
    const [name, before, after] = [await collectionOf(1), server.freshName(), server.freshName()];
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { collection_name: name, alias_name: before } }],
    });
    await server.client.updateCollectionAliases({
      actions: [{ rename_alias: { old_alias_name: before, new_alias_name: after } }],
    });
    expect(await firstId(after)).toBe(1);
    expect((await server.http('GET', `/collections/${before}`)).status).toBe(404);
    await server.client.updateCollectionAliases({ actions: [{ delete_alias: { alias_name: after } }] });
    expect((await server.http('GET', `/collections/${after}`)).status).toBe(404);
  });

  it('go with their collection', async () => {
    const [name, alias] = [await collectionOf(1), server.freshName()];
    await server.client.updateCollectionAliases({
      actions: [{ create_alias: { collection_name: name, alias_name: alias } }],
    });
    await server.client.deleteCollection(name);
    expect((await server.client.getAliases()).aliases.map(({ alias_name }) => alias_name)).not.toContain(alias);
  });

  it('need a collection that exists, and a name that no collection has', async () => {
    const [name, other] = [await collectionOf(1), await collectionOf(2)];
    const create = (collection_name: string, alias_name: string) =>
      server.http('POST', '/collections/aliases', { actions: [{ create_alias: { collection_name, alias_name } }] });
    expect((await create(server.freshName(), server.freshName())).status).toBe(404);
    expect((await create(name, other)).status).toBe(409);
  });
});
