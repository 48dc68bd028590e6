import { DomainError } from '../../../kernel/errors/domain-error';

/** Stored data cannot be trusted. Nothing is opened, so that nothing is lost that could still be saved. */
export class DamagedStorageError extends DomainError {
  constructor(file: string, detail: string, cause?: unknown) {
    super(
      'DATA_DAMAGED',
      `${file} is damaged: ${detail}. Nothing was changed. Restore the folder from a backup, or move it away and rebuild the vectors.`,
      { cause, details: { file } },
    );
  }
}

export class StorageInUseError extends DomainError {
  constructor(file: string, cause?: unknown) {
    super(
      'DATA_FOLDER_IN_USE',
      `${file} is in use by another process. Stop that process, or choose another data folder.`,
      {
        cause,
        details: { file },
      },
    );
  }
}

/** The folder cannot be made, read or written. */
export class UnusableFolderError extends DomainError {
  constructor(folder: string, cause: unknown) {
    super('CONFIGURATION', `The data folder ${folder} cannot be used: ${messageOf(cause)}`, {
      cause,
      details: { folder },
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isLocked = (error: unknown): boolean =>
  /database is locked|database table is locked/.test(messageOf(error));

/** Our statements are right, so a database that cannot run them is not the one that was written. */
export const isCorrupt = (error: unknown): boolean =>
  /malformed|not a database|disk I\/O error|file is encrypted|unsupported file format|SQL logic error|no such|already exists|syntax error/.test(
    messageOf(error),
  );

export { messageOf };
