import { types } from 'node:util';
import { DomainError } from '../errors/domain-error';

const ELSEWHERE = 'choose another folder with KINDRED_DATA_DIR';

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
        `Cannot ${doing} at ${file}: permission denied for ${currentUser()}. Give that user the folder, or ${ELSEWHERE}.`,
        options,
      );
    case 'EROFS':
      return new DomainError('CONFIGURATION', `Cannot ${doing} at ${file}: it is read-only; ${ELSEWHERE}.`, options);
    case 'ENOTDIR':
    case 'EEXIST':
      return new DomainError(
        'CONFIGURATION',
        `Cannot ${doing} at ${file}: a file is in the way; ${ELSEWHERE}.`,
        options,
      );
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

/** Who is told about permissions. */
export function currentUser(): string {
  return process.getuid === undefined ? 'the current user' : `user id ${process.getuid()}`;
}
