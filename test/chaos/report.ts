import type { ChaosResult } from './harness';

const SHOWN_FINDINGS = 20;
const LONGEST_FINDING = 1_000;

/** What a run came to, for people. */
export function summaryOf({ counters, findings, ...result }: ChaosResult): string {
  const list = (counts: ReadonlyMap<string, number>): string[] =>
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`);
  return [
    `seed ${result.seed}: ${result.minutes.toFixed(1)} minutes, ${result.minutesOfFaults.toFixed(1)} of them with faults, ${result.rounds} rounds`,
    `operations: ${counters.total('acknowledged')} acknowledged, ${counters.total('refused')} refused or rolled back, ${counters.total('unknown')} of unknown outcome`,
    ...[...counters.operations].map(([name, counts]) => `  ${name}: ${JSON.stringify(counts)}`),
    'kills:',
    ...list(counters.kills),
    'faults:',
    ...list(counters.faults),
    'refusals of the API:',
    ...list(counters.answers),
    ...new Set(counters.internalErrors),
    `dead letters driven again: ${counters.deadLetters}`,
    `compared: ${result.compared.records} records, ${result.compared.rows} rows, ${result.compared.points} points`,
    `drift: ${findings.filter(({ sort }) => sort === 'drift').length}`,
    `acknowledged writes lost: ${findings.filter(({ sort }) => sort === 'lost').length}`,
    ...findings.slice(0, SHOWN_FINDINGS).map((finding) => `  ${JSON.stringify(finding).slice(0, LONGEST_FINDING)}`),
  ].join('\n');
}
