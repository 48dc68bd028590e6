import { atOnce, type Steps } from '../process/turns';
import { isBlank } from '../record/storable-text';
import type { Chunk, ChunkingPlan } from './chunking-plan';
import { markdownBlocks, type MarkdownBlock } from './markdown-blocks';
import { pack, packOverlapping } from './packing';
import { linesOf, sentencesOf, spansOf, wholeOf, type Segmentation, type Span } from './spans';
import { estimatedTokens, type TokenCounter } from './token-counter';

/** Most tokens of a chunk under these headings, which may be part of what is embedded with it. */
export type Budget = (headingPath: readonly string[], ownHeadings: number) => number;

export interface ChunkingLimits {
  /** As `chunkBudget` says, the plan's own limit included. */
  budget: number | Budget;
  counter?: TokenCounter;
  /** Of a text that makes more chunks than this, one more is enough. */
  mostChunks?: number;
}

interface Limits {
  budgetOf: Budget;
  counter: TokenCounter;
}

interface Part {
  start: number;
  end: number;
  headingPath: readonly string[];
  ownHeadings: number;
}

interface Cut {
  segment: Segmentation;
  overlap?: number;
  /** Whether white space before it is part of it, as the indentation of code is. */
  keepsIndent?: boolean;
}

/** A line break and all white space after it; no group is repeated, which a text of line breaks alone would not survive. */
const BREAK_AND_SPACE = /(?:\r\n|\n|\r)\s*/g;
const LARGEST_OVERLAP_SHARE = 0.5;
const NO_HEADINGS: readonly string[] = [];

/** The chunks of a text as `chunkingSteps` makes them, all at once: for texts that are known to be short. */
export function chunkText(
  text: string,
  plan: ChunkingPlan,
  budget: number | Budget,
  counter: TokenCounter = estimatedTokens,
): Chunk[] {
  return atOnce(chunkingSteps(text, plan, { budget, counter }));
}

/**
 * Cuts `text` into chunks of at most the budget's tokens, in order. Nothing that a reader sees is lost, but for
 * the rules between sections of Markdown; what has nothing to see is no chunk. A sentence that does not fit is cut between
 * words, a word that does not fit between characters.
 */
export function* chunkingSteps(
  text: string,
  plan: ChunkingPlan,
  { budget, counter = estimatedTokens, mostChunks = Infinity }: ChunkingLimits,
): Steps<Chunk[]> {
  const limits: Limits = { budgetOf: typeof budget === 'number' ? () => budget : budget, counter };
  const cuts =
    plan.strategy === 'markdown' ? cutBlocks(text, yield* markdownBlocks(text), limits) : cutParts(text, plan, limits);
  const chunks: Chunk[] = [];
  for (const cut of cuts) {
    for (const chunk of cut) {
      chunks.push(chunk);
      if (chunks.length > mostChunks) return chunks;
      yield;
    }
    yield;
  }
  return chunks;
}

function* cutBlocks(text: string, blocks: Iterable<MarkdownBlock>, limits: Limits): Generator<Iterable<Chunk>> {
  for (const block of blocks) yield cutBlock(text, block, limits);
}

function* cutParts(text: string, plan: ChunkingPlan, limits: Limits): Generator<Iterable<Chunk>> {
  const cut = cutOf(plan);
  const parts = plan.strategy === 'paragraph' ? paragraphs(text) : [plainPart(0, text.length)];
  for (const part of parts) yield cutPart(text, part, limits, cut);
}

function cutOf({ strategy, overlapTokens }: ChunkingPlan): Cut {
  if (strategy === 'paragraph') return { segment: sentencesOf };
  return { segment: strategy === 'token' ? wholeOf : sentencesOf, overlap: overlapTokens };
}

const plainPart = (start: number, end: number): Part => ({ start, end, headingPath: NO_HEADINGS, ownHeadings: 0 });

function* paragraphs(text: string): Generator<Part> {
  let start = 0;
  for (const { 0: space, index } of text.matchAll(BREAK_AND_SPACE)) {
    const isBlankLine = afterLastBreak(space) > (space.startsWith('\r\n') ? 2 : 1);
    if (!isBlankLine) continue;
    yield plainPart(start, index);
    start = index + afterLastBreak(space);
  }
  yield plainPart(start, text.length);
}

