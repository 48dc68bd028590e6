import type { FormattedExecutionResult } from 'graphql';

/** The data of an operation that must have succeeded. */
export function dataOf<T>(result: FormattedExecutionResult<T>): T {
  if (result.errors) throw new Error(`The operation failed: ${JSON.stringify(result.errors)}`);
  if (!result.data) throw new Error('The operation answered no data');
  return result.data;
}

export interface Refusal {
  code: unknown;
  message: string;
  /** Path of the input at fault. */
  field: unknown;
  extensions: Record<string, unknown>;
}

/** The one error of an operation that must have been refused. */
export function refusalOf(result: FormattedExecutionResult<unknown>): Refusal {
  const [error, ...others] = result.errors ?? [];
  if (!error || others.length > 0) throw new Error(`Not exactly one error: ${JSON.stringify(result)}`);
  const extensions = error.extensions ?? {};
  return { code: extensions.code, message: error.message, field: extensions.field, extensions };
}
