import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { Reject } from './import-records';

/**
 * Keeps what could not be imported: one JSON object a line with file, line, reason and raw, to be repaired and imported
 * again. The file is made at the first reject, in place of an earlier one; without rejects none is made.
 */
export class RejectsFile {
  private handle: Promise<FileHandle> | undefined;
  private written = 0;

  constructor(readonly file: string) {}

  get count(): number {
    return this.written;
  }

  /** Resolves when it is written. Rejects must be added one after the other. */
  async add(reject: Reject): Promise<void> {
    this.handle ??= this.open();
    const handle = await this.handle;
    await handle.appendFile(`${JSON.stringify(reject)}\n`);
    this.written++;
  }

  /** May be called again. */
  async close(): Promise<void> {
    const handle = await this.handle;
    this.handle = undefined;
    await handle?.close();
  }

  private async open(): Promise<FileHandle> {
    await mkdir(path.dirname(path.resolve(this.file)), { recursive: true });
    return open(this.file, 'w');
  }
}
