import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { Ask } from './ask';
import { parseJudgements, type Judgements } from './scoring';

interface StoryLine {
  id: string;
  paragraphs: { id: string; text: string }[];
}

interface QueryLine {
  text: string;
  storyId?: string;
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
  private readonly stories = new Map<string, string>();
  private readonly queries = new Map<string, Map<string, QueryLine>>();
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
    return this.query(task, id).text;
  }

  /** Global id of the story that a query is about. */
  storyOfQuery(task: string, id: string): string {
    const { storyId } = this.query(task, id);
    const story = storyId === undefined ? undefined : this.stories.get(storyId);
    if (story === undefined) throw new Error(`${task} ${id} is about no story that was imported`);
    return story;
  }

  /** The paragraph that holds this offset of a story's text. */
  paragraphAt(storyId: string, offset: number): string | undefined {
    return this.paragraphs.get(storyId)?.find(({ end }) => offset < end)?.id;
  }

  /** Finds the imported records' ids. */
  async load(ask: Ask): Promise<void> {
    await this.loadIds(ask, 'profiles', this.profiles);
    await this.loadIds(ask, 'jobs', this.jobs);
    await this.loadIds(ask, 'stories', this.stories);
  }

  private query(task: string, id: string): QueryLine {
    let queries = this.queries.get(task);
    if (!queries) {
      const file = path.join(this.folder, 'queries', `${task}.jsonl`);
      const lines = existsSync(file) ? readLines<QueryLine & { id: string }>(file) : [];
      queries = new Map(lines.map((line) => [line.id, line]));
      this.queries.set(task, queries);
    }
    const found = queries.get(id);
    if (!found) throw new Error(`${task} has no query ${id}`);
    return found;
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
