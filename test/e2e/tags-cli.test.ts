import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { ask } from './support/graphql';
import { cleanUp, runProgram, startProgram, temporaryFolder, type Program } from './support/program';

afterAll(cleanUp);

const quiet = { env: { KINDRED_LOG_LEVEL: 'warn', KINDRED_DEMO: 'false' } };
const jsonl = (lines: readonly object[]): string => lines.map((line) => JSON.stringify(line)).join('\n');

interface TreeTag {
  id: string;
  name: string;
  usageCount: number;
}

interface Tagged {
  queued: number;
  what: string;
  failed: number;
  before: { suggested: number };
  after: { suggested: number; accepted: number; rejected: number };
}

describe('kindred tags', () => {
  const folder = temporaryFolder();
  const tags = (...args: string[]): ReturnType<typeof runProgram> => runProgram(folder, ['tags', ...args], quiet);
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await tags(...args, '--json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout) as T;
  };

  it('infers, prints the tree and merges, without a server', async () => {
    const data = path.join(folder, 'data-to-import');
    mkdirSync(data);
    writeFileSync(
      path.join(data, 'tags.jsonl'),
      jsonl([
        { id: 't-birds', name: 'birds', description: 'feathered animals' },
        { id: 't-ravens', name: 'ravens', description: 'black ravens tower', parent: 't-birds' },
        { id: 't-crows', name: 'crows', description: 'grey crows field', parent: 't-birds' },
        { id: 't-own', name: 'welding', description: 'welding steel beams', scheme: 'trades' },
      ]),
    );
    writeFileSync(
      path.join(data, 'stories.jsonl'),
      jsonl([{ id: 's1', title: 'Tower', paragraphs: ['Black ravens tower.', 'Grey crows field.'] }]),
    );
    const imported = await runProgram(folder, ['import', data, '--wait'], quiet);
    expect({ code: imported.code, stderr: imported.stderr }).toMatchObject({ code: 0 });

    const all = await tags('infer', '--json');
    expect(all.code).toBe(0);
    expect(all.stderr).toMatch(/^Tagging: 2\/2 texts$/m);
    const tagged = JSON.parse(all.stdout) as Tagged;
    expect(tagged).toMatchObject({ queued: 2, what: 'texts', failed: 0, after: { accepted: 0, rejected: 0 } });
    expect(tagged.after.suggested).toBeGreaterThanOrEqual(2);
    expect(tagged.before).toEqual(tagged.after);
    expect(await json<Tagged>('infer', '--kind', 'stories', '--untagged')).toMatchObject({ queued: 0 });
    expect(await json<Tagged>('infer', '--kind', 'jobs', '--kind', 'contents')).toMatchObject({ queued: 0 });

    const tree = await json<TreeTag[]>('tree', '--scheme', 'general');
    expect(tree).toEqual(
      [
        ['birds', 0],
        ['crows', 1],
        ['ravens', 1],
      ].map(([name, depth]) => ({
        id: expect.any(String),
        name,
        scheme: 'general',
        usageCount: expect.any(Number),
        depth,
      })),
    );
    const uses = tree.map(({ usageCount }) => usageCount);
    expect(uses.reduce((sum, count) => sum + count, 0)).toBe(tagged.after.suggested);
    const [birds, crows, ravens] = uses;
    expect((await tags('tree')).stdout).toBe(
      `birds (${birds})\n  crows (${crows})\n  ravens (${ravens})\nwelding (0)\n`,
    );

    const merged = await json('merge', 'CROWS', 'ravens');
    expect(merged).toEqual({ assignments: expect.any(Number), decisions: 0, children: 0, aliases: 1 });
    expect((await tags('tree', '--scheme', 'general')).stdout).toMatch(/^birds \(\d+\)\n {2}ravens \(2\)\n$/);
  });

  it('compares tags again, and shows what decisions say, beside a server that does the work', async () => {
    const server: Program = startProgram(folder, ['serve'], quiet);
    const url = await server.ready();
    const { story } = await ask<{
      story: { chunks: { nodes: { id: string; tags: { tag: { id: string; name: string } }[] }[] } };
    }>(url, '{ story(externalId: "s1") { chunks { nodes { id tags { tag { id name } } } } } }');
    const [first] = story.chunks.nodes;
    const accepted = await ask(
      url,
      'mutation ($t: ID!, $g: [ID!]!) { acceptTags(targetId: $t, tagIds: $g) { tags { status } } }',
      { t: first?.id, g: first?.tags.filter(({ tag }) => tag.name === 'ravens').map(({ tag }) => tag.id) },
    );
    expect(accepted).toEqual({ acceptTags: { tags: [{ status: 'ACCEPTED' }] } });

    const again = await tags('retag', 'crows', 'birds', '--json');
    expect({ code: again.code, stderr: again.stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/Tagging: 2\/2 tags/),
    });
    expect(JSON.parse(again.stdout)).toMatchObject({ queued: 2, what: 'tags', failed: 0, after: { accepted: 1 } });
    expect(await json<Tagged>('retag', '--scheme', 'trades')).toMatchObject({ queued: 1, what: 'tags' });
    expect((await tags('retag')).stdout).toMatch(/^3 tags compared; \d+ suggestions now \([+-]\d+\)\.\n$/);

    const quality = await json<Record<string, unknown>>('quality');
    expect(quality).toMatchObject({
      scheme: 'general',
      overall: {
        accepted: 1,
        rejected: 0,
        current: { threshold: 0.4, precision: 1, recall: 1, f1: 1 },
        suggested: null,
        isPooled: false,
      },
      tags: [{ tag: { id: expect.any(String), name: 'ravens' }, accepted: 1, rejected: 0, isPooled: true }],
      applied: [],
    });
    const shown = await tags('quality', '--min-precision', '0.9', '--apply');
    expect(shown.stdout).toContain('scheme general: 1 accepted, 0 rejected; now 0.400');
    expect(shown.stdout).toContain('suggested too few decisions');
    expect(shown.stdout).toContain('0 tags have another threshold now.');
    server.kill('SIGTERM');
    await server.ended;
  });

  it.each([
    [['infer', '--kind', 'poems'], /One of stories, contents, jobs/],
    [['quality', '--min-precision', '2'], /A number above 0, at most 1/],
    [['merge', 'ravens'], /missing required argument 'target'/],
    [['grow'], /unknown command 'grow'/],
  ])('answers %j with the usage and exit code 2', async (args, says) => {
    const { code, stdout, stderr } = await tags(...args);
    expect({ code, stdout, stderr }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(says) });
  });

  it.each([
    [['merge', 'ravens', 'owls'], /There is no tag 'owls'/],
    [['merge', 'ravens', 'Ravens'], /is the tag itself/],
    [['merge', 'birds', 'ravens'], /below the tag that is to be merged/],
    [['retag', 'owls'], /There is no tag 'owls'/],
    [['retag', '--scheme', 'nowhere'], /no tag scheme 'nowhere'/],
    [['tree', '--scheme', 'nowhere'], /no tag scheme 'nowhere'/],
    [['quality', '--scheme', 'nowhere'], /no tag scheme 'nowhere'/],
  ])('answers %j with what is wrong and exit code 1', async (args, says) => {
    const { code, stdout, stderr } = await tags(...args, '--json');
    expect({ code, stdout, stderr }).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
  });
});
