import type { Bounds, Condition, FieldTest, Filter, MatchScalar } from '../filter/filter';
import { parseDatetime } from '../filter/datetime';
import type { GeoPoint } from '../filter/geo';
import { integerOf, isObject, type Json } from '../json/json-value';
import { parsePath, type JsonPath } from '../payload/json-path';
import { parsePointId, type PointId } from '../point-id';
import { badFormat, badInput, invalid } from '../qdrant-error';
import {
  expected,
  flag,
  integer,
  list,
  number,
  object,
  oneOrMany,
  optional,
  tagged,
  text,
  withDefault,
  type Decoder,
} from './decode';

export const pointId: Decoder<PointId> = (value, at) => {
  const id = parsePointId(value);
  if (id !== undefined) return id;
  if (value === undefined || (typeof value !== 'string' && integerOf(value) === undefined)) {
    return expected('a point id (an unsigned integer or a UUID)', value, at);
  }
  throw badFormat(
    at,
    `value ${JSON.stringify(value)} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
  );
};

export const path: Decoder<JsonPath> = (value, at) => {
  const source = text(value, at);
  const parsed = parsePath(source);
  if (parsed === undefined) throw badFormat(at, `Invalid json path: '${source}'`);
  return parsed;
};

/** Qdrant nests filters without a limit of its own; this one keeps evaluation off the end of the stack. */
const MAX_DEPTH = 64;

export const filter: Decoder<Filter> = (value, at) => decodeFilter(value, at, 0);

function decodeFilter(value: Json | undefined, at: string, depth: number): Filter {
  if (depth > MAX_DEPTH) throw badInput(`filter is nested deeper than ${MAX_DEPTH} levels`);
  const inner: Decoder<Condition> = (item, where) => decodeCondition(item, where, depth + 1);
  const conditions = optional(oneOrMany(inner));
  const decoded = object({
    must: conditions,
    should: conditions,
    must_not: conditions,
    min_should: optional(object({ conditions: list(inner), min_count: integer(0) })),
  })(value, at);
  return {
    must: decoded.must,
    should: decoded.should,
    mustNot: decoded.must_not,
    minShould: decoded.min_should && {
      conditions: decoded.min_should.conditions,
      minCount: decoded.min_should.min_count,
    },
  };
}

export const condition: Decoder<Condition> = (value, at) => decodeCondition(value, at, 0);

const FILTER_KEYS = ['must', 'should', 'must_not', 'min_should'];

function decodeCondition(value: Json | undefined, at: string, depth: number): Condition {
  if (isObject(value)) {
    const keys = Object.keys(value);
    if (keys.length === 0 || keys.some((key) => FILTER_KEYS.includes(key))) {
      return { kind: 'filter', filter: decodeFilter(value, at, depth) };
    }
  }
  return tagged<Condition>({
    key: fieldCondition,
    has_id: (item, where) => ({ kind: 'has_id', ids: object({ has_id: list(pointId) })(item, where).has_id }),
    has_vector: (item, where) => ({ kind: 'has_vector', name: object({ has_vector: text })(item, where).has_vector }),
    is_empty: (item, where) => {
      const { key } = object({ is_empty: object({ key: path }) })(item, where).is_empty;
      return { kind: 'field', path: key, tests: [{ test: 'is_empty', isEmpty: true }] };
    },
    is_null: (item, where) => {
      const { key } = object({ is_null: object({ key: path }) })(item, where).is_null;
      return { kind: 'field', path: key, tests: [{ test: 'is_null', isNull: true }] };
    },
    nested: (item, where) => {
      const inner: Decoder<Filter> = (source, place) => decodeFilter(source, place, depth);
      const { nested } = object({ nested: object({ key: path, filter: inner }) })(item, where);
      refuseInsideNested(nested.filter);
      return { kind: 'nested', path: nested.key, filter: nested.filter };
    },
  })(value, at);
}

function refuseInsideNested(inner: Filter): void {
  for (const item of conditionsOf(inner)) {
    if (item.kind === 'has_id' || item.kind === 'has_vector') {
      throw badInput(`\`${item.kind}\` is not supported inside a nested filter`);
    }
    if (item.kind === 'filter' || item.kind === 'nested') refuseInsideNested(item.filter);
  }
}

function conditionsOf(source: Filter): Condition[] {
  const lists = [source.must, source.should, source.mustNot, source.minShould?.conditions];
  return lists.flatMap((conditions) => conditions ?? []);
}

