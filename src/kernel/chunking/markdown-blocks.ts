import type { Steps } from '../process/turns';

/** A block of a Markdown text, together with the headings right before it. */
export interface MarkdownBlock {
  type: 'prose' | 'code' | 'list' | 'table';
  /** Where its own headings begin, if it has any. */
  start: number;
  /** Where the block itself begins. */
  bodyStart: number;
  end: number;
  /** Headings that it stands under, the outermost first, without the document's title. */
  headingPath: readonly string[];
  /** How many of these, the innermost ones, are between `start` and `bodyStart`. */
  ownHeadings: number;
}

interface Line {
  start: number;
  /** Without the line break. */
  text: string;
  end: number;
}

interface Heading {
  level: number;
  text: string;
  start: number;
}

interface Fence {
  sign: string;
  length: number;
}

interface RawBlock extends Omit<MarkdownBlock, 'headingPath' | 'ownHeadings'> {
  headings: readonly Heading[];
}

const LINE_END = /\r\n|\n|\r/g;
const LINES_PER_STEP = 1000;
const BLANK = /^\s*$/;
const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;
const SIGNS_OF_RULE = /^ {0,3}(?:-[- \t]*|\*[* \t]*|_[_ \t]*)$/;
const SIGN = /[^ \t]/g;
const SHORTEST_RULE = 3;
const LIST_ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const INDENTED = /^(?: {4}|\t)/;
/** Below the head of a table; has a bar and a dash. */
const TABLE_DELIMITER = /^[-:| \t]*\|[-:| \t]*$/;
/** Goes on with a list after a blank line. */
const LIST_CONTINUATION = /^(?: {2}|\t)/;
/** A longer line is a paragraph, whatever it begins with. */
const LONGEST_HEADING = 500;

/**
 * The blocks of a Markdown text, in order: paragraphs (quotes and HTML count as such), lists and tables with the lines that
 * introduce them, and code, fenced or indented. Headings belong to the block that follows; a section without text is a
 * block of its headings alone. Rules (`---`) are in no block. A heading that begins the text and is the only one of its
 * level, above all others, is the document's title and in no path.
 */
export function* markdownBlocks(text: string): Steps<Iterable<MarkdownBlock>> {
  const reader = new BlockReader(text, yield* lineStartsOf(text));
  yield* reader.read();
  return withPaths(reader.blocks, titleOf(reader.headings, text));
}

function* withPaths(blocks: readonly RawBlock[], title: Heading | undefined): Generator<MarkdownBlock> {
  for (const { headings, ...block } of blocks) {
    const path = headings.filter((heading) => heading !== title);
    yield {
      ...block,
      headingPath: path.map((heading) => heading.text),
      ownHeadings: path.filter((heading) => heading.start >= block.start).length,
    };
  }
}

function titleOf(headings: readonly Heading[], text: string): Heading | undefined {
  const [first, ...others] = headings;
  if (!first || others.length === 0 || !BLANK.test(text.slice(0, first.start))) return undefined;
  return others.every((heading) => heading.level > first.level) ? first : undefined;
}

class BlockReader {
  readonly blocks: RawBlock[] = [];
  readonly headings: Heading[] = [];
  private at = 0;
  private stepAt = LINES_PER_STEP;
  private path: readonly Heading[] = [];
  /** Headings that no block has followed yet. */
  private pending: { start: number; end: number } | undefined;

  /** @param lineStarts and, after them, the end of the text */
  constructor(
    private readonly text: string,
    private readonly lineStarts: readonly number[],
  ) {}

  *read(): Steps<void> {
    while (this.at < this.lineCount) {
      yield* this.readBlock();
      if (this.isStep(this.at)) yield;
    }
    this.flushPending();
  }

  private get lineCount(): number {
    return this.lineStarts.length - 1;
  }

  /** Whether enough lines have been read since the last step. */
  private isStep(at: number): boolean {
    if (at < this.stepAt) return false;
    this.stepAt = at + LINES_PER_STEP;
    return true;
  }

  private *readBlock(): Steps<void> {
    const line = this.line();
    if (BLANK.test(line.text)) this.at += 1;
    else if (isFence(line.text)) yield* this.readFenced();
    else if (INDENTED.test(line.text)) yield* this.readIndented();
    else if (isAtxHeading(line.text)) this.readAtxHeading(line);
    else if (isRule(line.text)) this.at += 1;
    else if (LIST_ITEM.test(line.text)) yield* this.readList(this.at);
    else yield* this.readParagraph();
  }

  private line(index = this.at): Line {
    const start = this.lineStarts[index] ?? 0;
    const end = this.lineStarts[index + 1] ?? start;
    return { start, text: withoutBreak(this.text.slice(start, end)), end };
  }

  private readAtxHeading(line: Line): void {
    const [, signs = '', title = ''] = ATX_HEADING.exec(line.text) ?? [];
    this.at += 1;
    this.addHeading({ level: signs.length, text: plainTitle(title), start: line.start }, line.end);
  }

