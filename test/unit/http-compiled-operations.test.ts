import { describe, expect, it } from '@jest/globals';
import { buildSchema, getOperationAST, parse } from 'graphql';

import { CompiledOperations } from '../../src/http/compiled-operations';

describe('compiled operations', () => {
  it('compiles what takes input types that contain themselves', async () => {
    const schema = buildSchema(`
      enum Letter { A B }
      input Filter { name: String letter: Letter and: [Filter!] or: [Filter!] not: Filter }
      type Query { names(filter: Filter): [String!] }
    `);
    const query = schema.getQueryType()?.getFields()['names'];
    if (!query) throw new Error('no field');
    query.resolve = (_source, args: { filter?: { name?: string; not?: { letter?: string } } | null }) => [
      args.filter?.name ?? String(args.filter),
      args.filter?.not?.letter ?? 'none',
    ];
    const document = parse('query Names($filter: Filter = { name: "by default" }) { names(filter: $filter) }');
    const operation = getOperationAST(document, 'Names');
    if (!operation) throw new Error('no operation');
    const operations = new CompiledOperations(schema);
    const run = async (variables: Record<string, unknown>): Promise<unknown> =>
      (await operations.execute({ document, operation, variables, contextValue: {} }))?.data;

    // Left to graphql-js until it has come often enough.
    for (let i = 0; i < 5; i++) await run({ filter: { name: 'first' } });
    expect(await run({ filter: { name: 'one', not: { letter: 'B' } } })).toEqual({ names: ['one', 'B'] });
    expect(await run({})).toEqual({ names: ['by default', 'none'] });
    expect(await run({ filter: null })).toEqual({ names: ['null', 'none'] });
    for (const filter of ['text', { nmae: 'x' }, { and: [{ letter: 'C' }] }]) {
      expect(await run({ filter })).toBeUndefined();
    }
  });
});
