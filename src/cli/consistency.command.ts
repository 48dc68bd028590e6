import type { Command } from 'commander';

import { driftKinds, type ConsistencyFindings } from '../kernel/consistency/consistency-report';
import { EXIT_FAILURE } from './exit-codes';
import { withSession } from './session';

const SHOWN_DRIFTS = 10;

function printFindings(findings: ConsistencyFindings): void {
  for (const kind of findings.kinds) {
    const wrong = driftKinds.filter((drift) => kind[drift] > 0).map((drift) => `${kind[drift]} ${drift}`);
    const waiting = kind.pending > 0 ? `, ${kind.pending} on their way` : '';
    const dead = kind.dead > 0 ? `, ${kind.dead} given up` : '';
    const verdict = wrong.length === 0 ? 'consistent' : wrong.join(', ');
    console.log(`${kind.kind.padEnd(18)} ${kind.rows} rows, ${kind.points} points: ${verdict}${waiting}${dead}`);
  }
  const named = findings.drifts.slice(0, SHOWN_DRIFTS);
  for (const { kind, pointId, recordId, drift, count } of named) {
    console.log(
      recordId === null ? `  ${drift}: ${kind} point ${pointId}` : `  ${drift}: ${count} of ${kind} ${recordId}`,
    );
  }
  const unnamed = findings.drift - named.reduce((sum, { count }) => sum + count, 0);
  if (unnamed > 0) console.log(`  and ${unnamed} more`);
  for (const problem of findings.captureProblems) console.log(`not captured: ${problem}`);
  if (findings.captureProblems.length > 0) console.log(`Run 'kindred migrate --restore-capture'.`);
  console.log(`drift: ${findings.drift}`);
}

const summaryOf = ({ kinds, drift, captureProblems, checkedAt, drifts, isCut }: ConsistencyFindings) => ({
  drift,
  captureProblems,
  kinds,
  checkedAt,
  drifts,
  isCut,
});

export function addConsistencyCommand(program: Command, outcome: { code: number }): void {
  const consistency = program.command('consistency').description('Compare the two stores, and put right what differs.');
  consistency
    .command('check')
    .description('Compare records, embedding rows and points completely; exit code 1 when they disagree.')
    .option('--json', 'print a machine-readable result')
    .action(({ json }: { json?: boolean }) =>
      withSession(
        'kindred consistency',
        async ({ instance }) => {
          const findings = await instance.core.services.consistency.check();
          if (json) console.log(JSON.stringify(summaryOf(findings)));
          else printFindings(findings);
          if (findings.drift > 0 || findings.captureProblems.length > 0) outcome.code = EXIT_FAILURE;
        },
        { isCaptureDamageKnown: true },
      ),
    );
  consistency
    .command('repair')
    .description('Queue everything that differs, however much, to be put right by the relay.')
    .option('--dry-run', 'only show the plan')
    .option('--json', 'print a machine-readable result')
    .action(({ json, dryRun }: { json?: boolean; dryRun?: boolean }) =>
      withSession('kindred consistency', async ({ instance }) => {
        const { findings, plan, queued } = await instance.core.services.consistency.repair({ isDryRun: dryRun });
        if (json) console.log(JSON.stringify({ ...summaryOf(findings), plan, queued }));
        else {
          printFindings(findings);
          for (const { kind, records, writes, payloads, deletions } of plan) {
            console.log(
              `${kind}: ${records} records to render again, ${writes} points to write, ${payloads} payloads to replace, ` +
                `${deletions} points to delete`,
            );
          }
          console.log(dryRun ? 'Nothing was queued (--dry-run).' : `${queued} records and points queued.`);
        }
      }),
    );
}
