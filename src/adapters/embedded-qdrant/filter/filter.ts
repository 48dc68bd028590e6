import type { JsonPath } from '../payload/json-path';
import type { PointId } from '../point-id';
import type { GeoPoint } from './geo';

/** A decoded filter: the clauses that are there are all required. */
export interface Filter {
  must?: Condition[];
  should?: Condition[];
  mustNot?: Condition[];
  minShould?: { conditions: Condition[]; minCount: number };
}

export type Condition =
  | { kind: 'field'; path: JsonPath; tests: FieldTest[] }
  | { kind: 'has_id'; ids: PointId[] }
  | { kind: 'has_vector'; name: string }
  | { kind: 'nested'; path: JsonPath; filter: Filter }
  | { kind: 'filter'; filter: Filter };

export type Bounds = { lt?: number; lte?: number; gt?: number; gte?: number };

/** A value that `match` compares with: an integer beyond 2^53 is a bigint. */
export type MatchScalar = string | number | bigint | boolean;

/** What one field may have to satisfy; of several, any. */
export type FieldTest =
  | { test: 'equals_any'; values: MatchScalar[] }
  | { test: 'except'; values: MatchScalar[] }
  | { test: 'text'; mode: 'all' | 'any' | 'phrase'; text: string }
  | { test: 'range'; bounds: Bounds }
  | { test: 'datetime_range'; bounds: Bounds }
  | { test: 'geo_box'; topLeft: GeoPoint; bottomRight: GeoPoint }
  | { test: 'geo_radius'; center: GeoPoint; metres: number }
  | { test: 'geo_polygon'; exterior: GeoPoint[]; interiors: GeoPoint[][] }
  | { test: 'values_count'; bounds: Bounds }
  | { test: 'is_empty'; isEmpty: boolean }
  | { test: 'is_null'; isNull: boolean };

/** Both filters at once. */
export function both(a: Filter | undefined, b: Filter | undefined): Filter | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    must: [
      { kind: 'filter', filter: a },
      { kind: 'filter', filter: b },
    ],
  };
}