const afterLastBreak = (space: string): number => Math.max(space.lastIndexOf('\n'), space.lastIndexOf('\r')) + 1;

/** Code, lists and tables are cut between lines, and only when they fit no chunk even without the headings before them. */
function* cutBlock(text: string, block: MarkdownBlock, limits: Limits): Generator<Chunk> {
  if (block.type === 'prose') return yield* cutPart(text, block, limits, { segment: sentencesOf });
  const cut: Cut = { segment: linesOf, keepsIndent: true };
  const { bodyStart, headingPath, ownHeadings } = block;
  const budget = limits.budgetOf(headingPath, ownHeadings);
  const isTooLong = limits.counter.count(text.slice(block.start, block.end), budget) > budget;
  if (!isTooLong || ownHeadings === 0) return yield* cutPart(text, block, limits, cut);
  yield* cutPart(text, { ...block, end: bodyStart }, limits, { segment: sentencesOf });
  yield* cutPart(text, { ...block, start: bodyStart, ownHeadings: 0 }, limits, cut);
}

/** One chunk where the part fits, else several of them. */
function* cutPart(text: string, part: Part, { budgetOf, counter }: Limits, cut: Cut): Generator<Chunk> {
  const { start, end, headingPath, ownHeadings } = part;
  const chunkOf = (from: number, to: number, own: number, most?: number): Chunk | undefined => {
    const range = visibleRange(text, from, to, cut.keepsIndent ?? false);
    if (!range) return undefined;
    const slice = text.slice(range.start, range.end);
    return { text: slice, ...range, tokens: counter.count(slice, most), headingPath, ownHeadings: own };
  };
  const wholeBudget = budgetOf(headingPath, ownHeadings);
  const whole = chunkOf(start, end, ownHeadings, wholeBudget);
  if (!whole) return;
  if (whole.tokens <= wholeBudget) return yield whole;
  // What follows the first chunk has the headings above it no more.
  const budget = Math.min(wholeBudget, budgetOf(headingPath, 0));
  const spans = spansOf(text, part, budget, cut.segment, counter);
  const overlap = Math.min(cut.overlap ?? 0, Math.floor(budget * LARGEST_OVERLAP_SHARE));
  const groups = overlap > 0 ? packOverlapping(spans, budget, overlap) : pack(spans, budget);
  const fits = (from: number, to: number): boolean => counter.count(text.slice(from, to), budget) <= budget;
  let last: Chunk | undefined;
  for (const group of groups) {
    for (const { start: from, end: to } of fitting(group, fits)) {
      const chunk = chunkOf(from, to, last ? 0 : ownHeadings);
      // Where windows differ by nothing that is seen, the longer one stands for both.
      if (!chunk || (last && chunk.end <= last.end)) continue;
      if (last && chunk.start > last.start) yield last;
      last = chunk;
    }
  }
  if (last) yield last;
}

/** The group itself where it fits: parts of a word, or of a line, may make more tokens together than each alone. */
function* fitting(
  group: readonly Span[],
  fits: (start: number, end: number) => boolean,
): Generator<{ start: number; end: number }> {
  const start = group[0]?.start ?? 0;
  const end = group[group.length - 1]?.end ?? 0;
  if (group.length < 2 || fits(start, end)) return yield { start, end };
  const middle = Math.ceil(group.length / 2);
  yield* fitting(group.slice(0, middle), fits);
  yield* fitting(group.slice(middle), fits);
}

/** Without white space at either end; undefined when nothing is left to see. */
function visibleRange(
  text: string,
  start: number,
  end: number,
  keepsIndent: boolean,
): { start: number; end: number } | undefined {
  const slice = text.slice(start, end);
  if (isBlank(slice)) return undefined;
  const space = slice.slice(0, slice.length - slice.trimStart().length);
  const leading = keepsIndent ? afterLastBreak(space) : space.length;
  return { start: start + leading, end: start + slice.trimEnd().length };
}