  private addHeading(heading: Heading, end: number): void {
    // A section that ends before it has any text is a block of its own.
    const last = this.path[this.path.length - 1];
    if (this.pending && last && heading.level <= last.level) this.flushPending();
    this.headings.push(heading);
    this.path = [...this.path.filter((above) => above.level < heading.level), heading];
    this.pending = { start: this.pending?.start ?? heading.start, end };
  }

  private flushPending(): void {
    if (!this.pending) return;
    const { start, end } = this.pending;
    this.pending = undefined;
    this.blocks.push({ type: 'prose', start, bodyStart: start, end, headings: this.path });
  }

  private addBlock(type: MarkdownBlock['type'], first: number, after: number): void {
    const bodyStart = this.line(first).start;
    const start = this.pending?.start ?? bodyStart;
    this.pending = undefined;
    this.blocks.push({ type, start, bodyStart, end: this.line(after - 1).end, headings: this.path });
    this.at = after;
  }

  private *readFenced(): Steps<void> {
    this.addBlock('code', this.at, yield* this.afterFence(this.at));
  }

  /** The line after a fenced block; one that is never closed reaches to the end. */
  private *afterFence(first: number): Steps<number> {
    const fence = fenceOf(this.line(first).text);
    let at = first + 1;
    for (; at < this.lineCount && !closes(this.line(at).text, fence); at++) if (this.isStep(at)) yield;
    return Math.min(at + 1, this.lineCount);
  }

  private *readIndented(): Steps<void> {
    let after = this.at + 1;
    for (let at = after; at < this.lineCount; at++) {
      if (this.isStep(at)) yield;
      const { text } = this.line(at);
      if (INDENTED.test(text) && !BLANK.test(text)) after = at + 1;
      else if (!BLANK.test(text)) break;
    }
    this.addBlock('code', this.at, after);
  }

  private *readList(first: number): Steps<void> {
    let after = this.at + 1;
    for (let at = after; at < this.lineCount;) {
      if (this.isStep(at)) yield;
      const { text } = this.line(at);
      const isAfterBlank = at > after;
      if (BLANK.test(text)) {
        at += 1;
        continue;
      }
      const isInside = LIST_ITEM.test(text) || LIST_CONTINUATION.test(text);
      const isOther = isAtxHeading(text) || isFence(text);
      if (!isInside && (isAfterBlank || isOther)) break;
      if (isRule(text)) break;
      at = isFence(text) ? yield* this.afterFence(at) : at + 1;
      after = at;
    }
    this.addBlock('list', first, after);
  }

  private *readParagraph(): Steps<void> {
    const first = this.at;
    let type: 'prose' | 'table' = 'prose';
    for (this.at += 1; this.at < this.lineCount; this.at++) {
      if (this.isStep(this.at)) yield;
      const { text, end } = this.line();
      const underline = SETEXT_UNDERLINE.exec(text)?.[1];
      const { start } = this.line(first);
      if (underline !== undefined && end - start <= LONGEST_HEADING) {
        const title = this.text.slice(start, this.lineStarts[this.at]);
        this.at += 1;
        this.addHeading({ level: underline.startsWith('=') ? 1 : 2, text: plainTitle(title), start }, end);
        return;
      }
      if (LIST_ITEM.test(text) && !isRule(text)) {
        yield* this.readList(first);
        return;
      }
      if (BLANK.test(text) || isAtxHeading(text) || isRule(text) || isFence(text)) break;
      if (TABLE_DELIMITER.test(text) && text.includes('-')) type = 'table';
    }
    this.addBlock(type, first, this.at);
  }
}

function* lineStartsOf(text: string): Steps<number[]> {
  const starts = [0];
  for (const { 0: lineEnd, index } of text.matchAll(LINE_END)) {
    starts.push(index + lineEnd.length);
    if (starts.length % LINES_PER_STEP === 0) yield;
  }
  if (starts[starts.length - 1] !== text.length) starts.push(text.length);
  return starts;
}

function withoutBreak(line: string): string {
  if (line.endsWith('\r\n')) return line.slice(0, -2);
  return line.endsWith('\n') || line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Of any length: no group of the expression is repeated. */
function isRule(line: string): boolean {
  if (!SIGNS_OF_RULE.test(line)) return false;
  let signs = 0;
  for (const found of line.matchAll(SIGN)) if ((signs += found.length) === SHORTEST_RULE) return true;
  return false;
}

const isAtxHeading = (line: string): boolean => line.length <= LONGEST_HEADING && ATX_HEADING.test(line);

const isFence = (line: string): boolean => FENCE.test(line);

function fenceOf(line: string): Fence {
  const signs = FENCE.exec(line)?.[1] ?? '';
  return { sign: signs.charAt(0), length: signs.length };
}

function closes(line: string, fence: Fence): boolean {
  const signs = line.trim();
  return signs.length >= fence.length && signs === fence.sign.repeat(signs.length);
}

/** A heading's text without the signs of emphasis, code and links. */
function plainTitle(title: string): string {
  return title
    .replace(/\s+/g, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|`)(.+?)\1/g, '$2')
    .replace(/(^|\s)[*_](\S(?:.*?\S)?)[*_](?=\s|$|[.,;:!?])/g, '$1$2')
    .replace(/ +/g, ' ')
    .trim();
}
