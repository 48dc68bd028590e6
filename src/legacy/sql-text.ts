import { escapeIdentifier, escapeLiteral } from 'pg';

/** A name or several, dot between them, so that any spelling is safe in a statement. */
export function quoted(...names: readonly string[]): string {
  return names.map((name) => escapeIdentifier(name)).join('.');
}

export function literal(text: string): string {
  return escapeLiteral(text);
}

/** `CASE subject WHEN key THEN value … ELSE otherwise END` over SQL expressions. */
export function caseOf(subject: string, branches: readonly (readonly [string, string])[], otherwise = 'NULL'): string {
  if (branches.length === 0) return otherwise;
  const whens = branches.map(([key, value]) => `WHEN ${key} THEN ${value}`).join(' ');
  return `CASE ${subject} ${whens} ELSE ${otherwise} END`;
}
