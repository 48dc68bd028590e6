import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { estimatedTokens, type TokenCounter } from '../../src/kernel/chunking/token-counter';
import { OutboxStore } from '../../src/kernel/outbox/outbox-store';
import { eventually, WritePathServers, type WritePath } from '../support/write-path';

let servers: WritePathServers;
let path: WritePath;

beforeAll(async () => {
  servers = await WritePathServers.start();
});

beforeEach(async () => {
  path = await servers.open();
  path.relay();
});

afterEach(async () => {
  const drift = await path.drift().catch((error: unknown) => [String(error)]);
  await path.close();
  expect(drift).toEqual([]);
});

afterAll(() => servers.close());

interface ChunkRow {
  id: number;
  point: string;
  index: number;
  text: string;
  sliced: string;
  start_offset: number;
  end_offset: number;
  token_count: number;
  heading_path: string[] | null;
  context_line: string | null;
}

const chunksOf = (story: number): Promise<ChunkRow[]> =>
  path.sql<ChunkRow>(
    `SELECT c.id, c.qdrant_point_id AS point, c.paragraph_index AS index, c.text, c.start_offset, c.end_offset,
       c.token_count, c.heading_path, c.context_line, kindred_slice(s.content, c.start_offset, c.end_offset) AS sliced
     FROM story_chunk_embeddings c JOIN stories s ON s.id = c.story_id WHERE s.id = $1 ORDER BY c.paragraph_index`,
    [story],
  );

