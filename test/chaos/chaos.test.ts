import { expect, it } from '@jest/globals';

import { runChaos } from './harness';
import { summaryOf } from './report';

/** Every run of the tests breaks things in another order; a seed that has found something can be given again. */
const seed = process.env.KINDRED_CHAOS_SEED ?? String(Math.floor(Math.random() * 1_000_000));

it(`loses nothing and leaves nothing behind, whatever breaks (seed ${seed})`, async () => {
  const result = await runChaos({ minutes: 0.5, seed, roundSeconds: 30 });

  if (result.findings.length > 0) throw new Error(`${summaryOf(result)}\nprocess logs are in ${result.folder}`);
  expect(result.counters.total('acknowledged')).toBeGreaterThan(0);
}, 1_800_000);
