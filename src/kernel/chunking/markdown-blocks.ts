/** A block of a Markdown text, together with the headings right before it. */
export interface MarkdownBlock {
  type: 'prose' | 'code' | 'list';
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

const LINES = /([^\r\n]*)(?:\r\n|\n|\r|$)/gy;
const BLANK = /^\s*$/;
const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const SETEXT_UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const LIST_ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const INDENTED = /^(?: {4}|\t)/;
/** Goes on with a list after a blank line. */
const LIST_CONTINUATION = /^(?: {2}|\t)/;
/** A longer line is a paragraph, whatever it begins with. */
const LONGEST_HEADING = 500;

/**
 * The blocks of a Markdown text, in order: paragraphs (quotes, tables and HTML count as such), lists with the line that
 * introduces them, and code, fenced or indented. Headings belong to the block that follows; a section without text is a
 * block of its headings alone. Rules (`---`) are in no block. A heading that begins the text and is the only one of its
 * level, above all others, is the document's title and in no path.
 */
export function markdownBlocks(text: string): MarkdownBlock[] {
  const reader = new BlockReader(text);
  const title = titleOf(reader.headings, text);
  return reader.blocks.map(({ headings, ...block }) => {
    const path = headings.filter((heading) => heading !== title);
    return {
      ...block,
      headingPath: path.map((heading) => heading.text),
      ownHeadings: path.filter((heading) => heading.start >= block.start).length,
    };
  });
}

function titleOf(headings: readonly Heading[], text: string): Heading | undefined {
  const [first, ...others] = headings;
  if (!first || others.length === 0 || !BLANK.test(text.slice(0, first.start))) return undefined;
  return others.every((heading) => heading.level > first.level) ? first : undefined;
}

class BlockReader {
  readonly blocks: RawBlock[] = [];
  readonly headings: Heading[] = [];
  private readonly lines: readonly Line[];
  private at = 0;
  private path: readonly Heading[] = [];
  /** Headings that no block has followed yet. */
  private pending: { start: number; end: number } | undefined;

  constructor(text: string) {
    this.lines = linesWithPlaces(text);
    while (this.at < this.lines.length) this.readBlock();
    this.flushPending();
  }

  private readBlock(): void {
    const line = this.line();
    if (BLANK.test(line.text)) this.at += 1;
    else if (isFence(line.text)) this.readFenced();
    else if (INDENTED.test(line.text)) this.readIndented();
    else if (isAtxHeading(line.text)) this.readAtxHeading(line);
    else if (RULE.test(line.text)) this.at += 1;
    else if (LIST_ITEM.test(line.text)) this.readList(this.at);
    else this.readParagraph();
  }

  private line(index = this.at): Line {
    return this.lines[index] ?? { start: 0, text: '', end: 0 };
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

  private readFenced(): void {
    this.addBlock('code', this.at, this.afterFence(this.at));
  }

  /** The line after a fenced block; one that is never closed reaches to the end. */
  private afterFence(first: number): number {
    const fence = fenceOf(this.line(first).text);
    let at = first + 1;
    while (at < this.lines.length && !closes(this.line(at).text, fence)) at += 1;
    return Math.min(at + 1, this.lines.length);
  }

  private readIndented(): void {
    let after = this.at + 1;
    for (let at = after; at < this.lines.length; at++) {
      const { text } = this.line(at);
      if (INDENTED.test(text) && !BLANK.test(text)) after = at + 1;
      else if (!BLANK.test(text)) break;
    }
    this.addBlock('code', this.at, after);
  }

  private readList(first: number): void {
    let after = this.at + 1;
    for (let at = after; at < this.lines.length;) {
      const { text } = this.line(at);
      const isAfterBlank = at > after;
      if (BLANK.test(text)) {
        at += 1;
        continue;
      }
      const isInside = LIST_ITEM.test(text) || LIST_CONTINUATION.test(text);
      const isOther = isAtxHeading(text) || isFence(text);
      if (!isInside && (isAfterBlank || isOther)) break;
      if (RULE.test(text)) break;
      at = isFence(text) ? this.afterFence(at) : at + 1;
      after = at;
    }
    this.addBlock('list', first, after);
  }

  private readParagraph(): void {
    const first = this.at;
    for (this.at += 1; this.at < this.lines.length; this.at++) {
      const { text, end } = this.line();
      const underline = SETEXT_UNDERLINE.exec(text)?.[1];
      const { start } = this.line(first);
      if (underline !== undefined && end - start <= LONGEST_HEADING) {
        const title = this.lines.slice(first, this.at).map((line) => line.text.trim());
        this.at += 1;
        this.addHeading({ level: underline.startsWith('=') ? 1 : 2, text: plainTitle(title.join(' ')), start }, end);
        return;
      }
      if (LIST_ITEM.test(text) && !RULE.test(text)) {
        this.readList(first);
        return;
      }
      if (BLANK.test(text) || isAtxHeading(text) || RULE.test(text) || isFence(text)) break;
    }
    this.addBlock('prose', first, this.at);
  }
}

function linesWithPlaces(text: string): Line[] {
  const lines: Line[] = [];
  for (const match of text.matchAll(LINES)) {
    if (match.index === text.length) break;
    const content = match[1] ?? '';
    lines.push({ start: match.index, text: content, end: match.index + content.length });
  }
  return lines;
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
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|`)(.+?)\1/g, '$2')
    .replace(/(^|\s)[*_](\S(?:.*?\S)?)[*_](?=\s|$|[.,;:!?])/g, '$1$2')
    .replace(/\s+/g, ' ')
    .trim();
}
