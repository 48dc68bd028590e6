/** Where the test runner's set-up tells test files of the servers that they share. */
export const serverVariables = {
  postgresUrl: 'KINDRED_TEST_POSTGRES_URL',
  templateDatabase: 'KINDRED_TEST_TEMPLATE_DATABASE',
  qdrantUrl: 'KINDRED_TEST_QDRANT_URL',
} as const;

/** What the set-up has started, for the tear-down, which runs in the same process. */
export const closers: (() => Promise<unknown>)[] = [];
