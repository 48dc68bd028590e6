/** A row or a chunk, as far as matching them needs it. */
export interface Matchable {
  chunkIndex: number;
  contentHash: string;
}

/** Which row each chunk keeps. */
export type RowOfChunk<Row, Chunk> = Map<Chunk, Row>;

/** What is left beside a match: rows whose text is gone, and chunks whose text is new, each in order. */
export interface Gap<Row, Chunk> {
  rows: Row[];
  chunks: Chunk[];
}

/**
 * Pairs rows and chunks of equal text, wherever the text moved, in linear time (Heckel 1978): texts that occur once are
 * certain; equal texts beside a pair are a pair too, so that of several equal ones those with the same neighbours belong
 * together; what is then left of equal texts is paired in order.
 */
export function matchByText<Row extends Matchable, Chunk extends Matchable>(
  rows: readonly Row[],
  chunks: readonly Chunk[],
): RowOfChunk<Row, Chunk> {
  const rowOf: (number | undefined)[] = new Array<number | undefined>(chunks.length);
  const isTaken = new Array<boolean>(rows.length).fill(false);
  const pair = (chunk: number, row: number): void => {
    rowOf[chunk] = row;
    isTaken[row] = true;
  };
  /** Pairs them when both are free and their texts are equal. */
  const tryPair = (chunk: number, row: number): boolean => {
    const isPair =
      rowOf[chunk] === undefined &&
      isTaken[row] === false &&
      chunks[chunk] !== undefined &&
      rows[row]?.contentHash === chunks[chunk].contentHash;
    if (isPair) pair(chunk, row);
    return isPair;
  };
  const rowsByHash = positionsByHash(rows);
  for (const [hash, positions] of positionsByHash(chunks)) {
    const [row, ...otherRows] = rowsByHash.get(hash) ?? [];
    if (row !== undefined && otherRows.length === 0 && positions.length === 1) pair(positions[0] as number, row);
  }
  // Outwards from every pair, and from both ends.
  for (let i = 0; tryPair(i, i); i++);
  for (let i = 1; tryPair(chunks.length - i, rows.length - i); i++);
  for (let i = 0; i < chunks.length; i++) if (rowOf[i] !== undefined) tryPair(i + 1, (rowOf[i] as number) + 1);
  for (let i = chunks.length - 1; i > 0; i--) if (rowOf[i] !== undefined) tryPair(i - 1, (rowOf[i] as number) - 1);
  for (const [i, chunk] of chunks.entries()) {
    if (rowOf[i] !== undefined) continue;
    const free = rowsByHash.get(chunk.contentHash);
    while (free?.length && isTaken[free[0] as number]) free.shift();
    const row = free?.shift();
    if (row !== undefined) pair(i, row);
  }
  const pairs: RowOfChunk<Row, Chunk> = new Map();
  for (const [i, chunk] of chunks.entries()) {
    const row = rowOf[i] === undefined ? undefined : rows[rowOf[i]];
    if (row) pairs.set(chunk, row);
  }
  return pairs;
}

function positionsByHash(list: readonly Matchable[]): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  for (const [i, { contentHash }] of list.entries()) {
    const same = positions.get(contentHash);
    if (same) same.push(i);
    else positions.set(contentHash, [i]);
  }
  return positions;
}

/** What `pairs` leaves over, by the matched neighbour that stands before it; only gaps with both rows and chunks. */
export function gapsAfter<Row, Chunk>(
  rows: readonly Row[],
  chunks: readonly Chunk[],
  pairs: RowOfChunk<Row, Chunk>,
): Gap<Row, Chunk>[] {
  const matched = new Set(pairs.values());
  const gaps = new Map<Row | undefined, Gap<Row, Chunk>>();
  const gapAfter = (neighbour: Row | undefined): Gap<Row, Chunk> => {
    let gap = gaps.get(neighbour);
    if (!gap) gaps.set(neighbour, (gap = { rows: [], chunks: [] }));
    return gap;
  };
  let neighbour: Row | undefined;
  for (const row of rows) {
    if (matched.has(row)) neighbour = row;
    else gapAfter(neighbour).rows.push(row);
  }
  neighbour = undefined;
  for (const chunk of chunks) {
    const row = pairs.get(chunk);
    if (row) neighbour = row;
    else gapAfter(neighbour).chunks.push(chunk);
  }
  return [...gaps.values()].filter((gap) => gap.rows.length > 0 && gap.chunks.length > 0);
}

/** The same by the matched neighbour that stands behind it. */
export function gapsBefore<Row, Chunk>(
  rows: readonly Row[],
  chunks: readonly Chunk[],
  pairs: RowOfChunk<Row, Chunk>,
): Gap<Row, Chunk>[] {
  const gaps = gapsAfter([...rows].reverse(), [...chunks].reverse(), pairs);
  return gaps.map((gap) => ({ rows: gap.rows.reverse(), chunks: gap.chunks.reverse() }));
}
