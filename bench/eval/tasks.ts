import type { Ask } from './ask';
import type { EvaluationData } from './data';
import type { Scores } from './scoring';

/** One labelled task: how a query is asked through the API, and how hits are named as the labels name them. */
export interface Task {
  name: string;
  /** Whose queries and labels it has, where not its own. */
  labels?: string;
  /** BM25 by the data's own README, to compare with; absent where it has none. */
  bm25?: Partial<Scores>;
  run(queryId: string, mode: string, ask: Ask, data: EvaluationData): Promise<string[]>;
}

/** Deep enough that ten of the judged documents are among the hits, where others take part in the ranking. */
const DEEP = 60;
const SHALLOW = 10;

interface Hits<T> {
  edges: { node: T }[];
}

interface Named {
  externalId: string;
}

const byPrefix = (hits: Hits<Named>, prefix: string): string[] =>
  hits.edges.map(({ node }) => node.externalId).filter((id) => id.startsWith(prefix));

function searchRecords(field: string, filterType: string) {
  return `query Search($query: SearchInput!, $filter: ${filterType}, $first: Int) {
    hits: ${field}(query: $query, filter: $filter, first: $first) { edges { node { externalId } } }
  }`;
}

const SEARCH_JOBS = searchRecords('searchJobs', 'JobFilter');
const SEARCH_PROFILES = searchRecords('searchProfiles', 'ProfileFilter');
const SEARCH_STORIES = searchRecords('searchStories', 'StoryFilter');
const SEARCH_TAGS = searchRecords('searchTags', 'TagFilter');
const SEARCH_CHUNKS = `query Search($query: SearchInput!, $filter: StoryChunkFilter, $first: Int) {
  hits: searchStoryChunks(query: $query, filter: $filter, first: $first) { edges { node { startOffset story { externalId } } } }
}`;

type RecordHits = { hits: Hits<Named> };

async function find(
  ask: Ask,
  document: string,
  query: Record<string, unknown>,
  first: number,
  filter?: Record<string, unknown>,
): Promise<Hits<Named>> {
  return (await ask<RecordHits>(document, { query, filter, first })).hits;
}

const T5 = 't5_question_to_paragraph';

/** Chunks as the paragraphs that they begin in. */
async function paragraphsFor(
  queryId: string,
  mode: string,
  ask: Ask,
  data: EvaluationData,
  filter?: { storyIds: string[] },
): Promise<string[]> {
  const query = { text: data.queryText(T5, queryId), mode };
  const { hits } = await ask<{ hits: Hits<{ startOffset: number; story: Named }> }>(SEARCH_CHUNKS, {
    query,
    filter,
    first: DEEP,
  });
  const paragraphs = hits.edges.flatMap(({ node }) => data.paragraphAt(node.story.externalId, node.startOffset) ?? []);
  return [...new Set(paragraphs)].filter((paragraph) => paragraph.startsWith('story-'));
}

export const tasks: Task[] = [
  {
    name: 't1_profile_to_jobs',
    bm25: { ndcg: 0.763, recall: 0.621, hit1: 0.938 },
    run: async (id, mode, ask, data) =>
      byPrefix(await find(ask, SEARCH_JOBS, { nodeId: data.profiles.get(id), mode }, DEEP), 'job-'),
  },
  {
    name: 't1b_summary_to_jobs',
    bm25: { ndcg: 0.35, recall: 0.362, hit1: 0.469 },
    run: async (id, mode, ask, data) =>
      byPrefix(await find(ask, SEARCH_JOBS, { text: data.queryText('t1b_summary_to_jobs', id), mode }, DEEP), 'job-'),
  },
  {
    name: 't2_job_to_profiles',
    bm25: { ndcg: 0.747, recall: 0.591, hit1: 0.936 },
    run: async (id, mode, ask, data) =>
      byPrefix(await find(ask, SEARCH_PROFILES, { nodeId: data.jobs.get(id), mode }, DEEP), 'prof-'),
  },
  {
    name: 't3_title_to_jobs',
    bm25: { ndcg: 0.374, recall: 0.51, hit1: 0.26 },
    run: async (id, mode, ask, data) =>
      byPrefix(await find(ask, SEARCH_JOBS, { text: data.queryText('t3_title_to_jobs', id), mode }, DEEP), 'job-'),
  },
  {
    name: 't4_realjob_to_profiles',
    bm25: { ndcg: 0.064, recall: 0.136, hit1: 0.0 },
    run: async (id, mode, ask, data) =>
      byPrefix(await find(ask, SEARCH_PROFILES, { nodeId: data.jobs.get(id), mode }, DEEP), 'prof-'),
  },
  {
    name: T5,
    bm25: { ndcg: 0.692, recall: 0.841, hit1: 0.55 },
    run: (id, mode, ask, data) => paragraphsFor(id, mode, ask, data),
  },
  {
    name: 't5_question_to_paragraph, in its story',
    labels: T5,
    run: (id, mode, ask, data) => paragraphsFor(id, mode, ask, data, { storyIds: [data.storyOfQuery(T5, id)] }),
  },
  {
    name: 't6_moral_to_fable',
    bm25: { ndcg: 0.314, recall: 0.467, hit1: 0.2 },
    run: async (id, mode, ask, data) =>
      byPrefix(
        await find(ask, SEARCH_STORIES, { text: data.queryText('t6_moral_to_fable', id), mode }, DEEP),
        'fable-',
      ),
  },
  {
    name: 't8_task_to_work_activity',
    bm25: { ndcg: 0.227, recall: 0.396, hit1: 0.107 },
    run: async (id, mode, ask, data) =>
      byPrefix(
        await find(ask, SEARCH_TAGS, { text: data.queryText('t8_task_to_work_activity', id), mode }, SHALLOW, {
          category: { eq: 'onet-work-activity' },
        }),
        'tag-',
      ),
  },
  {
    name: 't9_job_to_knowledge_tag',
    bm25: { ndcg: 0.443, recall: 0.494, hit1: 0.489 },
    run: async (id, mode, ask, data) =>
      byPrefix(
        await find(ask, SEARCH_TAGS, { nodeId: data.jobs.get(id), mode }, SHALLOW, {
          category: { eq: 'onet-knowledge' },
        }),
        'tag-',
      ),
  },
  {
    name: 't10_realjob_to_realjobs_same_role',
    bm25: { ndcg: 0.293, recall: 0.288, hit1: 0.365 },
    run: async (id, mode, ask, data) =>
      byPrefix(
        await find(ask, SEARCH_JOBS, { nodeId: data.jobs.get(id), mode }, DEEP, { role: { isNull: false } }),
        'rjob-',
      ),
  },
];
