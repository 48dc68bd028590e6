import type { Filter } from '../filter/filter';
import { isObject, type Json } from '../json/json-value';
import { parsePointId, type PointId } from '../point-id';
import type { PayloadSelection } from '../payload/select-payload';
import { UNNAMED } from '../engine/collection-config';
import { badFormat, unsupported } from '../qdrant-error';
import {
  expected,
  flag,
  integer,
  list,
  notSupported,
  number,
  numberBetween,
  object,
  oneOf,
  oneOrMany,
  optional,
  tagged,
  text,
  withDefault,
  type Decoded,
  type Decoder,
} from './decode';
import { expression, type Expression } from './formula.schema';
import { optionalFilter, path } from './filter.schema';
import { orderBy, type OrderBy } from './order-by.schema';
import { rawVector, type RawVector } from './vector.schema';
import { shardKey } from './write.schema';

/** A vector, or the id of a stored point that has it. */
export type VectorInput = RawVector | { id: PointId };

export interface ContextPair {
  positive: VectorInput;
  negative: VectorInput;
}

export type RecommendStrategy = 'average_vector' | 'best_score' | 'sum_scores';

export type Query =
  | { kind: 'nearest'; input: VectorInput }
  | { kind: 'mmr'; input: VectorInput; lambda: number; candidatesLimit: number | undefined }
  | { kind: 'recommend'; positive: VectorInput[]; negative: VectorInput[]; strategy: RecommendStrategy }
  | { kind: 'discover'; target: VectorInput; context: ContextPair[] }
  | { kind: 'context'; context: ContextPair[] }
  | { kind: 'order_by'; orderBy: OrderBy }
  | { kind: 'rrf'; k: number; weights: number[] | undefined }
  | { kind: 'dbsf' }
  | { kind: 'formula'; formula: Expression; defaults: Map<string, Json> }
  | { kind: 'sample' };

export interface LookupFrom {
  collection: string;
  vector: string | undefined;
}

/** One stage: a query over the whole collection, or over what its prefetches found. */
export interface Stage {
  prefetch: Stage[];
  query: Query | undefined;
  using: string;
  filter: Filter | undefined;
  scoreThreshold: number | undefined;
  limit: number;
  lookupFrom: LookupFrom | undefined;
}

export interface Output {
  payload: PayloadSelection;
  /** All, none, or some by name. */
  vectors: boolean | string[];
}

export interface QueryRequest extends Output {
  stage: Stage;
  offset: number;
}

export const vectorInput: Decoder<VectorInput> = (value, at) => {
  if (Array.isArray(value) || isObject(value)) return rawVector(value, at);
  const id = parsePointId(value);
  if (id !== undefined) return { id };
  return expected('a vector or a point id', value, at);
};

export const contextPair: Decoder<ContextPair> = object({ positive: vectorInput, negative: vectorInput });
const contextPairs = withDefault(oneOrMany(contextPair), []);

const nearest: Decoder<Query> = (value, at) => {
  const decoded = object({
    nearest: vectorInput,
    mmr: optional(object({ diversity: optional(numberBetween(0, 1)), candidates_limit: optional(integer(1, 16_384)) })),
  })(value, at);
  if (decoded.mmr === undefined) return { kind: 'nearest', input: decoded.nearest };
  const { diversity, candidates_limit: candidatesLimit } = decoded.mmr;
  return { kind: 'mmr', input: decoded.nearest, lambda: 1 - (diversity ?? 0.5), candidatesLimit };
};

const examples = withDefault(list(vectorInput), []);
const strategy = withDefault(oneOf('average_vector', 'best_score', 'sum_scores'), 'average_vector');

const queryByKey = tagged<Query>({
  nearest,
  recommend: (value, at) => {
    const { recommend } = object({ recommend: object({ positive: examples, negative: examples, strategy }) })(
      value,
      at,
    );
    return { kind: 'recommend', ...recommend };
  },
  discover: (value, at) => {
    const { discover } = object({ discover: object({ target: vectorInput, context: contextPairs }) })(value, at);
    return { kind: 'discover', ...discover };
  },
  context: (value, at) => ({ kind: 'context', context: object({ context: contextPairs })(value, at).context }),
  order_by: (value, at) => ({ kind: 'order_by', orderBy: object({ order_by: orderBy })(value, at).order_by }),
  fusion: (value, at) => {
    const { fusion } = object({ fusion: oneOf('rrf', 'dbsf') })(value, at);
    return fusion === 'dbsf' ? { kind: 'dbsf' } : { kind: 'rrf', k: 2, weights: undefined };
  },
  rrf: (value, at) => {
    const { rrf } = object({ rrf: object({ k: withDefault(integer(1), 2), weights: optional(list(number)) }) })(
      value,
      at,
    );
    return { kind: 'rrf', ...rrf };
  },
  formula: (value, at) => {
    const defaults: Decoder<Map<string, Json>> = (item, where) => {
      if (!isObject(item)) return expected('an object', item, where);
      return new Map(Object.entries(item).map(([key, entry]) => [key, entry ?? null]));
    };
    const decoded = object({ formula: expression, defaults: withDefault(defaults, new Map<string, Json>()) })(
      value,
      at,
    );
    return { kind: 'formula', ...decoded };
  },
  sample: (value, at) => {
    object({ sample: oneOf('random') })(value, at);
    return { kind: 'sample' };
  },
  relevance_feedback: () => {
    throw unsupported('relevance feedback queries');
  },
});

