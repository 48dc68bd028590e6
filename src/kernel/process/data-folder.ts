import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '../errors/domain-error';
import { explainFileError } from './file-error';
import type { AcquireFileLock } from './file-lock';
import { readRuntimeFile, removeRuntimeFile, writeRuntimeFile, type Runtime } from './runtime-file';

export interface DataFolderClaim {
  dataDir: string;
  /** Tells other commands on this folder which services they can attach to; replaces what was told before. */
  publish(runtime: Runtime): void;
  /** Gives the folder back and withdraws what was published; may be called again. */
  release(): void;
}

/** `readRuntime` holds the lock for a moment when it probes it, so one refusal is not yet a verdict. */
const ATTEMPTS = 5;
const ATTEMPT_PAUSE_MS = 60;

const lockOf = (dataDir: string): string => path.join(dataDir, 'claim.lock');

/**
 * Makes this process the only one that runs services on `dataDir`, which is made when absent (mode 0700). The claim ends
 * with the process, whatever ends it.
 * @throws DomainError DATA_FOLDER_IN_USE names the process and the URL of the instance that has it;
 * CONFIGURATION the folder cannot be made or written
 */
export async function claimDataFolder(dataDir: string, acquireLock: AcquireFileLock): Promise<DataFolderClaim> {
  const folder = path.resolve(dataDir);
  const lock = await acquire(folder, acquireLock);
  // Whoever wrote this has ended without taking it back.
  removeRuntimeFile(folder);
  let isHeld = true;
  return {
    dataDir: folder,
    publish: (runtime) => {
      if (isHeld) writeRuntimeFile(folder, runtime);
    },
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      removeRuntimeFile(folder);
      lock.release();
    },
  };
}

/**
 * The services of the instance that runs on `dataDir` now.
 * @returns `undefined` when none runs, when what is written there was left by a dead one, or when it is still starting
 */
export function readRuntime(dataDir: string, acquireLock: AcquireFileLock): Runtime | undefined {
  const folder = path.resolve(dataDir);
  const runtime = readRuntimeFile(folder);
  if (runtime === undefined) return undefined;
  const lock = tryLock(folder, acquireLock);
  lock?.release();
  return lock === undefined ? runtime : undefined;
}

async function acquire(folder: string, acquireLock: AcquireFileLock): Promise<{ release(): void }> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw explainFileError(error, 'create the data folder', folder);
  }
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const lock = tryLock(folder, acquireLock);
    if (lock !== undefined) return lock;
    await delay(ATTEMPT_PAUSE_MS);
  }
  const holder = readRuntimeFile(folder);
  const who =
    holder === undefined
      ? 'another Kindred process that is just starting'
      : `Kindred with process id ${holder.pid}${holder.url === undefined ? '' : ` at ${holder.url}`}`;
  throw new DomainError(
    'DATA_FOLDER_IN_USE',
    `The data folder ${folder} is in use by ${who}. Stop it first, or choose another folder with KINDRED_DATA_DIR.`,
    { details: { dataDir: folder, ...(holder === undefined ? {} : { pid: holder.pid, url: holder.url }) } },
  );
}

function tryLock(folder: string, acquireLock: AcquireFileLock): { release(): void } | undefined {
  try {
    return acquireLock(lockOf(folder));
  } catch (error) {
    throw explainFileError(error, 'lock the data folder', folder);
  }
}
