import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_DAYS = 36_500;

/** Reads a time such as `90s`, `30m`, `12h` or `30d` for an option. @returns milliseconds */
export function duration(value: string): number {
  const [, number, unit = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? NaN);
  if (!(ms <= LONGEST_DAYS * 86_400_000)) throw new InvalidArgumentError('A number with s, m, h or d, e.g. 30d.');
  return ms;
}
