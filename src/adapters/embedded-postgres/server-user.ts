import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { DomainError } from '../../kernel/errors/domain-error';

export interface ServerUser {
  uid: number;
  gid: number;
}

/** Above what distributions hand out to people and services, below systemd's dynamic users. */
const FIRST_CANDIDATE = 54_318;
const CANDIDATES = 16;

/**
 * Who PostgreSQL runs as. It refuses to run as root, so root hands over to another user: the owner of an existing
 * cluster, else an id that no account on this machine has, so that nothing else can read the data.
 * @returns `undefined` when the server simply runs as the current user
 * @throws DomainError CONFIGURATION when root may not become anyone else
 */
export function serverUserFor(clusterDir: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const taken = new Set([...idsIn('/etc/passwd'), ...idsIn('/etc/group')]);
  for (let id = FIRST_CANDIDATE; id < FIRST_CANDIDATE + CANDIDATES; id += 1) {
    if (!taken.has(id) && canBecome({ uid: id, gid: id })) return { uid: id, gid: id };
  }
  // A container may map few ids; an account that exists is then the only choice.
  return accountForInitdb();
}

/**
 * `initdb` and the single-user mode insist on an account with a name, so as root they run as one that exists,
 * and the files are handed to the server's user afterwards.
 */
export function accountForInitdb(): ServerUser {
  const accounts = readTable('/etc/passwd')
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((account) => account.uid > 0)
    .sort((a, b) => Number(b.name === 'nobody') - Number(a.name === 'nobody'));
  const account = accounts.find((candidate) => canBecome(candidate));
  if (account === undefined) {
    throw new DomainError(
      'CONFIGURATION',
      'The embedded PostgreSQL does not run as root, and this root may not switch to another user. ' +
        'Run Kindred as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours.',
    );
  }
  return { uid: account.uid, gid: account.gid };
}

function canBecome(user: ServerUser): boolean {
  return spawnSync('/bin/sh', ['-c', ':'], { uid: user.uid, gid: user.gid, stdio: 'ignore' }).status === 0;
}

function idsIn(file: string): number[] {
  return readTable(file).map((fields) => Number(fields[2]));
}

function readTable(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(':') && !line.startsWith('#'))
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
