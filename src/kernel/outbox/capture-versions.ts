/** Whether any of these columns differs between the two versions of a row. */
export function changed(columns: readonly string[]): string {
  const list = (alias: string): string => columns.map((column) => `${alias}.${column}`).join(', ');
  return columns.length === 1
    ? `${list('fresh')} IS DISTINCT FROM ${list('stale')}`
    : `(${list('fresh')}) IS DISTINCT FROM (${list('stale')})`;
}

/**
 * Both versions of updated rows. A session plans these statements for as many rows as it has seen first, mostly one, and
 * would compare each of very many with each; a full join it can only carry out by hashing or sorting. It stays one as long
 * as nothing asked of it is false for a version that is not there: hence IS DISTINCT FROM, and `OFFSET 0` before any more.
 * An update of the id gives rows with one version.
 */
export const VERSIONS = `new_rows fresh FULL JOIN old_rows stale ON stale.id = fresh.id`;

export const versionsWhere = (condition: string, wanted: string): string =>
  [`(SELECT ${wanted} FROM ${VERSIONS}`, `        WHERE ${condition} OFFSET 0)`].join('\n');
