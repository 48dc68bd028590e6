import { createTestApp, type TestApp, type TestAppOptions } from '../../src/testing/create-test-app';
import { serverVariables } from './shared-servers';

function shared(name: keyof typeof serverVariables): string {
  const value = process.env[serverVariables[name]];
  if (value === undefined) throw new Error(`${serverVariables[name]} is not set: run tests through jest.config.js`);
  return value;
}

/** A Kindred of this test file's own, with an empty database, on the servers that all files share. */
export function startApp(options: TestAppOptions = {}): Promise<TestApp> {
  return createTestApp({
    postgresUrl: shared('postgresUrl'),
    templateDatabase: shared('templateDatabase'),
    qdrantUrl: shared('qdrantUrl'),
    qdrantApiKey: process.env.QDRANT_API_KEY,
    ...options,
  });
}
