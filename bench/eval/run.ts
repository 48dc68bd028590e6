import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { createAsk, inParallel } from './ask';
import { EvaluationData } from './data';
import { score, type Scores } from './scoring';
import { searchReport, type Measured } from './search-report';
import { evaluateTagging } from './tagging';
import { tasks } from './tasks';

/**
 * Measures search quality on labelled data, through the public GraphQL API of a running instance that has imported it.
 *   npm run eval -- --data DIR [--url http://127.0.0.1:4000/graphql] [--tasks t5,t6] [--modes SEMANTIC,HYBRID] [--out FILE]
 * With --tagging it measures tagging instead, which writes: it adds content, schemes and thresholds of its own.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    url: { type: 'string', default: 'http://127.0.0.1:4000/graphql' },
    tasks: { type: 'string' },
    modes: { type: 'string', default: 'SEMANTIC,LEXICAL,HYBRID' },
    out: { type: 'string' },
    tagging: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.data === undefined || !existsSync(path.join(options.data, 'qrels'))) {
    console.log(`Skipped: ${options.data ?? '--data'} is no folder with labelled data.`);
    return;
  }
  const { ask, close } = createAsk(options.url);
  const data = new EvaluationData(options.data);
  await data.load(ask);
  if (options.tagging) {
    const report = await evaluateTagging(ask, data);
    if (options.out !== undefined) writeFileSync(options.out, report);
    await close();
    return;
  }
  const modes = options.modes.split(',');
  const wanted = options.tasks?.split(',');
  const measured: Measured[] = [];
  for (const task of tasks) {
    if (wanted && !wanted.some((prefix) => task.name.startsWith(`${prefix}_`))) continue;
    const judgements = data.judgements(task.labels ?? task.name);
    const byMode = new Map<string, Scores>();
    for (const mode of modes) {
      const rankings = new Map<string, string[]>();
      await inParallel([...judgements.keys()], async (query) => {
        rankings.set(query, await task.run(query, mode, ask, data));
      });
      byMode.set(mode, score(judgements, rankings));
    }
    measured.push({ name: task.name, queries: judgements.size, bm25: task.bm25 ?? {}, byMode });
    console.log(`measured ${task.name}`);
  }
  const report = searchReport(measured, modes);
  console.log(report);
  if (options.out !== undefined) writeFileSync(options.out, report);
  await close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
