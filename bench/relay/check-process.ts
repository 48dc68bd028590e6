/** A complete consistency check in a process of its own, so that its memory is told apart. Prints what it came to. */
import 'reflect-metadata';
import { openCore } from './core';
import type { StoreTargets } from './processes';

export interface CheckFigures {
  points: number;
  drift: number;
  seconds: number;
  /** Resident bytes before the check, and the most while it ran. */
  before: number;
  peak: number;
}

async function main(): Promise<void> {
  const core = await openCore(JSON.parse(process.argv[2] ?? '{}') as StoreTargets);
  const before = process.memoryUsage.rss();
  const startedAt = performance.now();
  const { kinds, drift } = await core.services.consistency.check();
  const figures: CheckFigures = {
    points: kinds.reduce((sum, kind) => sum + kind.points, 0),
    drift,
    seconds: (performance.now() - startedAt) / 1000,
    before,
    peak: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  await core.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
