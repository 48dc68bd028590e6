import { afterAll, expect, it } from '@jest/globals';

import { addressesOf, withDatabase } from './support/both-stores';
import { eventually } from './support/eventually';
import { cleanUp, runProgram, startProgram, temporaryFolder } from './support/program';

afterAll(cleanUp);

const MISSING = 'table stories: the trigger kindred_capture_stories_insert is missing';

it('a dropped trigger is told by the check, stops the next start, and is restored by a command', async () => {
  const folder = temporaryFolder();
  const server = startProgram(folder, ['serve']);
  await server.ready();
  await withDatabase(addressesOf(folder).databaseUrl, async (client) => {
    await client.query('DROP TRIGGER kindred_capture_stories_insert ON stories');
    await client.query(`INSERT INTO stories (title, content) VALUES ('Unseen', 'It came in the night.')`);
  });

  const check = await runProgram(folder, ['consistency', 'check', '--json']);
  expect(check.code).toBe(1);
  // What is wrong, and what has come of it already.
  expect(JSON.parse(check.stdout)).toMatchObject({
    drift: 1,
    drifts: [{ kind: 'story', drift: 'missingRows', count: 1 }],
    captureProblems: [MISSING],
  });
  server.kill('SIGTERM');
  await server.ended;

  const refused = await runProgram(folder, ['serve']);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(MISSING);
  expect(refused.stderr).toContain('kindred migrate --restore-capture');

  const restored = await runProgram(folder, ['migrate', '--restore-capture', '--json']);
  expect(restored.code).toBe(0);
  expect(JSON.parse(restored.stdout)).toMatchObject({ restored: [MISSING], queued: expect.any(Number) });

  const again = startProgram(folder, ['serve']);
  const url = await again.ready();
  await eventually('the story that was written unseen to be found', async () => {
    const body = JSON.stringify({
      query: '{ stories(filter: { title: { eq: "Unseen" } }) { nodes { indexing { state } } } }',
    });
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return (await answer.text()).includes('"INDEXED"') ? true : undefined;
  });
});
