import {
  getNamedType,
  getNullableType,
  getVariableValues,
  GraphQLError,
  isCompositeType,
  isListType,
  Kind,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { getComplexity, type ComplexityEstimator } from 'graphql-query-complexity';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../../kernel/errors/domain-error';

export interface CostLimits {
  maxCost: number;
  /** What a connection answers with when neither `first` nor `last` is given. */
  defaultPageSize: number;
  /** The largest page that resolvers give; asking for more is their error to report. */
  maxPageSize: number;
}

/** A list without paging, such as a profile's skills. */
const ASSUMED_LIST_LENGTH = 5;
/** A search is a vector query and a statement, where a list is a statement. */
const SEARCH_COST = 5;

/**
 * The price of a field: one for each record that it can bring, with what is asked of each record, multiplied by the pages
 * around it. Scalars come with their record and are free; a search costs more than a list.
 */
export function costEstimator(limits: CostLimits): ComplexityEstimator {
  return ({ type, field, args, childComplexity }) => {
    if (field.name.startsWith('__') || type.name.startsWith('__')) return childComplexity === 0 ? 0 : 1;
    const result = getNullableType(field.type);
    const resultType = getNamedType(result);
    if (!isCompositeType(resultType) || resultType.name === 'PageInfo') return 0;
    if (type.name.endsWith('Connection')) {
      // The page's size is counted where the connection was asked for, and an edge is a part of its record.
      return field.name === 'edges' ? childComplexity : 1 + childComplexity;
    }
    const isSearch = field.args.some((arg) => arg.name === 'query' || arg.name === 'minScore');
    const own = isSearch ? SEARCH_COST : 1;
    const isPaged = field.args.some((arg) => arg.name === 'first');
    if (isPaged) {
      const size = pageSize(args, limits);
      return own + size * (isListType(result) ? 1 + childComplexity : childComplexity);
    }
    if (!isListType(result)) return own + childComplexity;
    const ids: unknown = args['ids'];
    return (Array.isArray(ids) ? Math.max(ids.length, 1) : ASSUMED_LIST_LENGTH) * (own + childComplexity);
  };
}

/** At least 1: an empty page still costs its request. */
function pageSize(args: Record<string, unknown>, limits: CostLimits): number {
  const asked = args['first'] ?? args['last'];
  return typeof asked === 'number' ? Math.min(Math.max(asked, 1), limits.maxPageSize) : limits.defaultPageSize;
}

/** @throws GraphQLError QUERY_TOO_COMPLEX, or BAD_INPUT for an operation whose price cannot be known */
export type CheckCost = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
) => void;

/**
 * Refuses operations that cost too much for the variables they come with. A document that was seen before is not priced
 * again, except for values that change the price.
 */
export function createCostCheck(schema: GraphQLSchema, limits: CostLimits): CheckCost {
  const estimators = [costEstimator(limits)];
  const priced = new WeakMap<DocumentNode, Pricing>();
  return (document, operation, variables) => {
    let pricing = priced.get(document);
    if (pricing === undefined) {
      pricing = { variables: pricedVariables(document), prices: new LRUCache({ max: 100 }) };
      priced.set(document, pricing);
    }
    const key = JSON.stringify([operation.name?.value, ...pricing.variables.map((name) => variables[name])]);
    let cost = pricing.prices.get(key);
    if (cost === undefined) {
      cost = price(schema, document, operation, variables, estimators);
      if (cost === undefined) return;
      pricing.prices.set(key, cost);
    }
    if (cost > limits.maxCost) throw tooCostly(cost, limits.maxCost);
  };
}

interface Pricing {
  /** The variables whose values change the price. */
  variables: string[];
  prices: LRUCache<string, number>;
}

/**
 * @returns `undefined` for variables that do not fit their types: execution will say so before it resolves anything
 * @throws GraphQLError for an argument that cannot be read, as its price cannot be known
 */
function price(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
  estimators: ComplexityEstimator[],
): number | undefined {
  const operationName = operation.name?.value;
  try {
    return getComplexity({ schema, query: document, variables, operationName, estimators });
  } catch (error) {
    const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    if (errors !== undefined) return undefined;
    if (!(error instanceof GraphQLError)) throw error;
    const originalError = new DomainError('BAD_INPUT', error.message, { cause: error });
    throw new GraphQLError(error.message, {
      nodes: error.nodes,
      originalError,
      extensions: { code: originalError.code, http: { status: 400 } },
    });
  }
}

function pricedVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Argument: (argument) => {
      if (argument.value.kind !== Kind.VARIABLE) return;
      if (['first', 'last', 'ids', 'if'].includes(argument.name.value)) names.add(argument.value.name.value);
    },
  });
  return [...names];
}

function tooCostly(cost: number, limit: number): GraphQLError {
  const message =
    `This operation costs ${cost.toLocaleString('en')}, and the limit is ${limit.toLocaleString('en')}. ` +
    'Ask for smaller pages (`first`) or fewer lists within lists.';
  const originalError = new DomainError('QUERY_TOO_COMPLEX', message, { details: { cost, limit } });
  return new GraphQLError(message, {
    originalError,
    extensions: { code: originalError.code, details: originalError.details, http: { status: 400 } },
  });
}
