/** How much a check holds at once, whatever the size of the stores. */
export interface BatchSizes {
  /** Rows and points of a page, and points that are looked at again together. */
  points: number;
  /** Records of a page, each with its text, its chunks and its rows. */
  records: number;
  /** Of the texts of a page of records, which may have megabytes each: no further one is taken beyond it. */
  textBytes: number;
}

export const DEFAULT_BATCH_SIZES: BatchSizes = { points: 1000, records: 100, textBytes: 4 * 2 ** 20 };
