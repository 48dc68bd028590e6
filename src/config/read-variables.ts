import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { DomainError } from '../kernel/errors/domain-error';
import type { Variable, VariableName, VariableValues } from './variables';
import { variables } from './variables';

/** Values by name, none of them empty. */
export type Given = Record<string, string | undefined>;

/** @throws CONFIGURATION when the file is there and cannot be read */
export function readDotEnv(file: string | undefined): Given {
  if (file === undefined || !existsSync(file)) return {};
  try {
    return withoutEmpty(parseEnv(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new DomainError('CONFIGURATION', `${path.resolve(file)} cannot be read: ${(error as Error).message}`);
  }
}

export function withoutEmpty(env: NodeJS.ProcessEnv | NodeJS.Dict<string>): Given {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      const trimmed = value?.trim() ?? '';
      return trimmed === '' ? [] : [[name, trimmed]];
    }),
  );
}

/** @returns `undefined` when any is wrong; `problems` gets one sentence for each */
export function readVariables(given: Given, problems: string[]): VariableValues | undefined {
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const [name, variable] of Object.entries(variables) as [VariableName, Variable][]) {
    const result = variable.schema.safeParse(given[name]);
    if (result.success) values[name] = result.data;
    else problems.push(describeProblem(name, given[name] ?? '', variable));
  }
  return problems.length === 0 ? (values as VariableValues) : undefined;
}

function describeProblem(name: string, value: string, { expected, isSecret }: Variable): string {
  if (isSecret)
    return `${name} has a value (${value.length} characters, not shown) that does not fit; it must be ${expected}`;
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return `${name} is ${JSON.stringify(shown)}; it must be ${expected}`;
}

/** Read by the example client, not by the server. */
const CLIENT_VARIABLES = ['KINDRED_API_KEY', 'KINDRED_URL'];

/** A misspelt name would otherwise be a setting that quietly does nothing. */
export function unknownNames(given: Given): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith('KINDRED_') && !(name in variables) && !CLIENT_VARIABLES.includes(name))
    .map((name) => `${name} is set but is no setting of Kindred; .env.example lists all of them`);
}
