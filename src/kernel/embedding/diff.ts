import type { RenderedChunk } from './rendering';
import { gapsAfter, gapsBefore, matchByText, type Gap, type RowOfChunk } from './row-matching';
import { countWords, likeness, type WordCounts } from './text-likeness';

/** What a diff needs to know of an embedding row. */
export interface ExistingRow {
  id: number;
  pointId: string;
  embeddingType: string;
  chunkIndex: number;
  contentHash: string;
  startOffset: number | null;
  endOffset: number | null;
  tokenCount: number | null;
  headingPath: readonly string[] | null;
  /** Whether its vector was taken over from elsewhere, not made from the row's text. */
  isAdopted: boolean;
  /** What the record's text of this type was when the vector was first seen. */
  adoptedHash: string | null;
}

/** A row and the chunk that it is to hold. */
export interface RowChange {
  id: number;
  chunk: RenderedChunk;
}

export interface RowChanges {
  inserted: RenderedChunk[];
  /** Rows with another text, which is embedded. */
  rewritten: RowChange[];
  /** Rows with the same text at another place; nothing is embedded. */
  moved: RowChange[];
  deleted: number[];
}

type RowGap = Gap<ExistingRow, RenderedChunk>;
type Pairs = RowOfChunk<ExistingRow, RenderedChunk>;

/** The rows and chunks of one embedding type, in order. */
interface TypeSides {
  rows: readonly ExistingRow[];
  chunks: readonly RenderedChunk[];
}

/** A text that shares fewer of its words with the old one is another text and not the old one, edited. */
const SAME_TEXT_LIKENESS = 0.5;
/** How many rows ahead an edited text is looked for, so that a text of thousands of chunks is still cheap to compare. */
const LOOK_AHEAD = 16;

/**
 * How to turn the embedding rows of one record into chunks. A row keeps its text wherever the text moves, so its point is
 * not embedded again; a text that was edited in place keeps its row, and with it its point id and its tags.
 */
export class RowDiff {
  private readonly sides: TypeSides[];
  private readonly pairs: Pairs;

  constructor(
    private readonly existing: readonly ExistingRow[],
    private readonly chunks: readonly RenderedChunk[],
  ) {
    const types = new Set([...existing.map((row) => row.embeddingType), ...chunks.map((chunk) => chunk.embeddingType)]);
    this.sides = [...types].map((type) => ({
      rows: existing.filter((row) => row.embeddingType === type).sort((a, b) => a.chunkIndex - b.chunkIndex),
      chunks: chunks.filter((chunk) => chunk.embeddingType === type),
    }));
    this.pairs = new Map(this.sides.flatMap(({ rows, chunks: wanted }) => [...matchByText(rows, wanted)]));
  }

  /** Rows whose text is gone and that may hold the edited form of it: their texts decide. */
  get contestedIds(): number[] {
    return this.sides.flatMap((sides) => leftOver(sides, this.pairs).flatMap(({ rows }) => rows.map((row) => row.id)));
  }

  /**
   * @param texts of the contested rows, by id. With them, a row keeps only a text that is like the one it had; without,
   *   edited texts are told by their place alone.
   */
  changes(texts?: ReadonlyMap<number, string>): RowChanges {
    const pairs: Pairs = new Map(this.pairs);
    const pairGap = texts ? byLikeness(texts) : byPlace;
    for (const sides of this.sides) {
      // After the same unchanged neighbour, then before the same one, then anywhere, if likeness can tell.
      for (const gap of gapsAfter(sides.rows, sides.chunks, pairs)) pairGap(gap, pairs);
      for (const gap of gapsBefore(sides.rows, sides.chunks, pairs)) pairGap(gap, pairs);
      if (texts) for (const gap of leftOver(sides, pairs)) pairGap(gap, pairs);
    }
    const changes: RowChanges = { inserted: [], rewritten: [], moved: [], deleted: [] };
    for (const chunk of this.chunks) {
      const row = pairs.get(chunk);
      if (!row) changes.inserted.push(chunk);
      else if (row.contentHash !== chunk.contentHash) changes.rewritten.push({ id: row.id, chunk });
      else if (isElsewhere(row, chunk)) changes.moved.push({ id: row.id, chunk });
    }
    const kept = new Set(pairs.values());
    changes.deleted = this.existing.filter((row) => !kept.has(row)).map((row) => row.id);
    return changes;
  }
}

/** What no pair has, as one gap; none where only rows or only chunks are left. */
function leftOver({ rows, chunks }: TypeSides, pairs: Pairs): RowGap[] {
  const matched = new Set(pairs.values());
  const gap = { rows: rows.filter((row) => !matched.has(row)), chunks: chunks.filter((chunk) => !pairs.has(chunk)) };
  return gap.rows.length > 0 && gap.chunks.length > 0 ? [gap] : [];
}

function byPlace({ rows, chunks }: RowGap, pairs: Pairs): void {
  for (const [i, row] of rows.slice(0, chunks.length).entries()) pairs.set(chunks[i] as RenderedChunk, row);
}

/** In order: each chunk takes the most similar of the next rows, if any is similar enough. */
function byLikeness(texts: ReadonlyMap<number, string>): (gap: RowGap, pairs: Pairs) => void {
  const words = new Map<number, WordCounts>();
  const wordsOf = ({ id }: ExistingRow): WordCounts => {
    let found = words.get(id);
    if (!found) words.set(id, (found = countWords(texts.get(id) ?? '')));
    return found;
  };
  return ({ rows, chunks }, pairs) => {
    let next = 0;
    for (const chunk of chunks) {
      const own = countWords(chunk.text);
      const scores = rows.slice(next, next + LOOK_AHEAD).map((row) => likeness(own, wordsOf(row)));
      const best = Math.max(...scores);
      if (best < SAME_TEXT_LIKENESS) continue;
      next += scores.indexOf(best) + 1;
      pairs.set(chunk, rows[next - 1] as ExistingRow);
    }
  };
}

function isElsewhere(row: ExistingRow, chunk: RenderedChunk): boolean {
  return (
    row.chunkIndex !== chunk.chunkIndex ||
    row.startOffset !== chunk.startOffset ||
    row.endOffset !== chunk.endOffset ||
    row.tokenCount !== chunk.tokenCount ||
    (row.headingPath ?? []).join('\n') !== chunk.headingPath.join('\n')
  );
}
