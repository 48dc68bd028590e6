import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import type { TestApp } from '../../src/testing/create-test-app';
import { decodeIdOf } from '../../src/kernel/record/global-id';
import { startApp } from '../support/app';
import { dataOf } from '../support/results';

const ROUNDS = 8;

interface Written {
  written: { syncToken: string; profile?: { id: string } | null };
}

describe('a search that awaits the token of a mutation', () => {
  let app: TestApp;
  const embedded: string[] = [];
  beforeAll(async () => {
    app = await startApp({
      embedder: createDeterministicEmbedder({ onEmbed: (texts) => void embedded.push(...texts) }),
    });
  });
  afterAll(() => app.close());

  const mutate = async (mutation: string, variables: object): Promise<Written['written']> =>
    dataOf(await app.executeOperation<Written, object>(mutation, variables)).written;
  const onId = (field: string) => (id: string) =>
    mutate(`mutation ($id: ID!) { written: ${field}(id: $id) { syncToken } }`, { id });
  const [archive, restore, remove] = [onId('archiveProfile'), onId('restoreProfile'), onId('deleteProfile')] as const;

  /** Names found right after `token`'s write, with every kind that the person has parts in. */
  async function found(kind: 'Profiles' | 'Skills', text: string, token: string, archived = 'EXCLUDE') {
    const result = await app.executeOperation<{ found: { nodes: { name: string }[] } }, object>(
      `query ($text: String!, $token: String!) {
        found: search${kind}(
          query: { text: $text, mode: LEXICAL, awaitSync: { token: $token, timeoutMs: 60000 } }
          filter: { archived: ${archived} }
        ) { nodes { name } }
      }`,
      { text, token },
    );
    return dataOf(result).found.nodes.map(({ name }) => name);
  }

  /** What Qdrant itself says of the person's points, without PostgreSQL to correct it. */
  async function archivedInQdrant(profile: string): Promise<Set<unknown>> {
    const { database, store, catalog } = app.core;
    const flags = new Set<unknown>();
    for (const [kind, table, column] of [
      ['profile', 'profiles', 'id'],
      ['skill', 'skills', 'profile_id'],
    ] as const) {
      const ids = await database.query<{ id: string }>(
        `SELECT p.point_id AS id FROM vector_points p JOIN ${table} t ON t.id = p.entity_id
         WHERE p.kind = $1 AND t.${column} = $2`,
        [kind, decodeIdOf('Profile', profile)],
      );
      const points = await store.retrieve(
        catalog.alias(kind),
        ids.map((row) => row.id),
        { payload: ['archived'], vectors: [] },
      );
      expect(points).toHaveLength(ids.length);
      for (const { payload } of points) flags.add(payload.archived);
    }
    return flags;
  }

  it('sees exactly that write, whichever it was, each time', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `Brannagh${round}`;
      const created = await mutate(
        `mutation ($input: CreateProfileInput!) { written: createProfile(input: $input) { syncToken profile { id } } }`,
        { input: { name, headline: `Cooper${round} of barrels`, skills: [{ name: `Staves${round}` }] } },
      );
      const id = created.profile?.id ?? '';
      expect(await found('Profiles', `Cooper${round}`, created.syncToken)).toEqual([name]);
      expect(await found('Skills', `Staves${round}`, created.syncToken)).toEqual([`Staves${round}`]);

      const updated = await mutate(
        `mutation ($id: ID!, $input: UpdateProfileInput!) { written: updateProfile(id: $id, input: $input) { syncToken } }`,
        { id, input: { headline: `Wheelwright${round}` } },
      );
      expect(await found('Profiles', `Wheelwright${round}`, updated.syncToken)).toEqual([name]);
      expect(await found('Profiles', `Cooper${round}`, updated.syncToken)).toEqual([]);

      const archived = await archive(id);
      expect(await found('Profiles', `Wheelwright${round}`, archived.syncToken)).toEqual([]);
      expect(await archivedInQdrant(id)).toEqual(new Set([true]));
      expect(await found('Profiles', `Wheelwright${round}`, archived.syncToken, 'ONLY')).toEqual([name]);
      expect(await found('Skills', `Staves${round}`, archived.syncToken)).toEqual([]);

      const restored = await restore(id);
      expect(await found('Skills', `Staves${round}`, restored.syncToken)).toEqual([`Staves${round}`]);
      expect(await archivedInQdrant(id)).toEqual(new Set([false]));
      expect(await found('Profiles', `Wheelwright${round}`, restored.syncToken)).toEqual([name]);
      expect(await found('Profiles', `Wheelwright${round}`, restored.syncToken, 'ONLY')).toEqual([]);

      const removed = await remove(id);
      expect(await found('Profiles', `Wheelwright${round}`, removed.syncToken, 'INCLUDE')).toEqual([]);
      expect(await app.core.database.query('SELECT 1 FROM vector_points')).toEqual([]);
    }
  });

  it('sees an archive and its undoing that follow each other at once, and neither embeds anything', async () => {
    const created = await mutate(
      `mutation ($input: CreateProfileInput!) { written: createProfile(input: $input) { syncToken profile { id } } }`,
      { input: { name: 'Quill', headline: 'Scrivener', skills: [{ name: 'Vellum' }] } },
    );
    const id = created.profile?.id ?? '';
    expect(await found('Skills', 'Vellum', created.syncToken)).toEqual(['Vellum']);
    embedded.length = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const archived = await archive(id);
      expect(await found('Skills', 'Vellum', archived.syncToken)).toEqual([]);
      expect(await archivedInQdrant(id)).toEqual(new Set([true]));
      await restore(id);
      await archive(id);
      const restored = await restore(id);
      expect(await found('Skills', 'Vellum', restored.syncToken)).toEqual(['Vellum']);
      expect(await archivedInQdrant(id)).toEqual(new Set([false]));
    }
    expect(embedded).toEqual([]);
  });
});
