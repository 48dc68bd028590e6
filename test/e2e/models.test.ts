import { afterAll, expect, it } from '@jest/globals';

import { eventually } from './support/eventually';
import { ask } from './support/graphql';
import { cleanUp, runProgram, startProgram, temporaryFolder } from './support/program';

afterAll(cleanUp);

const changing = {
  KINDRED_NEXT_EMBEDDER: 'deterministic',
  KINDRED_NEXT_EMBEDDING_DIMENSIONS: '48',
  KINDRED_DEMO: 'off',
};
const changed = { KINDRED_EMBEDDING_DIMENSIONS: '48', KINDRED_DEMO: 'off' };

it('changes the model of a running server from the command line', async () => {
  const folder = temporaryFolder();
  const kindred = async (...args: string[]): Promise<{ code: number | null; said: string; json: unknown }> => {
    const { code, stdout, stderr } = await runProgram(folder, args, { env: changing });
    return {
      code,
      said: `${stdout}${stderr}`,
      json: args.includes('--json') ? JSON.parse(stdout || '{}') : undefined,
    };
  };
  const server = startProgram(folder, ['serve'], { env: changing });
  const url = await server.ready();
  const names = ['Harbour', 'Orchard', 'Quarry', 'Lantern'];
  for (const name of names) await ask(url, `mutation { createTag(input: { name: "${name}" }) { syncToken } }`);
  const expectFound = async (): Promise<void> => {
    for (const name of names) {
      const { searchTags } = await ask<{ searchTags: { nodes: { name: string }[] } }>(
        url,
        `{ searchTags(query: { text: "${name}", mode: SEMANTIC }, first: 1) { nodes { name } } }`,
      );
      expect(searchTags.nodes).toEqual([{ name }]);
    }
  };
  await eventually('everything to be indexed', async () => {
    const { said } = await kindred('status', '--json');
    return said.includes('"points":0') && said.includes('"sources":0') ? true : undefined;
  });

  const early = await kindred('models', 'promote');
  expect(early).toMatchObject({
    code: 1,
    said: expect.stringContaining("Run 'kindred models prepare' first") as unknown,
  });
  expect((await kindred('models', 'prepare', '--json')).json).toMatchObject({
    queued: names.length,
    live: { dimensions: 64 },
    standby: { role: 'next', model: { dimensions: 48 }, isComplete: true },
  });
  await expectFound();
  expect((await kindred('models', 'status')).said).toMatch(/tag_concept +4 of 4\n.*complete and can be promoted/s);
  expect((await kindred('models', 'promote', '--json')).json).toMatchObject({
    live: { dimensions: 48 },
    former: { dimensions: 64 },
    keepsFormer: true,
  });
  await expectFound();
  expect((await kindred('models', 'list', '--json')).json).toMatchObject({
    models: [
      { dimensions: 48, state: 'live', isConfigured: true },
      { dimensions: 64, state: 'former', isConfigured: true },
    ],
  });
  const { dropped } = (await kindred('models', 'drop', '--json')).json as { dropped: string[] };
  expect(dropped).toContain('kindred_tag_concept__feature-hash__1');
  await expectFound();
  expect((await kindred('reindex')).said).toContain('is live already');
  expect((await kindred('consistency', 'check')).code).toBe(0);
  server.kill('SIGTERM');
  await server.ended;

  const refused = await runProgram(folder, ['serve'], { env: { KINDRED_DEMO: 'off' } });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('KINDRED_NEXT_EMBEDDER') as unknown });
  // Nobody has the former model here: the new one alone is enough.
  const alone = { env: { ...changed, KINDRED_EMBEDDING_DIMENSIONS: '40' } };
  const reindexed = await runProgram(folder, ['reindex', '--drop', '--json'], alone);
  expect(JSON.parse(reindexed.stdout)).toMatchObject({ model: { dimensions: 40 } });
  expect((await runProgram(folder, ['consistency', 'check'], alone)).code).toBe(0);
});
