import { chownSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DomainError } from '../../kernel/errors/domain-error';
import { isReachableByOthers } from './cache-folder';
import type { ServerUser } from './server-user';

export const SERVER_PORT = 5432;

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Makes a folder of random name and mode 0700 for the server's socket, short enough for a socket's path.
 * @param user who owns it, when that is not the current user
 */
export function makeServerFolder(user: ServerUser | undefined): string {
  const bases = [os.tmpdir(), '/tmp', '/var/tmp'];
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
