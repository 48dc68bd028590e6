import { flag, integer, list, object, optional, withDefault, type Decoded } from './decode';
import { optionalFilter, pointId } from './filter.schema';
import { orderBy } from './order-by.schema';
import { outputFields } from './query.schema';
import { shardKey } from './write.schema';

export const retrieveRequest = object({ ids: list(pointId), shard_key: shardKey, ...outputFields(true) });

export const scrollRequest = object({
  shard_key: shardKey,
  offset: optional(pointId),
  limit: withDefault(integer(1), 10),
  filter: optionalFilter,
  ...outputFields(true),
  order_by: optional(orderBy),
});
export type ScrollRequest = Decoded<typeof scrollRequest>;

/** `exact` is checked and changes nothing: every count is exact. */
export const countRequest = object({ shard_key: shardKey, filter: optionalFilter, exact: optional(flag) });