export const query: Decoder<Query> = (value, at) => {
  const isSparse = isObject(value) && Object.hasOwn(value, 'indices');
  const isInference = isObject(value) && Object.hasOwn(value, 'model');
  if (isObject(value) && !isSparse && !isInference) return queryByKey(value, at);
  return { kind: 'nearest', input: vectorInput(value, at) };
};

/** Search parameters steer an approximate index. This server is exact, so they are checked and change nothing. */
export const searchParams = optional(
  object({
    hnsw_ef: optional(integer(0)),
    exact: optional(flag),
    quantization: optional(object({ ignore: optional(flag), rescore: optional(flag), oversampling: optional(number) })),
    indexed_only: optional(flag),
    acorn: optional(object({ enable: optional(flag), max_selectivity: optional(number) })),
    idf: notSupported('`params.idf`'),
  }),
);

export const lookupFrom: Decoder<LookupFrom | undefined> = optional((value, at) => {
  const { collection, vector } = object({ collection: text, vector: optional(text), shard_key: shardKey })(value, at);
  return { collection, vector };
});

const MAX_DEPTH = 64;
export const DEFAULT_LIMIT = 10;

const stageFields = {
  query: optional(query),
  using: withDefault(text, UNNAMED),
  filter: optionalFilter,
  params: searchParams,
  score_threshold: optional(number),
  limit: withDefault(integer(1), DEFAULT_LIMIT),
  lookup_from: lookupFrom,
};

function prefetches(depth: number): Decoder<Stage[]> {
  const prefetch: Decoder<Stage> = (value, at) => {
    if (depth > MAX_DEPTH) throw badFormat(at, `prefetches are nested deeper than ${MAX_DEPTH} levels`);
    return stageOf(object({ ...stageFields, prefetch: prefetches(depth + 1) })(value, at));
  };
  return withDefault(oneOrMany(prefetch), []);
}

const _outermost = object({ ...stageFields, prefetch: prefetches(1) });
type DecodedStage = Decoded<typeof _outermost>;

function stageOf(decoded: DecodedStage): Stage {
  const {
    score_threshold: scoreThreshold,
    lookup_from: lookup,
    prefetch,
    query: asked,
    using,
    filter,
    limit,
  } = decoded;
  return { prefetch, query: asked, using, filter, limit, scoreThreshold, lookupFrom: lookup };
}

export const withPayload: Decoder<PayloadSelection> = (value, at) => {
  if (typeof value === 'boolean') return value;
  if (Array.isArray(value)) return { include: list(path)(value, at) };
  return tagged<PayloadSelection>({
    include: object({ include: list(path) }),
    exclude: object({ exclude: list(path) }),
  })(value, at);
};

export const withVectors: Decoder<boolean | string[]> = (value, at) =>
  typeof value === 'boolean' ? value : list(text)(value, at);

export const OUTPUT_ALIASES = { with_vectors: 'with_vector' };

export const outputFields = (payload: boolean) => ({
  with_payload: withDefault(withPayload, payload),
  with_vector: withDefault(withVectors, false),
});

const { limit: _stageLimit, ...stageFieldsWithoutLimit } = stageFields;

const queryFields = object(
  {
    ...stageFieldsWithoutLimit,
    ...outputFields(false),
    limit: withDefault(integer(1), DEFAULT_LIMIT),
    prefetch: prefetches(1),
    offset: withDefault(integer(0), 0),
    shard_key: shardKey,
  },
  OUTPUT_ALIASES,
);

export const queryRequest: Decoder<QueryRequest> = (value, at) => {
  const decoded = queryFields(value, at);
  return {
    stage: stageOf(decoded),
    offset: decoded.offset,
    payload: decoded.with_payload,
    vectors: decoded.with_vector,
  };
};

export const queryBatch: Decoder<QueryRequest[]> = (value, at) =>
  object({ searches: list(queryRequest) })(value, at).searches;

export interface LookupGroup extends Output {
  collection: string;
}

export const withLookup: Decoder<LookupGroup | undefined> = optional((value, at) => {
  if (typeof value === 'string') return { collection: value, payload: true, vectors: false };
  const fields = {
    collection: text,
    with_payload: withDefault(withPayload, true),
    with_vectors: withDefault(withVectors, false),
  };
  const decoded = object(fields)(value, at);
  return { collection: decoded.collection, payload: decoded.with_payload, vectors: decoded.with_vectors };
});

export interface GroupsRequest extends QueryRequest {
  groupBy: ReturnType<typeof path>;
  groupSize: number;
  lookup: LookupGroup | undefined;
}

export const groupFields = {
  group_by: path,
  group_size: withDefault(integer(1), 3),
  with_lookup: withLookup,
};

const groupsFields = object(
  {
    ...stageFieldsWithoutLimit,
    ...outputFields(false),
    ...groupFields,
    limit: withDefault(integer(1), DEFAULT_LIMIT),
    prefetch: prefetches(1),
    shard_key: shardKey,
  },
  OUTPUT_ALIASES,
);

export const queryGroups: Decoder<GroupsRequest> = (value, at) => {
  const decoded = groupsFields(value, at);
  return {
    stage: stageOf(decoded),
    offset: 0,
    payload: decoded.with_payload,
    vectors: decoded.with_vector,
    groupBy: decoded.group_by,
    groupSize: decoded.group_size,
    lookup: decoded.with_lookup,
  };
};