async function write(content: string, settings: Record<string, unknown> = {}): Promise<number> {
  const columns = ['title', 'content', ...Object.keys(settings)];
  const values = ['Tale', content, ...Object.values(settings)];
  const id = await path.id(
    `INSERT INTO stories (${columns.join(', ')}) VALUES (${values.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
    values,
  );
  await path.idle();
  return id;
}

/** @returns what was embedded for it */
async function change(story: number, column: string, value: unknown): Promise<string[]> {
  path.embedded.length = 0;
  await path.sql(`UPDATE stories SET ${column} = $2 WHERE id = $1`, [story, value]);
  await path.idle();
  return [...path.embedded].sort();
}

const paragraph = (i: number): string => `The fox told hen number ${i} a tale of the ${i}th winter.`;
const paragraphs = (count: number): string[] => Array.from({ length: count }, (_, i) => paragraph(i));
const storyOf = (parts: readonly string[]): string => parts.join('\n\n');
const identities = (rows: readonly ChunkRow[]): Map<string, string> =>
  new Map(rows.map((row) => [row.text, `${row.id} ${row.point}`]));

describe('an edit of a story', () => {
  it('embeds the changed paragraph only, which keeps its row and point', async () => {
    const parts = paragraphs(200);
    const story = await write(storyOf(parts));
    const before = await chunksOf(story);
    parts[100] = 'The fox told hen number 100 a much longer tale of the 100th winter, and of the spring.';
    expect(await change(story, 'content', storyOf(parts))).toEqual([parts[100]]);
    const after = await chunksOf(story);
    expect(after.map((row) => [row.id, row.point])).toEqual(before.map((row) => [row.id, row.point]));
    expect(after.map((row) => row.text)).toEqual(parts);
    expect(after.every((row) => row.sliced === row.text)).toBe(true);
  });

  it('embeds an inserted paragraph only, and shifts the others', async () => {
    const parts = paragraphs(200);
    const story = await write(storyOf(parts));
    const before = identities(await chunksOf(story));
    expect(await change(story, 'content', storyOf(['A new beginning.', ...parts]))).toEqual(['A new beginning.']);
    const after = await chunksOf(story);
    expect(after.map((row) => row.index)).toEqual([...Array(201).keys()]);
    for (const row of after.slice(1)) expect(`${row.id} ${row.point}`).toBe(before.get(row.text));
  });

  it('touches no point of a paragraph that only moves', async () => {
    const parts = paragraphs(200);
    const story = await write(storyOf(parts));
    const stored = async () => new Map((await path.points('story')).map((point) => [point.id, point.payload]));
    const entries = async () =>
      new Map(
        (
          await path.sql<{ id: string; version: string }>(
            'SELECT point_id AS id, xmin::text AS version FROM vector_points',
          )
        ).map((row) => [row.id, row.version]),
      );
    const [pointsBefore, entriesBefore] = [await stored(), await entries()];
    await change(story, 'content', storyOf(['A new beginning.', ...parts]));
    await change(story, 'content', storyOf(['A new beginning.', ...parts.slice(100), ...parts.slice(0, 100)]));
    const after = await entries();
    expect(after.size).toBe(201);
    for (const [id, version] of entriesBefore) expect(after.get(id)).toBe(version);
    const pointsAfter = await stored();
    for (const [id, payload] of pointsBefore) expect(pointsAfter.get(id)).toEqual(payload);
  });

  it('embeds nothing for paragraphs that go or change places, whatever else is done', async () => {
    const text = fc.constantFrom('* * *', ...paragraphs(12));
    const texts = fc.array(text, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (first, second) => {
        const story = await write(storyOf(first));
        const before = new Set((await chunksOf(story)).map((row) => `${row.id} ${row.text}`));
        await change(story, 'content', storyOf(second));
        const after = await chunksOf(story);
        expect(after.map((row) => row.text)).toEqual(second);
        // As many rows of each text keep it as there are on both sides.
        for (const one of new Set(second)) {
          const count = (list: readonly string[]) => list.filter((other) => other === one).length;
          const kept = after.filter((row) => row.text === one && before.has(`${row.id} ${one}`)).length;
          expect(kept).toBe(Math.min(count(first), count(second)));
        }
        await path.sql('DELETE FROM stories WHERE id = $1', [story]);
        await path.idle();
      }),
      { numRuns: 15 },
    );
  });

  it('moves more chunks than one statement updates, across each other', async () => {
    const parts = Array.from({ length: 1_100 }, (_, i) => `Paragraph ${i}.`);
    const story = await write(storyOf(parts));
    const before = new Map((await chunksOf(story)).map((row) => [row.text, row.id]));
    const edited = ['New.', ...parts.reverse()];
    expect(await change(story, 'content', storyOf(edited))).toEqual(['New.']);
    const rows = await chunksOf(story);
    expect(rows.map((row) => row.text)).toEqual(edited);
    expect(rows.slice(1).find((row) => before.get(row.text) !== row.id)).toBeUndefined();
  });

  it('leaves what people said of a passage with its text', async () => {
    const parts = [...paragraphs(6), '* * *', 'An aside.', '* * *'];
    const story = await write(storyOf(parts));
    const tag = await path.id(`INSERT INTO tag_concepts (name) VALUES ('winter') RETURNING id`);
    await path.sql(
      `INSERT INTO story_chunk_tags (story_chunk_id, tag_concept_id, source, status)
       SELECT id, $2, 'manual', CASE WHEN paragraph_index % 2 = 0 THEN 'accepted' ELSE 'rejected' END
       FROM story_chunk_embeddings WHERE story_id = $1`,
      [story, tag],
    );
    const decisions = async () =>
      (
        await path.sql<{ text: string; status: string }>(
          `SELECT c.text, t.status FROM story_chunk_embeddings c LEFT JOIN story_chunk_tags t ON t.story_chunk_id = c.id
           WHERE c.story_id = $1 ORDER BY c.paragraph_index`,
          [story],
        )
      ).map((row) => `${row.text} ${row.status}`);
    const [p0, p1, p2, p3, p4, p5] = parts as [string, string, string, string, string, string];
    await change(
      story,
      'content',
      storyOf(['New.', p5, p0, 'Something else altogether.', `${p2} Then it left.`, p4, '* * *', 'An aside.', p1]),
    );
    expect(await decisions()).toEqual([
      'New. null',
      `${p5} rejected`,
      `${p0} accepted`,
      'Something else altogether. null',
      `${p2} Then it left. accepted`,
      `${p4} accepted`,
      '* * * accepted',
      'An aside. rejected',
      `${p1} rejected`,
    ]);
    expect(p3).toBe(paragraph(3));
  });

  it('keeps an archived chunk archived wherever its text moves', async () => {
    const parts = paragraphs(3);
    const story = await write(storyOf(parts));
    await path.sql(
      `UPDATE story_chunk_embeddings SET archived_at = now() WHERE story_id = $1 AND paragraph_index = 1`,
      [story],
    );
    await change(story, 'content', storyOf(['New.', ...parts]));
    expect(
      await path.sql('SELECT paragraph_index, text FROM story_chunk_embeddings WHERE archived_at IS NOT NULL'),
    ).toEqual([{ paragraph_index: 2, text: parts[1] }]);
    expect((await path.points('story')).filter((point) => point.payload.archived)).toHaveLength(1);
  });
});

describe('the place of a chunk', () => {
  it('is exact for any Unicode text, here and in SQL', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.lorem({ maxCount: 8 }),
      fc.constantFrom(
        '\n\n',
        '\r\n\r\n',
        '\r\n',
        '🏔️ ',
        '👩‍👩‍👧',
        'e\u0301',
        '🇳🇴',
        '. ',
        '\u0007',
        '## One\n\n',
        '- item\n',
        '```\n',
      ),
    );
    const text = fc
      .array(piece, { minLength: 1, maxLength: 20 })
      .map((parts) => `Begin ${parts.join('')}`.replaceAll('\u0000', ''));
    const settings = fc.record({ chunking_strategy: fc.constantFrom('paragraph', 'sentence', 'token', 'markdown') });
    await fc.assert(
      fc.asyncProperty(text, settings, async (content, chosen) => {
        const story = await write(content, chosen);
        const rows = await chunksOf(story);
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) {
          expect(content.slice(row.start_offset, row.end_offset)).toBe(row.text);
          expect(row.sliced).toBe(row.text);
          expect(row.token_count).toBeGreaterThan(0);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('the strategy of a story', () => {
  const markdown = '# A Tale\n\nOnce.\n\n## One\n\nA hen.\n\n- a\n- b\n\n## Two\n\nA fox.';

  it('makes blocks with their headings of Markdown', async () => {
    const rows = await chunksOf(await write(markdown, { chunking_strategy: 'markdown' }));
    expect(rows.map((row) => [row.text, row.heading_path])).toEqual([
      ['# A Tale\n\nOnce.', null],
      ['## One\n\nA hen.', ['One']],
      ['- a\n- b', ['One']],
      ['## Two\n\nA fox.', ['Two']],
    ]);
  });

  it('can be changed, and changed back without embedding anything', async () => {
    const story = await write(storyOf(paragraphs(6)));
    const before = await chunksOf(story);
    const embedded = await change(story, 'chunking_strategy', 'sentence');
    expect(embedded).toEqual([storyOf(paragraphs(6))]);
    expect(await chunksOf(story)).toHaveLength(1);
    await change(story, 'chunking_strategy', 'paragraph');
    expect((await chunksOf(story)).map((row) => row.text)).toEqual(before.map((row) => row.text));
  });

  it('sets the size of chunks and what they share', async () => {
    const story = await write(storyOf(paragraphs(40)), {
      chunking_strategy: 'token',
      chunk_tokens: 32,
      chunk_overlap: 8,
    });
    const rows = await chunksOf(story);
    for (const row of rows) expect(row.token_count).toBeLessThanOrEqual(32);
    rows.slice(1).forEach((row, i) => {
      expect(row.start_offset).toBeLessThan(rows[i]?.end_offset ?? 0);
      expect(row.sliced).toBe(row.text);
    });
  });

  it('embeds headings and title with a chunk, beside its text', async () => {
    const story = await write(markdown, { chunking_strategy: 'markdown', chunk_context: 'title_and_headings' });
    expect((await chunksOf(story)).map((row) => [row.context_line, row.text])).toEqual([
      ['Tale', '# A Tale\n\nOnce.'],
      ['Tale', '## One\n\nA hen.'],
      ['Tale › One', '- a\n- b'],
      ['Tale', '## Two\n\nA fox.'],
    ]);
    expect(path.embedded).toContain('Tale › One\n- a\n- b');
    expect(await change(story, 'chunk_context', 'headings')).toEqual([
      '# A Tale\n\nOnce.',
      '## One\n\nA hen.',
      '## Two\n\nA fox.',
      'One\n- a\n- b',
    ]);
    expect(await change(story, 'title', 'Another')).toEqual([]);
  });

  it.each([
    ['chunking_strategy', 'verse'],
    ['chunk_context', 'author'],
    ['chunk_tokens', 8],
    ['chunk_overlap', 10],
  ])('is held to what there is by the database: %s = %j', async (column, value) => {
    const story = await write('One.');
    await expect(path.sql(`UPDATE stories SET ${column} = $2 WHERE id = $1`, [story, value])).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
  });
});

describe('a story', () => {
  it('of one paragraph of five million characters is cut between its sentences', async () => {
    const content = 'The fox ran over the hill, and did not once look back at the hens of the farm. '.repeat(63_000);
    const story = await path.id(`INSERT INTO stories (title, content) VALUES ('Hens', $1) RETURNING id`, [content]);
    const rows = await eventually(async () => {
      const found = await path.sql<{ text: string; start: number; end: number; tokens: number }>(
        `SELECT text, start_offset AS start, end_offset AS end, token_count AS tokens
         FROM story_chunk_embeddings WHERE story_id = $1 ORDER BY paragraph_index`,
        [story],
      );
      if (found.length === 0) throw new Error('the story has no chunks yet');
      return found;
    });
    expect(rows.length).toBeGreaterThan(4_000);
    expect(rows.find((row) => content.slice(row.start, row.end) !== row.text || row.tokens > 256)).toBeUndefined();
    expect(rows.map((row) => row.text).join(' ')).toBe(content.trim());
    // All of them embedded would show no more.
    await path.sql('DELETE FROM stories');
    await path.idle();
  });

  it.each(['😀', '漢'])(
    'of nothing but %j, five million characters of it, leaves the loop to others while it is cut',
    async (unit) => {
      const embedder = createDeterministicEmbedder();
      /** Turns of the loop, and leases renewed in them, while tokens were being counted. */
      const counted = { turn: 0, turns: new Set<number>(), renewedBefore: 0, renewals: 0 };
      const counter: TokenCounter = {
        isExact: false,
        count: (text, most) => {
          counted.turns.add(counted.turn);
          counted.renewedBefore = counted.renewals;
          return estimatedTokens.count(text, most);
        },
      };
      const original = OutboxStore.prototype.renew;
      const renew = jest.spyOn(OutboxStore.prototype, 'renew').mockImplementation(function (
        this: OutboxStore,
        ...args
      ) {
        if (counted.turns.size > 0) counted.renewals += 1;
        return original.apply(this, args);
      });
      const own = await servers.open({ embedder: { ...embedder, tokenCounter: () => Promise.resolve(counter) } });
      try {
        let isOver = false;
        const turn = (): void => {
          counted.turn += 1;
          if (!isOver) setImmediate(turn);
        };
        turn();
        const rendered = new Promise<void>((resolve) => {
          own.relay({ leaseMs: 60 }, (step, { topic }) => {
            if (topic === 'source' && step === 'rendered') resolve();
          });
        });
        const content = unit.repeat(Math.floor(5_000_000 / unit.length));
        await own.sql(`INSERT INTO stories (title, content, chunking_strategy) VALUES ('Signs', $1, 'markdown')`, [
          content,
        ]);
        await rendered;
        isOver = true;
        expect(counted.turns.size).toBeGreaterThan(5);
        expect(counted.renewedBefore).toBeGreaterThan(0);
        await own.sql('DELETE FROM stories');
      } finally {
        renew.mockRestore();
        await own.close();
      }
    },
  );

  it('of equal paragraphs has a chunk for each', async () => {
    const story = await write(storyOf(Array<string>(50).fill('All work and no play.')));
    expect(await chunksOf(story)).toHaveLength(50);
    expect(new Set(path.embedded)).toEqual(new Set(['All work and no play.']));
    path.embedded.length = 0;
    await change(story, 'content', storyOf(Array<string>(48).fill('All work and no play.')));
    expect(await chunksOf(story)).toHaveLength(48);
    expect(path.embedded).toEqual([]);
  });

  it('that nobody can see anything of has no chunk', async () => {
    expect(await chunksOf(await write(' \n\n\u200b\n\n\t'))).toEqual([]);
    expect((await chunksOf(await write('One.\n\n\u0007\n\n\u200b\n\nTwo.'))).map((row) => row.text)).toEqual([
      'One.',
      'Two.',
    ]);
  });

  it('of more paragraphs than a record may have says so', async () => {
    await path.sql(`INSERT INTO stories (title, content) VALUES ('Dots', $1)`, ['.\n\n'.repeat(20_001)]);
    await path.idle();
    expect(await path.sql('SELECT error_code FROM outbox_events WHERE dead_at IS NOT NULL')).toEqual([
      { error_code: 'TOO_MANY_CHUNKS' },
    ]);
    expect(await path.sql('SELECT id FROM story_chunk_embeddings')).toEqual([]);
  });
});
