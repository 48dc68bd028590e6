import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../kernel/process/file-error';

/** What a running server writes into its data directory. */
export interface PostmasterFile {
  pid: number;
  /** `starting`, `ready`, `standby` or `stopping`. */
  status: string;
  /** The folder of its socket. */
  socketFolder: string;
  /** The whole file: a server that started anew has written another one. */
  text: string;
}

/** Beyond every system's largest process id, so no process can have it. */
const IMPOSSIBLE_PID = 2_147_483_646;

export function readPostmasterFile(clusterDir: string): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(clusterDir, 'postmaster.pid'), 'utf8');
  } catch {
    return undefined;
  }
  const lines = text.split('\n');
  return {
    pid: Number.parseInt(lines[0] ?? '', 10) || 0,
    socketFolder: (lines[4] ?? '').trim(),
    status: (lines[7] ?? '').trim(),
    text,
  };
}

/** Whether `pid` is a live PostgreSQL server on `clusterDir`, and not some program that was given a dead server's id. */
export function isServerOf(pid: number, clusterDir: string): boolean {
  if (pid <= 0 || !isAlive(pid)) return false;
  if (existsSync('/proc/self/cwd')) {
    // A server works inside its data directory.
    const place = statIfReadable(`/proc/${pid}/cwd`);
    const cluster = statIfReadable(clusterDir);
    return place !== undefined && cluster !== undefined && place.dev === cluster.dev && place.ino === cluster.ino;
  }
  const program = spawnSync('ps', ['-p', String(pid), '-o', 'comm='], { encoding: 'utf8' }).stdout;
  return path.basename(program.trim()) === 'postgres';
}

/**
 * Lets a server start although another program now has its dead predecessor's process id, which PostgreSQL takes for a
 * live server. Only the id is replaced: the rest names the shared memory by which it notices surviving backends.
 */
export function disownPid(clusterDir: string, stale: PostmasterFile): void {
  const rest = stale.text.split('\n').slice(1);
  writeFileSync(path.join(clusterDir, 'postmaster.pid'), [String(IMPOSSIBLE_PID), ...rest].join('\n'));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function statIfReadable(file: string): { dev: number; ino: number } | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}
