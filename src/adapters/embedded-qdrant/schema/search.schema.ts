import { UNNAMED } from '../engine/collection-config';
import { isObject } from '../json/json-value';
import { badInput } from '../qdrant-error';
import {
  expected,
  integer,
  list,
  number,
  object,
  oneOf,
  oneOrMany,
  optional,
  text,
  withDefault,
  type Decoder,
} from './decode';
import { optionalFilter } from './filter.schema';
import {
  contextPair,
  groupFields,
  lookupFrom,
  OUTPUT_ALIASES,
  outputFields,
  searchParams,
  vectorInput,
  type GroupsRequest,
  type Query,
  type QueryRequest,
  type Stage,
} from './query.schema';
import { rawVector } from './vector.schema';
import { shardKey } from './write.schema';

// The calls that the query call replaced: search, recommend and discover. They decode to the same requests.

const common = {
  shard_key: shardKey,
  filter: optionalFilter,
  params: searchParams,
  ...outputFields(false),
};

const paging = { limit: integer(1), offset: withDefault(integer(0), 0) };
const threshold = { score_threshold: optional(number) };
const grouping = { ...groupFields, limit: integer(1), group_size: integer(1) };

/** A list, or `{"name": …, "vector": …}` with a dense or a sparse vector. */
const namedVector: Decoder<{ using: string; query: Query }> = (value, at) => {
  if (Array.isArray(value)) return { using: UNNAMED, query: { kind: 'nearest', input: rawVector(value, at) } };
  if (!isObject(value)) return expected('a vector, or an object with `name` and `vector`', value, at);
  const { name, vector } = object({ name: text, vector: rawVector })(value, at);
  return { using: name, query: { kind: 'nearest', input: vector } };
};

/** A vector name alone, or `{"name": …}`. */
const using: Decoder<string> = (value, at) =>
  isObject(value) ? object({ name: text })(value, at).name : text(value, at);

const examples = withDefault(list(vectorInput), []);
const recommendFields = {
  positive: examples,
  negative: examples,
  strategy: withDefault(oneOf('average_vector', 'best_score', 'sum_scores'), 'average_vector'),
  using: withDefault(using, UNNAMED),
  lookup_from: lookupFrom,
};

interface Common {
  filter: Stage['filter'];
  limit: number;
  score_threshold?: number | undefined;
  lookup_from?: Stage['lookupFrom'];
}

const stageOf = (decoded: Common, vectorName: string, query: Query): Stage => ({
  prefetch: [],
  query,
  using: vectorName,
  filter: decoded.filter,
  scoreThreshold: decoded.score_threshold,
  limit: decoded.limit,
  lookupFrom: decoded.lookup_from,
});

type Answered = { with_payload: QueryRequest['payload']; with_vector: QueryRequest['vectors']; offset?: number };

const requestOf = (stage: Stage, decoded: Answered): QueryRequest => ({
  stage,
  offset: decoded.offset ?? 0,
  payload: decoded.with_payload,
  vectors: decoded.with_vector,
});

const searchFields = object({ ...common, ...paging, ...threshold, vector: namedVector }, OUTPUT_ALIASES);

export const searchRequest: Decoder<QueryRequest> = (value, at) => {
  const decoded = searchFields(value, at);
  return requestOf(stageOf(decoded, decoded.vector.using, decoded.vector.query), decoded);
};

const recommendRequestFields = object({ ...common, ...paging, ...threshold, ...recommendFields }, OUTPUT_ALIASES);

export const recommendRequest: Decoder<QueryRequest> = (value, at) => {
  const decoded = recommendRequestFields(value, at);
  const { positive, negative, strategy } = decoded;
  return requestOf(stageOf(decoded, decoded.using, { kind: 'recommend', positive, negative, strategy }), decoded);
};

const discoverFields = object(
  {
    ...common,
    ...paging,
    target: optional(vectorInput),
    context: withDefault(oneOrMany(contextPair), []),
    using: withDefault(using, UNNAMED),
    lookup_from: lookupFrom,
  },
  OUTPUT_ALIASES,
);

export const discoverRequest: Decoder<QueryRequest> = (value, at) => {
  const decoded = discoverFields(value, at);
  const { target, context } = decoded;
  if (target === undefined && context.length === 0) throw badInput('No target nor context provided');
  const query: Query = target === undefined ? { kind: 'context', context } : { kind: 'discover', target, context };
  return requestOf(stageOf(decoded, decoded.using, query), decoded);
};

const batchOf =
  (decoder: Decoder<QueryRequest>): Decoder<QueryRequest[]> =>
  (value, at) =>
    object({ searches: list(decoder) })(value, at).searches;

export const searchBatch = batchOf(searchRequest);
export const recommendBatch = batchOf(recommendRequest);
export const discoverBatch = batchOf(discoverRequest);

type Grouped = { group_by: GroupsRequest['groupBy']; group_size: number; with_lookup: GroupsRequest['lookup'] };

const groupsOf = (request: QueryRequest, decoded: Grouped): GroupsRequest => ({
  ...request,
  groupBy: decoded.group_by,
  groupSize: decoded.group_size,
  lookup: decoded.with_lookup,
});

const searchGroupsFields = object({ ...common, ...threshold, ...grouping, vector: namedVector }, OUTPUT_ALIASES);

export const searchGroups: Decoder<GroupsRequest> = (value, at) => {
  const decoded = searchGroupsFields(value, at);
  const stage = stageOf(decoded, decoded.vector.using, decoded.vector.query);
  return groupsOf(requestOf(stage, decoded), decoded);
};

const recommendGroupsFields = object({ ...common, ...threshold, ...grouping, ...recommendFields }, OUTPUT_ALIASES);

export const recommendGroups: Decoder<GroupsRequest> = (value, at) => {
  const decoded = recommendGroupsFields(value, at);
  const { positive, negative, strategy } = decoded;
  const stage = stageOf(decoded, decoded.using, { kind: 'recommend', positive, negative, strategy });
  return groupsOf(requestOf(stage, decoded), decoded);
};
