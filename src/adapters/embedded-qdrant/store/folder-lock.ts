import { DatabaseSync } from '@photostructure/sqlite';
import { isLocked, StorageInUseError } from './storage-error';

/**
 * Keeps a data folder to one process, for as long as that process lives and not a moment longer.
 * The lock is SQLite's own, on an empty database of its own beside the data: Node has no file locks, and a lock on the
 * data itself would outlive `close` until every prepared statement has been garbage collected.
 */
export class FolderLock {
  private readonly database: InstanceType<typeof DatabaseSync>;

  /**
   * @param folder named in the message
   * @throws StorageInUseError
   */
  constructor(file: string, folder: string) {
    this.database = new DatabaseSync(file, { timeout: 0 });
    try {
      this.database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      this.database.close();
      throw isLocked(error) ? new StorageInUseError(folder, error) : error;
    }
  }

  release(): void {
    this.database.exec('ROLLBACK');
    this.database.close();
  }
}
