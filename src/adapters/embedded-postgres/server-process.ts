import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { DomainError } from '../../kernel/errors/domain-error';
import { explainServerFailure } from './failures';
import { readPostmasterFile } from './postmaster-file';
import { clusterArgument, SERVER_ENVIRONMENT } from './server-place';
import type { ServerUser } from './server-user';

export interface ServerOptions {
  postgres: string;
  clusterDir: string;
  /** Holds the socket; removed when the server has ended, however it ended. */
  serverFolder: string;
  user: ServerUser | undefined;
  settings: Record<string, string>;
  log: (line: string) => void;
}

export interface ServerProcess {
  /** Resolves once the server and its watchdog are gone. */
  exited: Promise<void>;
  /** `fast` ends sessions and writes a checkpoint; `immediate` just ends, as a crash would. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
}

/**
 * The watchdog: a shell (1 MB, where a Node process would take 40 MB and 40 ms) that is the server's parent. Its standard
 * input is a pipe whose other end only we hold. Each line on it is a signal for the server; its end, by whatever death of
 * ours, means SIGINT, a fast shutdown. As the server's parent it cannot hit another program by a reused process id. It
 * leads a session of its own, so the terminal's ^C reaches neither it nor the server.
 */
const WATCHDOG = `
folder=$1; shift
trap : HUP INT TERM
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(
  trap '' HUP INT TERM
  while read -r signal; do kill -s "$signal" "$server"; done
  kill -s INT "$server"
) <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
while :; do
  wait "$server"; status=$?
  kill -s 0 "$server" 2>/dev/null || break
done
kill -s KILL "$watcher" 2>/dev/null
cd / && rm -rf -- "$folder"
exit "$status"
`;

const START_POLL_MS = 5;
const KEPT_LINES = 40;
/** A fast shutdown waits for a checkpoint; past this the write-ahead log will do the rest at the next start. */
const FAST_STOP_MS = 15_000;

/**
 * Starts the server and resolves when it accepts connections.
 * Takes as long as crash recovery takes: a server that is still starting is not an error.
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const before = readPostmasterFile(options.clusterDir)?.text;
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      WATCHDOG,
      'kindred-postgres',
      options.serverFolder,
      options.postgres,
      '-D',
      clusterArgument(options.clusterDir, options.user),
      ...settings,
    ],
    {
      cwd: options.clusterDir,
      env: SERVER_ENVIRONMENT,
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
      ...options.user,
    },
  );
  const lines = followOutput(child, options.log);
  let hasExited = false;
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      lines.push(error.message);
      hasExited = true;
      resolve();
    });
    child.once('exit', () => {
      hasExited = true;
      resolve();
    });
  });

  for (;;) {
    const file = readPostmasterFile(options.clusterDir);
    if (file !== undefined && file.text !== before && file.status === 'ready') break;
    if (hasExited) {
      // Its last words may still be in the pipe.
      await drained(child);
      throw explainServerFailure('start', options.clusterDir, lines);
    }
    await Promise.race([delay(START_POLL_MS), exited]);
  }
  // A program that forgets to stop the server may still end; its end stops the server.
  setReferenced(child, false);

  return {
    exited,
    stop: async (mode) => {
      if (hasExited) return;
      setReferenced(child, true);
      child.stdin?.write(mode === 'fast' ? 'INT\n' : 'QUIT\n');
      const impatience = new AbortController();
      const slow = delay(FAST_STOP_MS, 'slow' as const, { signal: impatience.signal }).catch(() => 'done' as const);
      const first = await Promise.race([slow, exited]);
      impatience.abort();
      if (first === 'slow') {
        options.log('the embedded PostgreSQL is slow to stop; ending it without a checkpoint');
        child.stdin?.write('QUIT\n');
        await exited;
      }
      child.stdin?.destroy();
    },
  };
}

function followOutput(child: ChildProcess, log: (line: string) => void): string[] {
  const kept: string[] = [];
  child.stdin?.on('error', () => undefined);
  if (child.stderr === null) throw new DomainError('INTERNAL', 'the server has no output');
  createInterface({ input: child.stderr }).on('line', (line) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
    log(line);
  });
  return kept;
}

async function drained(child: ChildProcess): Promise<void> {
  const { stderr } = child;
  if (stderr === null || stderr.readableEnded || stderr.destroyed) return;
  await Promise.race([new Promise((resolve) => stderr.once('close', resolve)), delay(500)]);
}

function setReferenced(child: ChildProcess, isReferenced: boolean): void {
  for (const part of [child, child.stdin, child.stderr] as { ref?(): void; unref?(): void }[]) {
    if (isReferenced) part.ref?.();
    else part.unref?.();
  }
}
