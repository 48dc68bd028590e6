/**
 * Runs benches and writes what they found to `bench/results/<name>.md`:
 * `npm run bench` for all of them, `npm run bench -- graphql` for one. They compare things within one run, so the
 * ratios mean something on a busy machine too; the times are those of the machine they ran on.
 */
import 'reflect-metadata';
import { consistencyBench } from './consistency/consistency.bench';
import { graphqlBench } from './graphql/graphql.bench';
import { importBench } from './import/import.bench';
import { legacyBench } from './legacy/legacy.bench';
import { relayBench } from './relay/relay.bench';
import { startBench } from './start/start.bench';
import { storiesBench } from './stories/stories.bench';
import { tagsAddBench, tagsBench } from './tags/tags.bench';

const benches: Record<string, () => Promise<void>> = {
  consistency: consistencyBench,
  graphql: graphqlBench,
  import: importBench,
  legacy: legacyBench,
  relay: relayBench,
  start: startBench,
  stories: storiesBench,
  tags: tagsBench,
  'tags-add': tagsAddBench,
};

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(name in benches));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  for (const name of names.length > 0 ? names : Object.keys(benches)) await benches[name]?.();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
