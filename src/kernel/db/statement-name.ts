import { createHash } from 'node:crypto';

/** Each connection keeps every named statement until it closes. */
const MAX_NAMES = 500;

const names = new Map<string, string>();

/**
 * A name that makes `sql` a prepared statement, parsed once a connection. For statements that run often and whose best
 * plan does not depend on the values; the same text has the same name in every process.
 * @returns undefined, so unprepared, once very many texts have names
 */
export function statementName(sql: string): string | undefined {
  const known = names.get(sql);
  if (known !== undefined || names.size >= MAX_NAMES) return known;
  const name = `read_${createHash('sha256').update(sql).digest('hex').slice(0, 20)}`;
  names.set(sql, name);
  return name;
}
