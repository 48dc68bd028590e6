import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';

import {
  DIMENSIONS,
  fail,
  startFakeOpenAi,
  TOO_LONG,
  type FakeOpenAi,
} from '../integration/openai-support/fake-openai';
import { eventually } from './support/eventually';
import { cleanUp, runProgram, startProgram, temporaryFolder } from './support/program';

let endpoint: FakeOpenAi;

beforeEach(async () => {
  endpoint = await startFakeOpenAi();
});
afterEach(() => endpoint.close());
afterAll(cleanUp);

const environment = (): Record<string, string> => ({
  KINDRED_EMBEDDER: 'openai',
  OPENAI_API_KEY: 'sk-of-this-test',
  OPENAI_BASE_URL: endpoint.baseUrl,
  KINDRED_EMBEDDING_MODEL: 'fake',
  KINDRED_EMBEDDING_DIMENSIONS: String(DIMENSIONS),
});

/** A file of tags in `folder`. */
function tagsFile(folder: string, names: readonly string[]): string {
  const file = path.join(folder, 'tags.jsonl');
  writeFileSync(file, names.map((name) => JSON.stringify({ id: name, name })).join('\n'));
  return file;
}

const tagNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `tag ${i}`);

it('an import that is waited for ends although something was given up, and says so', async () => {
  const folder = temporaryFolder();
  const names = tagNames(20);
  names[9] = `${TOO_LONG} tag`;
  const file = tagsFile(folder, names);
  const env = environment();

  const json = await runProgram(folder, ['import', file, '--as', 'tags', '--wait', '--json'], { env });
  expect(JSON.parse(json.stdout)).toMatchObject({ byType: { tag: { created: 20 } }, failed: 1 });
  expect(json.code).toBe(1);

  // What was given up before is not this import's.
  const again = await runProgram(folder, ['import', file, '--as', 'tags', '--wait'], { env });
  expect(again.stdout).not.toContain('could not be embedded');
  expect(again.code).toBe(0);

  const status = await runProgram(folder, ['status', '--json'], { env });
  expect(JSON.parse(status.stdout)).toMatchObject({ backlog: { sources: 0, points: 0, dead: 1 } });
});

it.each([
  ['a wrong key', 401, { message: 'Incorrect API key provided: sk-no.', code: 'invalid_api_key' }, 'Incorrect API key'],
  [
    'an account without credit',
    429,
    { message: 'You exceeded your current quota', code: 'insufficient_quota' },
    'quota',
  ],
  [
    'a model that does not exist',
    404,
    { message: 'The model `fake` does not exist', code: 'model_not_found' },
    'exist',
  ],
])(
  '%s makes no dead letters: the relay waits and says why, and goes on once it is mended',
  async (_, status, error, reason) => {
    const folder = temporaryFolder();
    const file = tagsFile(folder, tagNames(300));
    const env = environment();
    const refused = fail(status, error);
    endpoint.faults = Object.assign([], { shift: () => refused });

    const program = startProgram(folder, ['import', file, '--as', 'tags', '--wait', '--json'], { env });
    await eventually('the relay to have tried several times', () => {
      if (program.hasEnded()) throw new Error(`it ended: ${program.stdout()} ${program.stderr()}`);
      const told = program.logs().filter(({ msg }) => msg.startsWith('cannot work now'));
      return told.length >= 3 && JSON.stringify(told).includes(reason) ? true : undefined;
    });
    endpoint.faults = [];

    expect(await program.ended).toMatchObject({ code: 0 });
    expect(JSON.parse(program.stdout())).toMatchObject({ byType: { tag: { created: 300 } }, failed: 0 });
    const check = await runProgram(folder, ['consistency', 'check', '--json'], { env });
    expect([check.code, (JSON.parse(check.stdout) as { drift: number }).drift]).toEqual([0, 0]);
  },
);
