import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { manifestFiles, modelFolder } from '../../src/adapters/local-model/model-files';
import { miniLmManifest } from '../../src/adapters/local-model/model-manifest';
import { loadEnvironment } from '../../src/config/environment';
import { ask } from './support/graphql';
import { cleanUp, expectNoPostgres, runProgram, startProgram, temporaryFolder } from './support/program';

afterAll(cleanUp);

const modelCacheDir = loadEnvironment().embedder.modelCacheDir;
const isFetched = manifestFiles(miniLmManifest).every((file) =>
  existsSync(path.join(modelFolder(modelCacheDir, miniLmManifest), file.path)),
);

describe('serve with the local model', () => {
  (isFetched ? it : it.skip)(
    'finds by meaning what shares no word with the question (skipped until the model has been fetched once)',
    async () => {
      const folder = temporaryFolder();
      const env = { KINDRED_EMBEDDER: 'local', KINDRED_MODEL_CACHE_DIR: modelCacheDir, KINDRED_DEMO: 'off' };
      const program = startProgram(folder, ['serve'], { env });
      const url = await program.ready();
      const create = (title: string, description: string): Promise<{ createJob: { syncToken: string } }> =>
        ask(url, 'mutation ($input: CreateJobInput!) { createJob(input: $input) { syncToken } }', {
          input: { title, description },
        });
      await create('Apiarist', 'Tend hives and harvest honey.');
      await create('Notary', 'Certify deeds and signatures.');
      const { createJob } = await create('Welder', 'Join steel plates in a shipyard.');

      const answer = await ask(
        url,
        `query ($query: SearchInput!) { searchJobs(query: $query, first: 1) { nodes { title } } }`,
        {
          query: {
            text: 'looking after bees',
            mode: 'SEMANTIC',
            awaitSync: { token: createJob.syncToken, timeoutMs: 60_000 },
          },
        },
      );

      expect(answer).toEqual({ searchJobs: { nodes: [{ title: 'Apiarist' }] } });
      program.kill('SIGTERM');
      expect(await program.ended).toEqual({ code: 0, signal: null });
    },
  );

  it('ends with the file and what to do when a model file is not the expected one', async () => {
    const folder = temporaryFolder();
    const cache = path.join(folder, 'models');
    for (const file of manifestFiles(miniLmManifest)) {
      const target = path.join(modelFolder(cache, miniLmManifest), file.path);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, 'not this one');
    }

    const { code, stdout, stderr } = await runProgram(folder, ['serve'], {
      env: {
        KINDRED_EMBEDDER: 'local',
        KINDRED_MODEL_CACHE_DIR: cache,
        KINDRED_DEMO: 'off',
        KINDRED_LOG_LEVEL: 'error',
      },
    });

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^kindred: The model file \S+ is damaged or not the expected one: its SHA-256 is \w{64}, expected \w{64}\. Delete this file/,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
    await expectNoPostgres(folder);
  });
});
