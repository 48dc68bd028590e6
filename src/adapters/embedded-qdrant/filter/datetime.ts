const DATETIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * Microseconds since 1970 of an RFC 3339 date-time, a date-time without a zone (UTC), without seconds, with a space for
 * the `T`, or a bare date. `undefined` for anything else.
 */
export function parseDatetime(text: string): number | undefined {
  const match = DATETIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const milliseconds = new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
  const date = new Date(milliseconds - ((hour * 60 + minute) * 60 + second) * 1000);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const micros = Number((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return (milliseconds - offsetMinutes(match[8]) * 60_000) * 1000 + micros;
}

function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return zone.startsWith('-') ? -minutes : minutes;
}
