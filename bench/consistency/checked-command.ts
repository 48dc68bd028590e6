import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import type { ConsistencyFindings, RepairPlan } from '../../src/kernel/consistency/consistency-report';
import { familySeconds, privateBytes, processorSeconds } from '../relay/processes';

const CLI = path.resolve(__dirname, '..', '..', 'dist', 'cli.js');
const SAMPLE_MS = 100;
/** Of the program's own garbage-collected memory, MiB: it ends when it needs more. */
export const HEAP_LIMIT = 96;
export const DIMENSIONS = 8;

export interface StoreUrls {
  databaseUrl: string;
  qdrantUrl: string;
}

/** Process ids of the two servers. */
export interface ServerPids {
  postgres: number;
  qdrant: number;
}

export interface CommandFigures {
  findings: ConsistencyFindings & { plan?: RepairPlan[]; queued?: number };
  seconds: number;
  /** Processor seconds of the program and of both servers. */
  processorSeconds: number;
  /** The most resident memory of the program, in bytes. */
  program: number;
  /** The most that one of its PostgreSQL sessions had for itself, in bytes. */
  session: number;
  /** What PostgreSQL put into temporary files meanwhile, in bytes. */
  temporary: number;
}

/** `kindred consistency …` as somebody would run it, but with little memory; and what it needed. */
export async function runConsistency(urls: StoreUrls, pids: ServerPids, command: string): Promise<CommandFigures> {
  const watcher = new Client({ connectionString: urls.databaseUrl });
  await watcher.connect();
  try {
    const before = await temporaryBytes(watcher);
    const ofServers = (): number => familySeconds(pids.postgres) + processorSeconds(pids.qdrant);
    const serversBefore = ofServers();
    const startedAt = performance.now();
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${HEAP_LIMIT}`, CLI, 'consistency', command, '--json'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...process.env,
          DATABASE_URL: urls.databaseUrl,
          QDRANT_URL: urls.qdrantUrl,
          KINDRED_EMBEDDER: 'deterministic',
          KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS),
          KINDRED_LOG_LEVEL: 'warn',
        },
      },
    );
    const output: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => output.push(part));
    const closed = once(child, 'close');
    let [program, session, own, isOver] = [0, 0, 0, false];
    void closed.then(() => (isOver = true));
    while (!isOver) {
      program = Math.max(program, highestResident(child.pid ?? 0));
      own = Math.max(own, processorSeconds(child.pid ?? 0));
      session = Math.max(session, ...(await sessionsOf(watcher)).map(privateBytes));
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))]);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const text = Buffer.concat(output).toString();
    if (text === '') throw new Error(`kindred consistency ended with ${child.exitCode ?? child.signalCode}`);
    const findings = JSON.parse(text) as CommandFigures['findings'];
    return {
      findings,
      seconds,
      processorSeconds: own + ofServers() - serversBefore,
      program,
      session,
      temporary: (await temporaryBytes(watcher)) - before,
    };
  } finally {
    await watcher.end();
  }
}

/** 0 where the system does not say. */
function highestResident(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function sessionsOf(watcher: Client): Promise<number[]> {
  const { rows } = await watcher.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'kindred consistency'`,
  );
  return rows.map(({ pid }) => pid);
}

async function temporaryBytes(watcher: Client): Promise<number> {
  const { rows } = await watcher.query<{ bytes: string }>(
    'SELECT temp_bytes AS bytes FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0]?.bytes ?? 0);
}
