/** Parallel arrays; indices ascending and unique. */
export interface SparseVector {
  indices: Uint32Array;
  values: Float32Array;
}
