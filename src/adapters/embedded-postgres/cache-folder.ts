import { chmodSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DomainError } from '../../kernel/errors/domain-error';

/**
 * A folder for what can be made again: the server's binaries and the template of throwaway clusters.
 * As root it must be one that another user can reach, since the server is not root.
 * @param preferred the configured cache folder; the first usable of it, the user's and the temporary folder is taken
 */
export function cacheFolder(preferred?: string): string {
  const uid = process.getuid?.() ?? 0;
  const isRoot = uid === 0;
  const candidates = [
    ...(preferred === undefined ? [] : [path.resolve(preferred)]),
    isRoot ? '/var/cache/kindred' : path.join(os.homedir(), '.cache', 'kindred'),
    path.join(os.tmpdir(), `kindred-cache-${uid}`),
    `/tmp/kindred-cache-${uid}`,
  ];
  for (const candidate of candidates) {
    const folder = path.join(candidate, 'postgres');
    try {
      const isNew = !existsSync(candidate);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!isOurs(folder) || !isOurs(candidate)) continue;
      chmodSync(folder, isRoot ? 0o755 : 0o700);
      if (isRoot && isNew) chmodSync(candidate, 0o755);
      if (!isRoot || isReachableByOthers(folder)) return folder;
    } catch {
      // Not this one: read-only, somebody else's, or a file is in the way.
    }
  }
  throw new DomainError(
    'CONFIGURATION',
    `No folder can hold the embedded PostgreSQL's binaries; tried ${candidates.join(', ')}. ` +
      'Make one of them writable, or set DATABASE_URL to a PostgreSQL server of yours.',
  );
}

/** Whether a user that is neither the owner nor in the group can walk into `folder`. */
export function isReachableByOthers(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** A real folder of ours that not everybody may write to, so that nobody can have planted a program there. */
function isOurs(folder: string): boolean {
  const stat = lstatSync(folder);
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o002) === 0;
}
