import { driftKinds } from '../kernel/consistency/consistency-report';
import { columnRoles, type ColumnRole } from '../legacy/legacy-table';
import { explain, type Plan } from '../legacy/plan';
import type { QuarantineReason } from '../legacy/row-sql';
import type { VerifyReport } from '../legacy/verify';

const SHOWN_DIFFERENCES = 10;

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function printReasons(reasons: Partial<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(reasons)) {
    console.log(`  ${String(count).padStart(8)}  ${reason}: ${explain(reason as QuarantineReason)}`);
  }
}

export function printPlan(plan: Plan): void {
  console.log(`${plan.table}: ${counted(plan.rows, 'row')}, ${plan.movable} would move`);
  for (const role of Object.keys(columnRoles) as ColumnRole[]) {
    const column = plan.columns[role];
    console.log(`  ${columnRoles[role].padEnd(16)} ${column ? `${column.name}, ${column.type}` : '(none)'}`);
  }
  if (plan.extraColumns.length > 0) {
    console.log(`  kept as extras   ${plan.extraColumns.map(({ name, type }) => `${name}, ${type}`).join('; ')}`);
  }
  console.log('By entity type:');
  for (const type of plan.types) {
    const refused = Object.entries(type.refused).map(([reason, count]) => `${count} ${reason}`);
    const target = type.kind === null ? 'no kind' : type.kind === type.entityType ? '' : `as ${type.kind}`;
    console.log(
      `  ${(type.entityType ?? '(null)').padEnd(18)} ${[target, counted(type.rows, 'row'), `${type.movable} would move`, ...refused].filter(Boolean).join(', ')}`,
    );
  }
  if (Object.keys(plan.refused).length > 0) {
    console.log('Would go to the quarantine:');
    printReasons(plan.refused);
  }
  const { distinct, collection, layout, absent, foundIn } = plan.points;
  if (collection !== null && layout) {
    console.log(
      `${counted(distinct, 'point')}; ${collection} has vectors of ${layout.dimensions} dimensions, ${layout.distance}, and lacks ${absent} of the points that would move`,
    );
  } else {
    console.log(`${counted(distinct, 'point')}; name their collection with --collection`);
    for (const found of foundIn)
      console.log(`  ${found.collection} has ${found.found} of ${found.of} that were looked up`);
  }
  console.log(`Timestamps without a zone are of ${plan.timeZone}.`);
  for (const warning of plan.warnings) console.log(`Note: ${warning}`);
}

export function printVerification(report: VerifyReport): void {
  console.log(`${counted(report.legacy, 'row')} = ${report.migrated} migrated + ${report.quarantined} quarantined`);
  for (const type of report.types) {
    const isEqual = type.checksums.legacy === type.checksums.migrated;
    console.log(
      `  ${(type.entityType || '(null)').padEnd(18)} ${type.legacy} = ${type.migrated} + ${type.quarantined}, checksums ${isEqual ? 'equal' : 'differ'}`,
    );
  }
  if (Object.keys(report.reasons).length > 0) {
    console.log('In the quarantine:');
    printReasons(report.reasons);
  }
  if (report.differing > 0) console.log(`${counted(report.differing, 'row')} differ:`);
  for (const { key, difference } of report.differences.slice(0, SHOWN_DIFFERENCES))
    console.log(`  ${difference}: row ${key}`);
  if (report.changesWaiting > 0) {
    console.log(`${counted(report.changesWaiting, 'write')} since; the rows written are not compared`);
  }
  if (report.points) {
    const wrong = report.points.kinds.flatMap((kind) =>
      driftKinds.filter((drift) => kind[drift] > 0).map((drift) => `${kind.kind}: ${kind[drift]} ${drift}`),
    );
    console.log(
      `Points: ${report.points.drift === 0 && report.pointsWaiting === 0 ? 'every one is in Qdrant with its payload' : [...wrong, `${report.pointsWaiting} on their way`].join(', ')}`,
    );
  }
  console.log(report.isVerified ? 'verified' : 'NOT verified');
}