const geoPoint: Decoder<GeoPoint> = (value, at) => {
  const point = object({ lon: number, lat: number })(value, at);
  if (Math.abs(point.lat) > 90 || Math.abs(point.lon) > 180) {
    throw badFormat(at, `Wrong format of GeoPoint payload: expected lat within [-90;90] and lon within [-180;180]`);
  }
  return point;
};

const ring: Decoder<GeoPoint[]> = (value, at) => {
  const { points } = object({ points: list(geoPoint) })(value, at);
  const [first] = points;
  const last = points.at(-1);
  if (points.length < 4 || first?.lon !== last?.lon || first?.lat !== last?.lat) {
    throw invalid(at, 'polygon invalid, a ring needs at least 4 points and must end where it starts');
  }
  return points;
};

const fieldCondition: Decoder<Condition> = (value, at) => {
  const decoded = object({
    key: path,
    match: optional(match),
    range: optional(range),
    geo_bounding_box: optional(object({ top_left: geoPoint, bottom_right: geoPoint })),
    geo_radius: optional(object({ center: geoPoint, radius: number })),
    geo_polygon: optional(object({ exterior: ring, interiors: optional(list(ring)) })),
    values_count: optional(numericBounds),
    is_empty: optional(flag),
    is_null: optional(flag),
  })(value, at);
  const tests: FieldTest[] = [];
  if (decoded.match) tests.push(decoded.match);
  if (decoded.range) tests.push(decoded.range);
  const box = decoded.geo_bounding_box;
  if (box) tests.push({ test: 'geo_box', topLeft: box.top_left, bottomRight: box.bottom_right });
  const circle = decoded.geo_radius;
  if (circle) tests.push({ test: 'geo_radius', center: circle.center, metres: circle.radius });
  const polygon = decoded.geo_polygon;
  if (polygon) tests.push({ test: 'geo_polygon', exterior: polygon.exterior, interiors: polygon.interiors ?? [] });
  if (decoded.values_count) tests.push({ test: 'values_count', bounds: decoded.values_count });
  if (decoded.is_empty !== undefined) tests.push({ test: 'is_empty', isEmpty: decoded.is_empty });
  if (decoded.is_null !== undefined) tests.push({ test: 'is_null', isNull: decoded.is_null });
  if (tests.length === 0) throw invalid(at, 'At least one field condition must be specified');
  return { kind: 'field', path: decoded.key, tests };
};

const matchScalar: Decoder<MatchScalar> = (value, at) => {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return integerOf(value) ?? expected('a string, an integer or a boolean', value, at);
};

/** All strings or all integers. */
const matchList: Decoder<MatchScalar[]> = (value, at) => {
  const values = list(matchScalar)(value, at);
  const isKeyword = typeof values[0] === 'string';
  if (values.every((item) => (typeof item === 'string') === isKeyword && typeof item !== 'boolean')) return values;
  return expected('a list of strings or a list of integers', value, at);
};

const match: Decoder<FieldTest> = tagged<FieldTest>({
  value: (value, at) => ({ test: 'equals_any', values: [object({ value: matchScalar })(value, at).value] }),
  any: (value, at) => ({ test: 'equals_any', values: object({ any: matchList })(value, at).any }),
  except: (value, at) => ({ test: 'except', values: object({ except: matchList })(value, at).except }),
  text: (value, at) => ({ test: 'text', mode: 'all', text: object({ text })(value, at).text }),
  text_any: (value, at) => ({ test: 'text', mode: 'any', text: object({ text_any: text })(value, at).text_any }),
  phrase: (value, at) => ({ test: 'text', mode: 'phrase', text: object({ phrase: text })(value, at).phrase }),
});

const bounds = <T>(bound: Decoder<T>) =>
  object({ lt: optional(bound), lte: optional(bound), gt: optional(bound), gte: optional(bound) });
const numericBounds: Decoder<Bounds> = bounds(number);
const datetime: Decoder<number> = (value, at) => {
  const source = text(value, at);
  return parseDatetime(source) ?? expected('a number or an RFC 3339 date-time', source, at);
};
const datetimeBounds: Decoder<Bounds> = bounds(datetime);

const range: Decoder<FieldTest> = (value, at) => {
  const isText = isObject(value) && Object.values(value).some((bound) => typeof bound === 'string');
  return isText
    ? { test: 'datetime_range', bounds: datetimeBounds(value, at) }
    : { test: 'range', bounds: numericBounds(value, at) };
};

export const optionalFilter: Decoder<Filter | undefined> = withDefault<Filter | undefined>(filter, undefined);
export { geoPoint };
