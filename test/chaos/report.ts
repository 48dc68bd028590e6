import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ChaosResult } from './harness';

const RUNS_FILE = path.join(__dirname, 'runs.json');
export const REPORT_FILE = path.join(__dirname, 'report.md');
const SHOWN_FINDINGS = 20;
const LONGEST_FINDING = 3_000;

/** What stays of a run. */
interface Run {
  seed: string;
  date: string;
  command: string;
  /** Of the program and the harness. */
  commit: string;
  minutes: number;
  minutesOfFaults: number;
  rounds: number;
  acknowledged: number;
  refused: number;
  unknown: number;
  kills: Record<string, number>;
  faults: Record<string, number>;
  deadLetters: number;
  records: number;
  points: number;
  answeredInternal: number;
  drift: number;
  lost: number;
}

function runOf({ counters, findings, compared, ...result }: ChaosResult, command = '', commit = ''): Run {
  return {
    seed: result.seed,
    date: new Date().toISOString().slice(0, 10),
    command,
    commit,
    minutes: round(result.minutes),
    minutesOfFaults: round(result.minutesOfFaults),
    rounds: result.rounds,
    acknowledged: counters.total('acknowledged'),
    refused: counters.total('refused'),
    unknown: counters.total('unknown'),
    kills: sorted(counters.kills),
    faults: sorted(counters.faults),
    deadLetters: counters.deadLetters,
    records: compared.records,
    points: compared.points,
    answeredInternal: counters.answers.get('INTERNAL') ?? 0,
    drift: findings.filter(({ sort }) => sort === 'drift').length,
    lost: findings.filter(({ sort }) => sort === 'lost').length,
  };
}

/** What a run came to, for people; what is wrong first. */
export function summaryOf(result: ChaosResult): string {
  const run = runOf(result);
  const { counters, findings } = result;
  const list = (counts: Record<string, number>): string[] =>
    Object.entries(counts).map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`);
  return [
    `seed ${run.seed}: ${run.minutes} minutes, ${run.minutesOfFaults} of them with faults, ${run.rounds} rounds`,
    ...findings.slice(0, SHOWN_FINDINGS).map((finding) => `  ${JSON.stringify(finding).slice(0, LONGEST_FINDING)}`),
    `operations: ${run.acknowledged} acknowledged, ${run.refused} refused or rolled back, ${run.unknown} of unknown outcome`,
    ...[...counters.operations].map(([name, counts]) => `  ${name}: ${JSON.stringify(counts)}`),
    'kills:',
    ...list(run.kills),
    'faults:',
    ...list(run.faults),
    'refusals of the API:',
    ...list(sorted(counters.answers)),
    `dead letters driven again: ${run.deadLetters}`,
    `compared: ${run.records} records, ${result.compared.rows} rows, ${run.points} points`,
    `drift: ${run.drift}`,
    `acknowledged writes lost: ${run.lost}`,
  ].join('\n');
}

/** Adds a run to those that are kept, and writes the report of all of them anew. */
export function keepRun(result: ChaosResult, command: string, commit: string): void {
  const runs = [...keptRuns(), runOf(result, command, commit)];
  writeFileSync(RUNS_FILE, `${JSON.stringify(runs, undefined, 2)}\n`);
  writeFileSync(REPORT_FILE, reportOf(runs));
}

export function keptRuns(): Run[] {
  return existsSync(RUNS_FILE) ? (JSON.parse(readFileSync(RUNS_FILE, 'utf8')) as Run[]) : [];
}

export function reportOf(runs: readonly Run[]): string {
  const sum = (number: (run: Run) => number): number => round(runs.reduce((total, run) => total + number(run), 0));
  const sums = (counts: (run: Run) => Record<string, number>): [string, number][] => {
    const totals = new Map<string, number>();
    for (const run of runs) {
      for (const [name, count] of Object.entries(counts(run))) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    return Object.entries(sorted(totals));
  };
  return [
    '# Everything broken, nothing lost',
    '',
    `What [the fault harness](harness.ts) found in ${runs.length} runs of together ${sum((run) => run.minutes)} minutes, in`,
    `${sum((run) => run.minutesOfFaults)} of which writers wrote while everything under them broke. The rest is the time until`,
    'nothing was left to do, and the comparison of both stores. A finding ends a run; its cause has a test of its own in',
    '`test/integration`, and is mended in a later commit.',
    '',
    table(
      [
        'command',
        'commit',
        'minutes',
        'with faults',
        'writes acknowledged',
        'points compared',
        'drift',
        'lost',
        'INTERNAL',
      ],
      runs.map((run) => [
        `\`${run.command}\``,
        run.commit,
        run.minutes,
        run.minutesOfFaults,
        run.acknowledged,
        run.points,
        run.drift,
        run.lost,
        run.answeredInternal,
      ]),
    ),
    '',
    '## What happened in them',
    '',
    table(
      ['', ''],
      [
        ['writes acknowledged', sum((run) => run.acknowledged)],
        ['refused or rolled back', sum((run) => run.refused)],
        ['of unknown outcome: the answer was lost', sum((run) => run.unknown)],
        ['dead letters driven again', sum((run) => run.deadLetters)],
        ['requests answered INTERNAL', sum((run) => run.answeredInternal)],
        ['complete comparisons', sum((run) => run.rounds)],
      ],
    ),
    '',
    '## Processes killed',
    '',
    table(
      ['process', 'times'],
      sums((run) => run.kills),
    ),
    '',
    '## Faults',
    '',
    'Counted by request where a proxy injects them.',
    '',
    table(
      ['fault', 'times'],
      sums((run) => run.faults),
    ),
    '',
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, head.map(() => '---'), ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0), 3));
  const line = (row: readonly string[], isRule: boolean): string =>
    `| ${row.map((cell, i) => (isRule ? '-'.repeat(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  return cells.map((row, i) => line(row, i === 1)).join('\n');
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
