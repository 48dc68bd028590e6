import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestApp, type TestApp } from '../../src/testing/create-test-app';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});

afterAll(async () => {
  await app.close();
});

it('finds a job by its words once it is written', async () => {
  const { data } = await app.executeOperation<{ createJob: { syncToken: string } }>(
    'mutation ($input: CreateJobInput!) { createJob(input: $input) { syncToken } }',
    { input: { title: 'Tram Driver', description: 'Drive the first tram of the morning along the harbour.' } },
  );

  const found = await app.executeOperation(
    'query ($query: SearchInput!) { searchJobs(query: $query) { nodes { title } } }',
    {
      query: { text: 'tram along the harbour', awaitSync: { token: data?.createJob.syncToken } },
    },
  );

  expect(found).toEqual({ data: { searchJobs: { nodes: [{ title: 'Tram Driver' }] } } });
});
