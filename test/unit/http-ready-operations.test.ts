import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { getComplexity } from 'graphql-query-complexity';
import { readOperations } from '../../src/http/explorer/operations';
import { costEstimator } from '../../src/http/limits/cost';
import { limitShape } from '../../src/http/limits/shape-rule';
import { loadEnvironment } from '../../src/config/environment';

const ROOT = path.resolve(__dirname, '..', '..');
const schema = buildSchema(fs.readFileSync(path.join(ROOT, 'schema.graphql'), 'utf8'));
const operations = readOperations(path.join(ROOT, 'src', 'http', 'explorer', 'operations'));

describe('the ready operations', () => {
  it.each(operations)('$title fits the schema and the default limits', ({ query, variables }) => {
    const { graphql } = loadEnvironment({});
    const document = parse(query);
    expect(validate(schema, document)).toEqual([]);
    expect(validate(schema, document, [limitShape(graphql)])).toEqual([]);
    const cost = getComplexity({
      schema,
      query: document,
      variables: variables === '' ? {} : (JSON.parse(variables) as Record<string, unknown>),
      estimators: [costEstimator({ maxCost: graphql.maxCost, defaultPageSize: 20, maxPageSize: 200 })],
    });
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeLessThan(graphql.maxCost / 2);
  });
});
