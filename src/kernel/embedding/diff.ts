import type { RenderedChunk } from './rendering';

/** What a diff needs to know of an embedding row. */
export interface ExistingRow {
  id: number;
  embeddingType: string;
  chunkIndex: number;
  contentHash: string;
  startOffset: number | null;
  endOffset: number | null;
}

export interface RowChanges {
  inserted: RenderedChunk[];
  /** Only rows in which something differs. */
  updated: { id: number; chunk: RenderedChunk }[];
  deleted: number[];
}

/**
 * How to turn the embedding rows of one record into `chunks`. A row keeps its text wherever the text moves, so its point
 * is not embedded again; a text that was edited in place keeps its row, and with it its point id and tags.
 */
export function diffRows(existing: readonly ExistingRow[], chunks: readonly RenderedChunk[]): RowChanges {
  const changes: RowChanges = { inserted: [], updated: [], deleted: [] };
  const types = new Set([...existing.map((row) => row.embeddingType), ...chunks.map((chunk) => chunk.embeddingType)]);
  for (const type of types) {
    const rows = existing.filter((row) => row.embeddingType === type).sort((a, b) => a.chunkIndex - b.chunkIndex);
    const wanted = chunks.filter((chunk) => chunk.embeddingType === type);
    const pairs = new Map([...matchByText(rows, wanted)]);
    for (const [chunk, row] of matchByPlace(rows, wanted, pairs)) pairs.set(chunk, row);
    const kept = new Set(pairs.values());
    for (const chunk of wanted) {
      const row = pairs.get(chunk);
      if (!row) changes.inserted.push(chunk);
      else if (differs(row, chunk)) changes.updated.push({ id: row.id, chunk });
    }
    changes.deleted.push(...rows.filter((row) => !kept.has(row)).map((row) => row.id));
  }
  return changes;
}

type Pairs = Map<RenderedChunk, ExistingRow>;

/** Equal texts; of several equal ones the row that is already in the chunk's place, else the first left. */
function matchByText(rows: readonly ExistingRow[], chunks: readonly RenderedChunk[]): Pairs {
  const pairs: Pairs = new Map();
  const rowsByHash = new Map<string, ExistingRow[]>();
  for (const row of rows) {
    const same = rowsByHash.get(row.contentHash);
    if (same) same.push(row);
    else rowsByHash.set(row.contentHash, [row]);
  }
  const take = (chunk: RenderedChunk, find: (same: ExistingRow[]) => number): void => {
    const same = rowsByHash.get(chunk.contentHash) ?? [];
    const position = pairs.has(chunk) ? -1 : find(same);
    const row = same[position];
    if (!row) return;
    same.splice(position, 1);
    pairs.set(chunk, row);
  };
  for (const chunk of chunks) take(chunk, (same) => same.findIndex((row) => row.chunkIndex === chunk.chunkIndex));
  for (const chunk of chunks) take(chunk, () => 0);
  return pairs;
}

/** Edited texts: those left over after the same unchanged neighbour, in order. */
function matchByPlace(rows: readonly ExistingRow[], chunks: readonly RenderedChunk[], byText: Pairs): Pairs {
  const pairs: Pairs = new Map();
  const unchanged = new Set(byText.values());
  const leftAfter = new Map<ExistingRow | undefined, ExistingRow[]>();
  let neighbour: ExistingRow | undefined;
  for (const row of rows) {
    if (unchanged.has(row)) {
      neighbour = row;
      continue;
    }
    const left = leftAfter.get(neighbour);
    if (left) left.push(row);
    else leftAfter.set(neighbour, [row]);
  }
  neighbour = undefined;
  for (const chunk of chunks) {
    const same = byText.get(chunk);
    if (same) {
      neighbour = same;
      continue;
    }
    const row = leftAfter.get(neighbour)?.shift();
    if (row) pairs.set(chunk, row);
  }
  return pairs;
}

function differs(row: ExistingRow, chunk: RenderedChunk): boolean {
  return (
    row.contentHash !== chunk.contentHash ||
    row.chunkIndex !== chunk.chunkIndex ||
    row.startOffset !== chunk.startOffset ||
    row.endOffset !== chunk.endOffset
  );
}
