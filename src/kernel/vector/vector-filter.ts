/**
 * A payload filter in Qdrant's own shape, limited to what Kindred's filters compile to.
 * `must: []` and `must_not: []` are true, `should: []` is false: none of no conditions holds.
 */
export interface VectorFilter {
  must?: VectorCondition[];
  should?: VectorCondition[];
  must_not?: VectorCondition[];
}

export type VectorCondition =
  | VectorFilter
  | { key: string; match: { value: string | number | boolean } }
  | { key: string; match: { any: string[] | number[] } }
  | { key: string; range: RangeBounds<number> | RangeBounds<string> }
  | { is_empty: { key: string } }
  | { has_id: string[] };

export interface RangeBounds<T> {
  gt?: T;
  gte?: T;
  lt?: T;
  lte?: T;
}
