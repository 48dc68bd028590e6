import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** In a second; the same on every Linux. */
const TICKS = 100;

/** Seconds that a process has run, and its children that have ended; 0 when it is gone. */
function ranFor(pid: string): number {
  try {
    const own = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may have spaces: the 16th and 17th fields are those of the children.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return own + (Number(fields[13]) + Number(fields[14])) / TICKS;
  } catch {
    return 0;
  }
}

function worksIn(pid: string, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
  } catch {
    return false;
  }
}

/**
 * Seconds of processor time that the processes with their working directory below `folder` have used, which is how a
 * PostgreSQL server runs; 0 where there is no /proc.
 */
function processSeconds(folder: string): number {
  if (!existsSync('/proc/self/schedstat')) return 0;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && worksIn(name, folder));
  return pids.reduce((sum, pid) => sum + ranFor(pid), 0);
}

/** What a piece of work took. */
export interface Effort {
  seconds: number;
  /** Processor seconds of this process, its threads included. */
  nodeCpu: number;
  /** Processor seconds of the database server. */
  databaseCpu: number;
}

/** @param databaseFolder where the database server works */
export async function effortOf(databaseFolder: string, work: () => Promise<void>): Promise<Effort> {
  const [node, database, startedAt] = [process.cpuUsage(), processSeconds(databaseFolder), performance.now()];
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(node);
  return { seconds, nodeCpu: (user + system) / 1e6, databaseCpu: processSeconds(databaseFolder) - database };
}
