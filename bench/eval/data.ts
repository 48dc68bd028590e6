import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { Ask } from './ask';
import { parseJudgements, type Judgements } from './scoring';

interface StoryLine {
  id: string;
  paragraphs: { id: string; text: string }[];
}

const PARAGRAPH_BREAK = '\n\n';
const PAGE_SIZE = 200;

function readLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T);
}

/** The labelled data on disk, and the global ids of its records in the running instance. */
export class EvaluationData {
  readonly profiles = new Map<string, string>();
  readonly jobs = new Map<string, string>();
  private readonly queries = new Map<string, Map<string, string>>();
  private readonly paragraphs = new Map<string, { end: number; id: string }[]>();

  constructor(private readonly folder: string) {
    for (const story of readLines<StoryLine>(path.join(folder, 'stories.jsonl'))) {
      let end = 0;
      const ends = story.paragraphs.map(({ id, text }) => {
        end += text.length + PARAGRAPH_BREAK.length;
        return { end, id };
      });
      this.paragraphs.set(story.id, ends);
    }
  }

  judgements(task: string): Judgements {
    return parseJudgements(readFileSync(path.join(this.folder, 'qrels', `${task}.tsv`), 'utf8'));
  }

  queryText(task: string, id: string): string {
    let texts = this.queries.get(task);
    if (!texts) {
      const file = path.join(this.folder, 'queries', `${task}.jsonl`);
      const lines = existsSync(file) ? readLines<{ id: string; text: string }>(file) : [];
      texts = new Map(lines.map((line) => [line.id, line.text]));
      this.queries.set(task, texts);
    }
    const text = texts.get(id);
    if (text === undefined) throw new Error(`${task} has no query ${id}`);
    return text;
  }

  /** The paragraph that holds this offset of a story's text. */
  paragraphAt(storyId: string, offset: number): string | undefined {
    return this.paragraphs.get(storyId)?.find(({ end }) => offset < end)?.id;
  }

  /** Finds the imported records' ids. */
  async load(ask: Ask): Promise<void> {
    await this.loadIds(ask, 'profiles', this.profiles);
    await this.loadIds(ask, 'jobs', this.jobs);
  }

  private async loadIds(ask: Ask, field: string, into: Map<string, string>): Promise<void> {
    interface Page {
      list: {
        nodes: { id: string; externalId: string | null }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    }
    const document = `query Ids($after: String) {
      list: ${field}(first: ${PAGE_SIZE}, after: $after) { nodes { id externalId } pageInfo { hasNextPage endCursor } }
    }`;
    for (let after: string | null = null; ;) {
      const { list }: Page = await ask<Page>(document, { after });
      for (const { id, externalId } of list.nodes) if (externalId !== null) into.set(externalId, id);
      if (!list.pageInfo.hasNextPage) return;
      after = list.pageInfo.endCursor;
    }
  }
}
