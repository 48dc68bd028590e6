import { DomainError } from '../errors/domain-error';

export interface PageInput {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

export interface Page {
  size: number;
  isBackward: boolean;
  cursor?: string;
  /** The argument that the cursor came in. */
  cursorField: 'after' | 'before';
}

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 200;

function checkSize(name: string, value: number, max: number): void {
  if (value < 0 || value > max) {
    throw new DomainError('BAD_INPUT', `${name}: ${value} is outside 0 to ${max}.`, { details: { field: name, max } });
  }
}

/** Checks the four paging arguments of a connection. */
export function readPage(input: PageInput, defaultSize = DEFAULT_PAGE_SIZE, max = MAX_PAGE_SIZE): Page {
  const { first, after, last, before } = input;
  if (first != null) checkSize('first', first, max);
  if (last != null) checkSize('last', last, max);
  if (first != null && last != null) {
    throw new DomainError('BAD_INPUT', 'Give either `first` or `last`, not both.', { details: { field: 'last' } });
  }
  if (after != null && before != null) {
    throw new DomainError('BAD_INPUT', 'Give either `after` or `before`, not both.', { details: { field: 'before' } });
  }
  const isBackward = last != null || before != null;
  if (isBackward && (first != null || after != null)) {
    throw new DomainError('BAD_INPUT', '`first` goes with `after`, and `last` with `before`.', {
      details: { field: 'first' },
    });
  }
  const cursorField = isBackward ? 'before' : 'after';
  return { size: first ?? last ?? defaultSize, isBackward, cursor: input[cursorField] ?? undefined, cursorField };
}

/** An opaque cursor: what it points at, signed with the list that issued it. */
export function encodeCursor(list: string, position: unknown): string {
  return Buffer.from(JSON.stringify([list, position])).toString('base64url');
}

/**
 * What a cursor points at.
 * @param read checks a position and gives it its type; `undefined` for what `list` cannot have issued
 * @throws INVALID_CURSOR when the cursor is not one that `list` issued
 */
export function decodeCursor<T>(
  list: string,
  cursor: string,
  read: (position: unknown) => T | undefined,
  field: Page['cursorField'] = 'after',
): T {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    decoded = undefined;
  }
  const isForeign = Array.isArray(decoded) && decoded.length === 2 && decoded[0] !== list;
  const position = Array.isArray(decoded) && !isForeign ? read(decoded[1]) : undefined;
  if (position !== undefined) return position;
  const why = isForeign ? 'it belongs to another list or another order' : 'it is malformed';
  throw new DomainError('INVALID_CURSOR', `The cursor cannot be used here: ${why}. Use a cursor of this list.`, {
    details: { field },
  });
}

const LARGEST_INTEGER = 2_147_483_647;

/** A position that is a key, an index or a depth. */
export function readInteger(position: unknown): number | undefined {
  const isOne = typeof position === 'number' && Number.isInteger(position);
  return isOne && position >= 0 && position <= LARGEST_INTEGER ? position : undefined;
}
