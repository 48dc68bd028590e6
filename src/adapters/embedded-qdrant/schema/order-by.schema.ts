import { parseDatetime } from '../filter/datetime';
import { numberOf } from '../json/json-value';
import type { JsonPath } from '../payload/json-path';
import { expected, object, oneOf, optional, withDefault, type Decoder } from './decode';
import { path } from './filter.schema';

export interface OrderBy {
  path: JsonPath;
  isDescending: boolean;
  /** Numbers as they are, date-times in microseconds since 1970. */
  startFrom: number | undefined;
}

const startFrom: Decoder<number> = (value, at) => {
  const start = typeof value === 'string' ? parseDatetime(value) : numberOf(value);
  return start ?? expected('a number or an RFC 3339 date-time', value, at);
};

const fields = object({
  key: path,
  direction: withDefault(oneOf('asc', 'desc'), 'asc'),
  start_from: optional(startFrom),
});

/** A field's name alone, or with direction and start. */
export const orderBy: Decoder<OrderBy> = (value, at) => {
  if (typeof value === 'string') return { path: path(value, at), isDescending: false, startFrom: undefined };
  const decoded = fields(value, at);
  return { path: decoded.key, isDescending: decoded.direction === 'desc', startFrom: decoded.start_from };
};
