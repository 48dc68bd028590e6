import { isBlank } from '../record/storable-text';
import type { Chunk, ChunkingPlan } from './chunking-plan';
import { markdownBlocks, type MarkdownBlock } from './markdown-blocks';
import { pack, packOverlapping, type SpanGroup } from './packing';
import { linesOf, sentencesOf, spansOf, wholeOf, type Segmentation, type Span } from './spans';
import { estimatedTokens, type TokenCounter } from './token-counter';

/** Most tokens of a chunk under these headings, which may be part of what is embedded with it. */
export type Budget = (headingPath: readonly string[], ownHeadings: number) => number;

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

const BLANK_LINES = /(?:\r\n|\n|\r)(?:[^\S\r\n]*(?:\r\n|\n|\r))+/g;
const LEADING_BLANK_LINES = /^(?:[^\S\r\n]*(?:\r\n|\n|\r))+/;
const LARGEST_OVERLAP_SHARE = 0.5;
const NO_HEADINGS: readonly string[] = [];

/**
 * Cuts `text` into chunks of at most the budget's tokens, in order. Nothing that a reader sees is lost, but for
 * the rules between sections of Markdown; what has nothing to see is no chunk. A sentence that does not fit is cut between
 * words, a word that does not fit between characters.
 * @param budget as `chunkBudget` says, the plan's own limit included
 */
export function chunkText(
  text: string,
  plan: ChunkingPlan,
  budget: number | Budget,
  counter: TokenCounter = estimatedTokens,
): Chunk[] {
  const limits: Limits = { budgetOf: typeof budget === 'number' ? () => budget : budget, counter };
  const overlap = plan.overlapTokens ?? 0;
  switch (plan.strategy) {
    case 'paragraph':
      return paragraphs(text).flatMap((part) => cutPart(text, part, limits, { segment: sentencesOf }));
    case 'sentence':
      return cutPart(text, wholeText(text), limits, { segment: sentencesOf, overlap });
    case 'token':
      return cutPart(text, wholeText(text), limits, { segment: wholeOf, overlap });
    case 'markdown':
      return markdownBlocks(text).flatMap((block) => cutBlock(text, block, limits));
  }
}

const plainPart = (start: number, end: number): Part => ({ start, end, headingPath: NO_HEADINGS, ownHeadings: 0 });

const wholeText = (text: string): Part => plainPart(0, text.length);

function paragraphs(text: string): Part[] {
  const found: Part[] = [];
  let start = 0;
  for (const gap of text.matchAll(BLANK_LINES)) {
    found.push(plainPart(start, gap.index));
    start = gap.index + gap[0].length;
  }
  found.push(plainPart(start, text.length));
  return found;
}

/** Code and lists are cut between lines, and only when they fit no chunk even without the headings before them. */
function cutBlock(text: string, block: MarkdownBlock, limits: Limits): Chunk[] {
  if (block.type === 'prose') return cutPart(text, block, limits, { segment: sentencesOf });
  const cut: Cut = { segment: linesOf, keepsIndent: true };
  const { bodyStart, headingPath, ownHeadings } = block;
  const isTooLong =
    limits.counter.count(text.slice(block.start, block.end)) > limits.budgetOf(headingPath, ownHeadings);
  if (!isTooLong || ownHeadings === 0) return cutPart(text, block, limits, cut);
  return [
    ...cutPart(text, { ...block, end: bodyStart }, limits, { segment: sentencesOf }),
    ...cutPart(text, { ...block, start: bodyStart, ownHeadings: 0 }, limits, cut),
  ];
}

/** One chunk where the part fits, else several of them. */
function cutPart(text: string, part: Part, { budgetOf, counter }: Limits, cut: Cut): Chunk[] {
  const { start, end, headingPath, ownHeadings } = part;
  const chunkOf = (from: number, to: number, own: number): Chunk[] => {
    const range = visibleRange(text, from, to, cut.keepsIndent ?? false);
    if (!range) return [];
    const slice = text.slice(range.start, range.end);
    return [{ text: slice, ...range, tokens: counter.count(slice), headingPath, ownHeadings: own }];
  };
  const whole = chunkOf(start, end, ownHeadings);
  // What follows the first chunk has the headings above it no more.
  const budget = Math.min(budgetOf(headingPath, ownHeadings), budgetOf(headingPath, 0));
  if (whole.length === 0 || (whole[0] as Chunk).tokens <= budgetOf(headingPath, ownHeadings)) return whole;
  const spans = spansOf(text, part, budget, cut.segment, counter);
  const overlap = Math.min(cut.overlap ?? 0, Math.floor(budget * LARGEST_OVERLAP_SHARE));
  const groups = overlap > 0 ? packOverlapping(spans, budget, overlap) : pack(spans, budget);
  const chunks: Chunk[] = [];
  const tokensOf = (from: number, to: number): number => counter.count(text.slice(from, to));
  for (const { first, end: after } of groups.flatMap((group) => fitting(group, spans, budget, tokensOf))) {
    const last = chunks[chunks.length - 1];
    const [chunk] = chunkOf(spans[first]?.start ?? end, spans[after - 1]?.end ?? end, last ? 0 : ownHeadings);
    // Where windows differ by nothing that is seen, the longer one stands for both.
    if (!chunk || (last && chunk.end <= last.end)) continue;
    if (last && chunk.start <= last.start) chunks.pop();
    chunks.push(chunk);
  }
  return chunks;
}

/** The group itself where it fits: parts of a word, or of a line, may make more tokens together than each alone. */
function fitting(
  { first, end }: SpanGroup,
  spans: readonly Span[],
  budget: number,
  tokensOf: (start: number, end: number) => number,
): SpanGroup[] {
  const isOne = end - first < 2;
  if (isOne || tokensOf(spans[first]?.start ?? 0, spans[end - 1]?.end ?? 0) <= budget) return [{ first, end }];
  const middle = first + Math.ceil((end - first) / 2);
  const halves = [
    { first, end: middle },
    { first: middle, end },
  ];
  return halves.flatMap((half) => fitting(half, spans, budget, tokensOf));
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
  const leading = keepsIndent
    ? (LEADING_BLANK_LINES.exec(slice)?.[0].length ?? 0)
    : slice.length - slice.trimStart().length;
  return { start: start + leading, end: start + slice.trimEnd().length };
}
