import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { ask } from './support/graphql';
import { cleanUp, runProgram, startProgram, temporaryFolder } from './support/program';

afterAll(cleanUp);

const quiet = { env: { KINDRED_LOG_LEVEL: 'warn' } };

describe('kindred stories', () => {
  const folder = temporaryFolder();
  const tales = path.join(folder, 'tales');
  const sentences = Array.from({ length: 60 }, (_, i) => `The fox counted hen number ${i} on the farm.`).join(' ');

  it('imports story files with their strategy, and chunks a collection again', async () => {
    mkdirSync(tales);
    writeFileSync(path.join(tales, 'fox.md'), '---\ncollection: farm\n---\n# Fox\n\n## One\n\nA hen.\n\n- a\n- b\n');
    const lines = [
      { id: 'hen', title: 'Hen', collection: 'farm', paragraphs: [sentences, 'The end.'] },
      { id: 'owl', title: 'Owl', content: 'Night. Moon.', chunkingStrategy: 'SENTENCE' },
      { id: 'bad', title: 'Bad', content: 'Night.', chunkingStrategy: 'verse' },
      { id: 'worse', title: 'Worse', content: 'Night.', chunkOverlap: 10 },
      { id: 'empty', title: 'Empty', content: ' \n ' },
    ];
    writeFileSync(path.join(tales, 'stories.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    writeFileSync(path.join(tales, 'tags.jsonl'), JSON.stringify({ id: 't', name: 'farm' }));

    const imported = await runProgram(folder, ['stories', 'import', tales, '--json'], quiet);
    expect(imported.code).toBe(1);
    expect(imported.stderr).toContain(
      "story.chunkingStrategy: 'verse' is not one of paragraph, sentence, token, markdown",
    );
    expect(imported.stderr).toContain('story.chunkOverlap: only chunks of SENTENCE and TOKEN overlap');
    expect(imported.stderr).toContain('the story has no text');
    expect(JSON.parse(imported.stdout)).toMatchObject({
      byType: { story: { created: 3, rejected: 2 } },
      rejected: 3,
      skipped: [{ file: path.join(tales, 'tags.jsonl'), reason: 'holds tags, not stories' }],
    });

    const args = ['stories', 'rechunk', '--collection', 'farm', '--strategy', 'token', '--tokens', '64'];
    const rechunked = await runProgram(folder, [...args, '--overlap', '16', '--wait', '--json'], quiet);
    expect({ code: rechunked.code, stderr: rechunked.stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/Chunking: 2\/2 stories\nEmbedding: \d+\/\d+ chunks/),
    });
    const { stories, changed, progress } = JSON.parse(rechunked.stdout) as Record<string, unknown>;
    expect({ stories, changed, progress }).toMatchObject({
      stories: 2,
      changed: 2,
      progress: { storiesWaiting: 0, chunksWaiting: 0, storiesFailed: 0, chunksFailed: 0 },
    });

    // What an import does not say, it leaves alone.
    await runProgram(folder, ['stories', 'import', path.join(tales, 'fox.md'), '--collection', 'den', '--wait'], quiet);
    const server = startProgram(folder, ['serve'], { env: { KINDRED_DEMO: 'false' } });
    const url = await server.ready();
    const { stories: found } = await ask<{
      stories: {
        nodes: {
          title: string;
          collection: string | null;
          chunkingStrategy: string;
          chunkTokens: number | null;
          chunkOverlap: number;
        }[];
      };
    }>(
      url,
      '{ stories(orderBy: { field: TITLE }) { nodes { title collection chunkingStrategy chunkTokens chunkOverlap } } }',
    );
    expect(found.nodes).toEqual([
      { title: 'Fox', collection: 'den', chunkingStrategy: 'TOKEN', chunkTokens: 64, chunkOverlap: 16 },
      { title: 'Hen', collection: 'farm', chunkingStrategy: 'TOKEN', chunkTokens: 64, chunkOverlap: 16 },
      { title: 'Owl', collection: null, chunkingStrategy: 'SENTENCE', chunkTokens: null, chunkOverlap: 0 },
    ]);

    // Attached to a server, which then does the work.
    const all = await runProgram(folder, ['stories', 'rechunk', '--all', '--strategy', 'paragraph', '--wait'], quiet);
    expect(all.code).toBe(0);
    expect(all.stdout).toContain('stories  3 chunked again, 3 of them with other settings');
    expect(all.stdout).toContain('waiting  0 stories, 0 of');
    server.kill('SIGTERM');
    await server.ended;
  });

  it.each([
    [['rechunk'], /--collection <name> or --all/],
    [['rechunk', '--all', '--strategy', 'verse'], /Allowed choices are paragraph, sentence, token, markdown/],
    [['rechunk', '--all', '--tokens', '64'], /go with --strategy/],
  ])('refuses %j', async (args, says) => {
    const { code, stderr } = await runProgram(folder, ['stories', ...args], quiet);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
  });

  it('says which file is not there, and which option is missing', async () => {
    const gone = await runProgram(folder, ['stories', 'import', path.join(folder, 'gone.md'), '--json'], quiet);
    expect(gone).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('gone.md') });
    const nothing = await runProgram(folder, ['stories', 'import'], quiet);
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'path'") });
  });

  it('says that no story is in a collection', async () => {
    const { code, stderr } = await runProgram(folder, ['stories', 'rechunk', '--collection', 'nowhere'], quiet);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("collection 'nowhere'") });
  });

  it('says what is wrong with settings that do not go together', async () => {
    const args = ['stories', 'rechunk', '--all', '--strategy', 'paragraph', '--overlap', '8'];
    const { code, stderr } = await runProgram(folder, args, quiet);
    expect(code).toBe(1);
    expect(stderr).toContain('chunking.chunkOverlap: only chunks of SENTENCE and TOKEN overlap');
  });
});
