import { types } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import type { AcquireFileLock, FileLock } from '../../kernel/process/file-lock';

/** SQLite's primary code for a database that another connection has locked. */
const SQLITE_BUSY = 5;

/** A collected connection would drop its lock, so every one held is reachable from here. */
const held = new Set<InstanceType<typeof DatabaseSync>>();

/**
 * An exclusive lock through SQLite: `BEGIN EXCLUSIVE` on a file that stays empty holds the operating system's own
 * advisory locks (fcntl), which Node does not offer. Paths of any length, seen from other containers on the same volume,
 * gone with the process. Nobody may open the file by other means: closing any descriptor of it in this process would
 * drop the lock.
 * @throws the file system's error when the file cannot be made
 */
export const acquireFileLock: AcquireFileLock = (file): FileLock | undefined => {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Without a journal file beside the lock: nothing is ever written.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
};

function isBusy(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const code = 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? (code & 0xff) === SQLITE_BUSY : error.message.includes('database is locked');
}
