import { afterEach, describe, expect, it } from '@jest/globals';

import { createTestApp, type TestApp, type TestAppOptions } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import { dataOf } from '../support/results';

const makeStory = graphql(`
  mutation MakeStory($input: CreateStoryInput!) {
    createStory(input: $input) {
      syncToken
    }
  }
`);
const findStories = graphql(`
  query FindStories($token: String!) {
    searchStories(query: { text: "raven", awaitSync: { token: $token } }) {
      nodes {
        title
      }
    }
  }
`);

const apps: TestApp[] = [];

async function start(make: (options: TestAppOptions) => Promise<TestApp>, options: TestAppOptions = {}) {
  const app = await make(options);
  apps.push(app);
  return app;
}

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function titlesAfterWriting(app: TestApp, title: string): Promise<string[]> {
  const made = dataOf(await app.executeOperation(makeStory, { input: { title, content: 'A raven.' } }));
  const found = dataOf(await app.executeOperation(findStories, { token: made.createStory.syncToken }));
  return found.searchStories.nodes.map((node) => node.title);
}

describe('a test app', () => {
  it('needs nothing: it starts stores of its own, writes, embeds and finds', async () => {
    const app = await start(createTestApp);
    expect(await titlesAfterWriting(app, 'alone')).toEqual(['alone']);
  });

  it('sees nothing of another on the same servers', async () => {
    const [one, other] = await Promise.all([start(startApp), start(startApp)]);
    expect(await titlesAfterWriting(one, 'one')).toEqual(['one']);
    expect(await titlesAfterWriting(other, 'other')).toEqual(['other']);
  });

  it('leaves neither database nor collection behind', async () => {
    const keeper = await start(startApp);
    const databases = async (): Promise<string[]> =>
      (await keeper.core.database.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1')).map(
        (row) => row.datname,
      );
    const app = await startApp();
    const name = /\/(kindred_test_[0-9a-f]+)\?/.exec(app.databaseUrl)?.[1] ?? '';
    const prefix = app.core.catalog.alias('');
    expect(await databases()).toContain(name);
    await app.close();
    expect(await databases()).not.toContain(name);
    const collections = await keeper.core.store.listCollections();
    expect(collections.filter((collection) => collection.startsWith(prefix))).toEqual([]);
    expect(collections.some((collection) => collection.startsWith(keeper.core.catalog.alias('')))).toBe(true);
  });

  it('migrates an empty database where there is no template', async () => {
    const app = await start(startApp, { templateDatabase: undefined });
    expect(await titlesAfterWriting(app, 'migrated')).toEqual(['migrated']);
  });

  it('closes what it had started when it cannot start whole', async () => {
    await expect(startApp({ qdrantUrl: 'http://127.0.0.1:9' })).rejects.toThrow(/vector store/i);
  });
});
