import type { Client } from 'pg';
import { seeded } from '../support/random';

const PARAGRAPHS = 4;
const WORDS_A_PARAGRAPH = 45;
const WORDS =
  'plan build review measure teach repair design support improve record explain deliver team service customer system patient product school workshop project data report process quality safety budget schedule supplier partner market river winter lantern harbour orchard letter stranger bridge garden mountain'.split(
    ' ',
  );

export const POINTS_A_STORY = PARAGRAPHS;

export interface Story {
  title: string;
  paragraphs: string[];
}

/** Stories of four paragraphs of some 45 words, no two paragraphs alike. */
export function makeStories(count: number, seed: number): Story[] {
  const random = seeded(seed);
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)] as string;
  return Array.from({ length: count }, (_, i) => ({
    title: `Story ${seed}-${i}`,
    paragraphs: Array.from(
      { length: PARAGRAPHS },
      (_, j) => `Paragraph ${seed}-${i}-${j} ${Array.from({ length: WORDS_A_PARAGRAPH }, word).join(' ')}.`,
    ),
  }));
}

export const INSERT_STORIES = `INSERT INTO stories (title, content) SELECT * FROM unnest($1::text[], $2::text[]) RETURNING id`;

/** One statement and transaction, as bulk work. @returns the ids in order */
export async function insertStories(client: Client, stories: readonly Story[]): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>({
    name: 'insert_stories',
    text: INSERT_STORIES,
    values: [stories.map((story) => story.title), stories.map((story) => story.paragraphs.join('\n\n'))],
  });
  return rows.map((row) => row.id);
}
