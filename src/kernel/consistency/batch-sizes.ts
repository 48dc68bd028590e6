/** How much a check holds at once, whatever the size of the stores. */
export interface BatchSizes {
  /** Rows and points of a page, and points that are looked at again together. */
  points: number;
  /** Records of a page, each with its text, its chunks and its rows, and records that are looked at again together. */
  records: number;
}

/** A record may have a text of megabytes. */
export const DEFAULT_BATCH_SIZES: BatchSizes = { points: 1000, records: 100 };
