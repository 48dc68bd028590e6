import { chownSync, mkdtempSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DomainError } from '../../kernel/errors/domain-error';
import { isReachableByOthers } from './cache-folder';
import type { ServerUser } from './server-user';

export const SERVER_PORT = 5432;

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Of the type of file system that `statfs` reports. */
const TMPFS = 0x01021994;
const MEMORY_FOLDER = '/dev/shm';
/** A container's is often 64 MB, one cluster takes 50, and each run may start several. */
const LEAST_MEMORY_BYTES = 2 * 1024 ** 3;

/**
 * Makes a folder of random name and mode 0700 for the server's socket, short enough for a socket's path.
 * @param user who owns it, when that is not the current user
 * @param isForCluster whether it will hold a throwaway cluster too; then it lies in memory where there is enough
 */
export function makeServerFolder(user: ServerUser | undefined, isForCluster = false): string {
  const bases = [os.tmpdir(), '/tmp', '/var/tmp'];
  // A cluster has 1,500 files: copying them took 100 ms there and 800 ms on ext4.
  if (isForCluster && isSpaciousMemory(MEMORY_FOLDER)) bases.unshift(MEMORY_FOLDER);
  const name = 'kindred-XXXXXX';
  for (const base of bases) {
    const socket = path.join(base, name, `.s.PGSQL.${SERVER_PORT}.lock`);
    if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) continue;
    try {
      if (user !== undefined && !isReachableByOthers(base)) continue;
      const folder = mkdtempSync(path.join(base, 'kindred-'));
      if (user !== undefined) chownSync(folder, user.uid, user.gid);
      return folder;
    } catch {
      // Absent or not writable: the next one.
    }
  }
  throw new DomainError(
    'CONFIGURATION',
    `No temporary folder can hold the embedded PostgreSQL's socket; tried ${bases.join(', ')}. Make one of them ` +
      'writable, or set DATABASE_URL to a PostgreSQL server of yours.',
  );
}

/** Removes the socket's folder of a server that is gone and whose watchdog was killed with it; nothing else is touched. */
export function removeServerFolder(folder: string): void {
  if (!/^kindred-\w{6}$/.test(path.basename(folder))) return;
  try {
    for (const suffix of ['', '.lock']) rmSync(path.join(folder, `.s.PGSQL.${SERVER_PORT}${suffix}`), { force: true });
    rmdirSync(folder);
  } catch {
    // It is gone, or no longer ours.
  }
}

function isSpaciousMemory(folder: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(folder);
    return type === TMPFS && bavail * bsize >= LEAST_MEMORY_BYTES;
  } catch {
    return false;
  }
}

/**
 * How a program of the server's user is told where the cluster is.
 * On Linux a process that starts inside a folder reaches it through `/proc/self/cwd` even if that user cannot walk the
 * folders above, so a checkout under a closed `/root` works without opening anything.
 * @returns the value for `-D`, to be used with the cluster as working directory
 */
export function clusterArgument(clusterDir: string, user: ServerUser | undefined): string {
  if (user === undefined) return clusterDir;
  if (process.platform === 'linux') return '/proc/self/cwd';
  if (isReachableByOthers(path.dirname(clusterDir))) return clusterDir;
  throw new DomainError(
    'CONFIGURATION',
    `The embedded PostgreSQL does not run as root, and user id ${user.uid} cannot reach ${clusterDir}. Run Kindred as an ` +
      'ordinary user, choose another folder with KINDRED_DATA_DIR, or set DATABASE_URL.',
  );
}

/** What the server's programs see of the environment: nothing of ours, so no key or password. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
