import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const RESULTS = path.resolve(__dirname, '..', 'results');
/** What people write below this line stays when a bench writes its figures anew. */
const NOTES = '## What limits it';

export type Row = readonly (string | number)[];

export function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The facts that figures depend on. Nothing that names the machine. */
function machine(): string {
  const [cpu] = os.cpus();
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  const model = cpu?.model.replace(/\s+/g, ' ').trim() || 'unknown processor';
  const load = os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
  return `${os.availableParallelism()} cores (${model}), ${memory}, ${os.platform()} ${os.arch()}, Node ${process.versions.node}; load average at the end ${load}`;
}

/** Writes `bench/results/<name>.md` and prints it. */
export async function writeResult(name: string, title: string, body: readonly string[]): Promise<void> {
  const file = path.join(RESULTS, `${name}.md`);
  const text = [
    `# ${title}`,
    '',
    `Made by \`npm run bench -- ${name}\` on ${new Date().toISOString().slice(0, 10)}.`,
    `Machine: ${machine()}.`,
    '',
    ...body,
    '',
  ].join('\n');
  const before = await readFile(file, 'utf8').catch(() => '');
  const notes = before.includes(NOTES) ? `\n${before.slice(before.indexOf(NOTES))}` : '';
  await mkdir(RESULTS, { recursive: true });
  await writeFile(file, text + notes);
  console.log(text);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function range(values: readonly number[], digits = 2): string {
  return `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
}

/** Resident memory of a process in bytes, without what it shares with others where the system says so; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
