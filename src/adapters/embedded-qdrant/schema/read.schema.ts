import { UNNAMED } from '../engine/collection-config';
import { flag, integer, list, object, optional, text, withDefault, type Decoded } from './decode';
import { optionalFilter, path, pointId } from './filter.schema';
import { orderBy } from './order-by.schema';
import { OUTPUT_ALIASES, outputFields } from './query.schema';
import { shardKey } from './write.schema';

export const retrieveRequest = object(
  { ids: list(pointId), shard_key: shardKey, ...outputFields(true) },
  OUTPUT_ALIASES,
);

export const scrollRequest = object(
  {
    shard_key: shardKey,
    offset: optional(pointId),
    limit: withDefault(integer(1), 10),
    filter: optionalFilter,
    ...outputFields(true),
    order_by: optional(orderBy),
  },
  OUTPUT_ALIASES,
);

/** `exact` is checked and changes nothing: every count is exact. */
export const countRequest = object({ shard_key: shardKey, filter: optionalFilter, exact: optional(flag) });

/** `exact` is checked and changes nothing: every count is exact. */
export const facetRequest = object({
  shard_key: shardKey,
  key: path,
  limit: withDefault(integer(1), 10),
  filter: optionalFilter,
  exact: optional(flag),
});

export const matrixRequest = object({
  shard_key: shardKey,
  filter: optionalFilter,
  sample: withDefault(integer(2), 10),
  limit: withDefault(integer(1), 3),
  using: withDefault(text, UNNAMED),
});
export type MatrixRequest = Decoded<typeof matrixRequest>;
