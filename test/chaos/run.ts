import { parseArgs } from 'node:util';

import { runChaos } from './harness';
import { keepRun, summaryOf } from './report';

/**
 * `npm run test:chaos -- --minutes N --seed S`: breaks everything for N minutes and fails when something is lost or
 * drifts apart.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string' },
      round: { type: 'string' },
      keep: { type: 'boolean' },
      /** `one`: the model is not changed. */
      models: { type: 'string', default: 'two' },
      /** The commit that runs; the result is then added to the report. */
      report: { type: 'string' },
    },
  });
  const result = await runChaos({
    minutes: Number(values.minutes),
    seed: values.seed ?? String(Date.now() % 1_000_000),
    roundSeconds: values.round === undefined ? undefined : Number(values.round),
    isChangingModels: values.models !== 'one',
    isKept: values.keep,
    log: (line) => console.log(line),
  });
  console.log(summaryOf(result));
  if (values.report !== undefined) {
    const round = values.round === undefined ? '' : ` --round ${values.round}`;
    const command = `npm run test:chaos -- --minutes ${values.minutes} --seed ${result.seed}${round}`;
    keepRun(result, command, values.report);
  }
  if (result.findings.length > 0) {
    console.log(`What the processes logged is in ${result.folder}`);
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
