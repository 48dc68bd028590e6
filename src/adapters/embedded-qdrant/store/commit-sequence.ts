import fs from 'node:fs';
import { DamagedStorageError } from './storage-error';

/**
 * A counter beside the database that follows every commit. SQLite takes a damaged write-ahead log for one that was cut
 * short and silently drops its tail; a database that is behind this counter has lost commits that were acknowledged.
 * Written after the commit and not synced: it survives a killed process, and after a power loss it can only be behind.
 */
export class CommitSequence {
  private readonly descriptor: number;
  private readonly buffer = Buffer.alloc(21);

  constructor(
    private readonly file: string,
    private readonly database: string,
  ) {
    this.descriptor = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  }

  /** @throws DamagedStorageError when the database is behind */
  verify(stored: number): void {
    const text = fs.readFileSync(this.file, 'utf8').trim();
    const seen = text === '' ? 0 : Number(text);
    if (!Number.isSafeInteger(seen))
      throw new DamagedStorageError(this.file, `it holds ${JSON.stringify(text)}, not a count`);
    if (stored < seen) {
      throw new DamagedStorageError(
        this.database,
        `its last commit is number ${stored}, but ${seen} were acknowledged, so its write-ahead log was damaged or removed ` +
          `(if you restored an older copy on purpose, delete ${this.file})`,
      );
    }
  }

  write(sequence: number): void {
    this.buffer.write(`${String(sequence).padStart(20, '0')}\n`, 'latin1');
    fs.writeSync(this.descriptor, this.buffer, 0, this.buffer.length, 0);
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}
