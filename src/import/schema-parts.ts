import { z } from 'zod';

/** Text that must be there. */
export const requiredText = z
  .string()
  .trim()
  .refine((value) => value !== '', { error: 'must not be empty' });

/** Text that may be missing, null or blank, which all mean the same. */
export const optionalText = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || undefined);

/** One of the values that an attribute knows, in any case; the record's own check says which these are. */
export const optionalChoice = optionalText.transform((value) => value?.toLowerCase());

/** A whole number that may be missing or null. */
export const optionalCount = z
  .int()
  .nullish()
  .transform((value) => value ?? undefined);

/** A missing or null list is an empty one. Blank members are dropped. */
export const textList = z
  .array(z.string())
  .nullish()
  .transform((values) => (values ?? []).map((value) => value.trim()).filter((value) => value !== ''));

/** A list of objects that may be missing or null. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((values): z.output<Item>[] => values ?? []);
}

const ONGOING = /^(present|current|now|today|ongoing|to date)$/i;
const YEAR_FIRST = /^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2})(?:[T ].*)?)?)?$/;
const MONTH_FIRST = /^(\d{1,2})[/.](\d{4})$/;

/**
 * A date as files have them → ISO 8601 that may stop at the month or year, which the tables take.
 * Blank and "present" mean no date: that a position is held is said by the absence of its end.
 */
export const partialDate = z
  .string()
  .nullish()
  .transform((value, context) => {
    const text = value?.trim() ?? '';
    if (text === '' || ONGOING.test(text)) return undefined;
    const date = toPartialDate(text);
    if (date !== undefined) return date;
    context.addIssue({
      code: 'custom',
      message: `is ${JSON.stringify(text)}, not a date such as 2021, 2021-04 or 2021-04-30`,
    });
    return z.NEVER;
  });

function toPartialDate(text: string): string | undefined {
  const [, year, month, day] = YEAR_FIRST.exec(text) ?? [];
  if (year !== undefined) return isoParts(year, month, day);
  const [, onlyMonth, itsYear] = MONTH_FIRST.exec(text) ?? [];
  return itsYear === undefined ? undefined : isoParts(itsYear, onlyMonth, undefined);
}

function isoParts(year: string, month: string | undefined, day: string | undefined): string | undefined {
  if (month === undefined) return year;
  if (Number(month) < 1 || Number(month) > 12) return undefined;
  const upToMonth = `${year}-${month.padStart(2, '0')}`;
  if (day === undefined) return upToMonth;
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) >= 1 && Number(day) <= daysInMonth ? `${upToMonth}-${day.padStart(2, '0')}` : undefined;
}

const MAX_SHOWN_ISSUES = 3;

/** What is wrong with a record, in one line: `workExperiences[0].title is missing; it must be a string`. */
export function describeIssues(error: z.ZodError): string {
  const shown = error.issues
    .slice(0, MAX_SHOWN_ISSUES)
    .map((issue) => `${fieldName(issue.path)} ${describeIssue(issue)}`);
  const others = error.issues.length - shown.length;
  return shown.join(', ') + (others > 0 ? `, and ${others} more` : '');
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const [, expected, received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(issue.message) ?? [];
  if (expected === undefined) return issue.message;
  const article = /^[aeiou]/.test(expected) ? 'an' : 'a';
  return received === 'undefined'
    ? `is missing; it must be ${article} ${expected}`
    : `is of type ${received}; it must be ${article} ${expected}`;
}

function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the record';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}
