import { describe, expect, it } from '@jest/globals';
import { buildSchema, getOperationAST, parse } from 'graphql';

import { CompiledOperations } from '../../src/http/compiled-operations';

describe('compiled operations', () => {
  it('does not unroll input types that contain themselves', async () => {
    const schema = buildSchema(`
      input Filter { name: String and: [Filter!] or: [Filter!] not: Filter }
      type Query { names(filter: Filter): [String!] }
    `);
    const document = parse('query Names($filter: Filter) { names(filter: $filter) }');
    const operation = getOperationAST(document, 'Names');
    if (!operation) throw new Error('no operation');
    const operations = new CompiledOperations(schema);
    // Often enough that an operation of another kind would have been compiled.
    for (let run = 0; run < 10; run++) {
      const asked = { document, operation, variables: { filter: { name: `run ${run}` } }, contextValue: {} };
      expect(await operations.execute(asked)).toBeUndefined();
    }
  });
});
