import { types } from 'node:util';
import { DomainError } from '../../kernel/errors/domain-error';

const ELSEWHERE = 'choose another folder with KINDRED_DATA_DIR, or set DATABASE_URL to a PostgreSQL server of yours';

/** Turns what the file system refused into what the reader can do about it. Errors that already say so pass through. */
export function explainFileError(error: unknown, doing: string, file: string): Error {
  if (error instanceof DomainError) return error;
  const code = systemCode(error);
  const options = { cause: error };
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new DomainError(
        'CONFIGURATION',
        `Cannot ${doing} at ${file}: permission denied for ${currentUser()}. Give that user the folder, ${ELSEWHERE}.`,
        options,
      );
    case 'EROFS':
      return new DomainError('CONFIGURATION', `Cannot ${doing} at ${file}: it is read-only; ${ELSEWHERE}.`, options);
    case 'ENOTDIR':
    case 'EEXIST':
      return new DomainError('CONFIGURATION', `Cannot ${doing} at ${file}: a file is in the way; ${ELSEWHERE}.`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new DomainError('DATABASE_UNAVAILABLE', `Cannot ${doing} at ${file}: the disk is full.`, {
        ...options,
        retryable: true,
      });
    default:
      return types.isNativeError(error) ? error : new Error(`Cannot ${doing} at ${file}`, options);
  }
}

/** `ENOENT`, `EPERM` and the like, when `error` is the system's. */
export function systemCode(error: unknown): unknown {
  return types.isNativeError(error) && 'code' in error ? error.code : undefined;
}

/** Says why the server (or `initdb`) gave up, from the last lines that it wrote. */
export function explainServerFailure(doing: string, clusterDir: string, output: readonly string[]): DomainError {
  const text = output.join('\n');
  if (/No space left on device|Disk quota exceeded/i.test(text)) {
    return new DomainError(
      'DATABASE_UNAVAILABLE',
      `The embedded PostgreSQL could not ${doing}: the disk that holds ${clusterDir} (or shared memory) is full.`,
      { retryable: true, details: { output: output.slice(-5) } },
    );
  }
  if (/could not look up effective user ID/i.test(text)) {
    return new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL could not ${doing}: ${currentUser()} has no account in /etc/passwd, which it insists on. ` +
        'Run as a user that has one, or set DATABASE_URL to a PostgreSQL server of yours.',
    );
  }
  if (/Permission denied|invalid permissions|wrong ownership/i.test(text)) {
    return new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL could not ${doing}: permission denied in ${clusterDir} (${lastWord(output)}). ` +
        `Give the folder to the user that runs Kindred, ${ELSEWHERE}.`,
    );
  }
  return new DomainError('DATABASE_UNAVAILABLE', `The embedded PostgreSQL could not ${doing}: ${lastWord(output)}`, {
    details: { output: output.slice(-10) },
  });
}

function lastWord(output: readonly string[]): string {
  const telling = output.filter((line) => /FATAL|PANIC|error|could not|cannot/i.test(line));
  return telling.at(-1) ?? output.at(-1) ?? 'it ended without a word';
}

function currentUser(): string {
  return process.getuid === undefined ? 'the current user' : `user id ${process.getuid()}`;
}
