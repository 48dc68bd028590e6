/** An exclusive claim on one file, held until `release` or until the process ends by any means. */
export interface FileLock {
  release(): void;
}

/**
 * Claims `file` for this process, creating it when absent. The claim belongs to the operating system: it ends with the
 * process even under SIGKILL, and no process id is stored, so a reused id cannot keep it alive.
 * @returns `undefined` when another holder, in this process or elsewhere, has it
 */
export type AcquireFileLock = (file: string) => FileLock | undefined;
