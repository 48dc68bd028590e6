/** Characters that V8 shows before the place where JSON breaks. */
const CONTEXT_LENGTH = 10;

export interface JsonProblem {
  /** One line, without the text itself. */
  reason: string;
  /** 1 is the first line of the text; where the JSON breaks, or 1 where that cannot be told. */
  line: number;
}

/** What JSON.parse says about `text`, made short, and the line it speaks of. */
export function describeJsonProblem(error: unknown, text: string): JsonProblem {
  const message = (error as Error).message;
  const [, isInside, context] = /, (\.\.\.)?"([\s\S]*)" is not valid JSON$/.exec(message) ?? [];
  const reason = message
    .replace(/,? (\.\.\.)?"[\s\S]*" is not valid JSON$/, '')
    .replace(/ in JSON at position \d+.*$/, '');
  const position = positionOf(message, text, isInside === undefined ? undefined : context?.replace(/\.\.\.$/, ''));
  return { reason, line: text.slice(0, position).split('\n').length };
}

function positionOf(message: string, text: string, context: string | undefined): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  if (/end of JSON/.test(message)) return text.trimEnd().length;
  // Node 20 shows the surroundings in place of the position.
  const found = context === undefined ? -1 : text.indexOf(context);
  return found === -1 ? 0 : found + CONTEXT_LENGTH;
}
