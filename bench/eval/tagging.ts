import { setTimeout as delay } from 'node:timers/promises';

import { grouped } from '../../src/features/tag/grouped';
import { plattScaling, probabilityOf, type Judged } from '../../src/features/tag/quality/platt';
import { LEAST_TO_APPLY } from '../../src/features/tag/quality/tag-quality';
import { bestThreshold } from '../../src/features/tag/quality/threshold';
import { inParallel, type Ask } from './ask';
import type { EvaluationData } from './data';
import type { Judgements } from './scoring';
import { tagGroups } from './tag-groups';

/** Scores of texts and tags as the API gives them: text → tag → cosine. */
type Scores = Map<string, Map<string, number>>;

interface Pair extends Judged {
  text: string;
  tag: string;
}

interface Counts {
  right: number;
  suggested: number;
  wanted: number;
}

/** A task of tagging: texts in the instance, the tags that they may get, and what is right. */
interface TaggingTask {
  name: string;
  category: string;
  scheme: string;
  kind: 'CONTENT_ITEM' | 'JOB_DESCRIPTION';
  list: 'contents' | 'jobs';
  idPrefix: string;
  judgements: Judgements;
}

const FOLDS = 5;
const BINS = 10;
const PAGE = 100;
const POLL_MS = 500;
const ALL_TAGS = 100;
/** From how many right and wrong pairs a tag may learn a threshold of its own; the last: none does. */
const LEAST_CHOICES = [2, 5, 10, 20, 50, 100, Number.POSITIVE_INFINITY];
/** Every tag that has been decided on at all learns a threshold; `minOfEach` of the API keeps those with fewer to the common one. */
const LEAST_TO_LEARN = 2;

interface TagNode {
  id: string;
  externalId: string | null;
  name: string;
  description: string | null;
  category: string | null;
}

const TAGS = `query ($after: String) { list: tags(first: 200, after: $after) {
  nodes { id externalId name description category } pageInfo { hasNextPage endCursor } } }`;

interface Page<T> {
  list: { nodes: T[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
}

async function readAll<T>(ask: Ask, document: string): Promise<T[]> {
  const nodes: T[] = [];
  for (let after: string | null = null; ;) {
    const { list }: Page<T> = await ask<Page<T>>(document, { after });
    nodes.push(...list.nodes);
    if (!list.pageInfo.hasNextPage) return nodes;
    after = list.pageInfo.endCursor;
  }
}

const UPDATE_TAG = 'mutation ($id: ID!, $input: UpdateTagInput!) { updateTag(id: $id, input: $input) { syncToken } }';

/** Measures tagging on labelled data. Every score is one that the API shows on a suggestion. */
export async function evaluateTagging(ask: Ask, data: EvaluationData): Promise<string> {
  const lines: string[] = [];
  const say = (line = ''): void => {
    lines.push(line);
    console.log(line);
  };
  say('# Quality of tagging\n');
  say(
    'Made by `npm run eval -- --data ../shared/data --tagging --out bench/results/tagging-quality.md` against a running',
  );
  say(
    'instance with the local model that has imported the data. Scores are read from suggestions through the GraphQL API.',
  );
  say(
    `Precision, recall and F1 are over all pairs of text and tag; thresholds are chosen on four fifths of the texts and`,
  );
  say(
    `measured on the rest, ${FOLDS} times. Labels are those of the data: one or two activities a task, although others can be argued.`,
  );
  const tags = (await readAll<TagNode>(ask, TAGS)).filter((tag) => tag.externalId !== null);
  for (const task of tasksOf(data)) {
    const own = tags.filter((tag) => tag.category === task.category);
    await prepare(ask, data, task, own);
    const scores = await readScores(ask, task, own.length);
    const pairs = pairsOf(task, scores, own);
    say(`\n## ${task.name}: ${scores.size} texts, ${own.length} tags\n`);
    await report(say, pairs);
    const plain = await withoutDescriptions(ask, task, own, scores);
    const without = crossValidated(pairsOf(task, plain, own));
    const common = crossValidated(pairs);
    const learnt = crossValidated(pairs, LEAST_TO_APPLY);
    say('\nWhat each gains (F1, cross-validated):\n');
    say('| | without | with | gain |\n|---|---|---|---|');
    say(gainLine('description in the text of a tag', without, common));
    say(gainLine('a threshold learnt for each tag, instead of one for all', common, learnt));
    if (task.category === 'onet-work-activity') await implication(ask, task, own, pairs, say);
    else say('\nNothing in the data is broader than these tags, so implying parents gains nothing here.');
  }
  return `${lines.join('\n')}\n`;
}

function tasksOf(data: EvaluationData): TaggingTask[] {
  return [
    {
      name: 't8_task_to_work_activity',
      category: 'onet-work-activity',
      scheme: 'eval-activity',
      kind: 'CONTENT_ITEM',
      list: 'contents',
      idPrefix: 't8-',
      judgements: data.judgements('t8_task_to_work_activity'),
    },
    {
      name: 't9_job_to_knowledge_tag',
      category: 'onet-knowledge',
      scheme: 'eval-knowledge',
      kind: 'JOB_DESCRIPTION',
      list: 'jobs',
      idPrefix: 'job-',
      judgements: data.judgements('t9_job_to_knowledge_tag'),
    },
  ];
}

/** The task's texts are there, and its tags are suggested whatever their score. */
async function prepare(ask: Ask, data: EvaluationData, task: TaggingTask, tags: readonly TagNode[]): Promise<void> {
  await ask(
    'mutation ($name: String!, $input: TagSchemeInput!) { saveTagScheme(name: $name, input: $input) { name } }',
    {
      name: task.scheme,
      input: { kinds: [task.kind], threshold: -1, maxTags: ALL_TAGS, impliesParents: false },
    },
  );
  for (const { id } of tags) await ask(UPDATE_TAG, { id, input: { scheme: task.scheme } });
  if (task.list !== 'contents') return;
  await inParallel([...task.judgements.keys()], async (query) => {
    const known = await ask<{ content: object | null }>(
      'query ($id: String!) { content(contentType: "document", contentId: $id) { id } }',
      { id: query },
    );
    if (known.content) return;
    await ask('mutation ($input: CreateContentInput!) { createContent(input: $input) { syncToken } }', {
      input: {
        contentType: 'document',
        contentId: query,
        externalId: query,
        content: data.queryText(task.name, query),
        sourceType: 'evaluation',
      },
    });
  });
}

interface TaggedNode {
  externalId: string | null;
  tags: { score: number; tag: { externalId: string | null; category: string | null } }[];
}

/** Waits until every text has been compared with every tag. */
async function readScores(ask: Ask, task: TaggingTask, tagCount: number): Promise<Scores> {
  const document = `query ($after: String) { list: ${task.list}(first: ${PAGE}, after: $after) {
    nodes { externalId tags { score tag { externalId category } } } pageInfo { hasNextPage endCursor } } }`;
  for (;;) {
    const nodes = await readAll<TaggedNode>(ask, document);
    const scores: Scores = new Map();
    for (const { externalId, tags } of nodes) {
      if (externalId === null || !task.judgements.has(externalId)) continue;
      const own = tags.filter(({ tag }) => tag.category === task.category && tag.externalId !== null);
      scores.set(externalId, new Map(own.map(({ tag, score }) => [tag.externalId ?? '', score])));
    }
    const isComplete = [...scores.values()].every((row) => row.size === tagCount);
    if (isComplete && scores.size === task.judgements.size) return scores;
    await delay(POLL_MS);
  }
}

function pairsOf({ judgements }: TaggingTask, scores: Scores, tags: readonly TagNode[]): Pair[] {
  return [...scores].flatMap(([text, row]) =>
    tags.map(({ externalId }) => ({
      text,
      tag: externalId ?? '',
      score: row.get(externalId ?? '') ?? -1,
      isAccepted: judgements.get(text)?.has(externalId ?? '') ?? false,
    })),
  );
}

/** The same fold for the same text on every run. */
function foldOf(text: string): number {
  let hash = 7;
  for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  return hash % FOLDS;
}

const noCounts = (): Counts => ({ right: 0, suggested: 0, wanted: 0 });

function add(counts: Counts, pair: Pair, isSuggested: boolean): void {
  if (pair.isAccepted) counts.wanted += 1;
  if (isSuggested) counts.suggested += 1;
  if (pair.isAccepted && isSuggested) counts.right += 1;
}

const precision = ({ right, suggested }: Counts): number => (suggested === 0 ? 1 : right / suggested);
const recall = ({ right, wanted }: Counts): number => (wanted === 0 ? 1 : right / wanted);
const f1 = ({ right, suggested, wanted }: Counts): number => (2 * right) / Math.max(1, suggested + wanted);

function isEnough(pairs: readonly Pair[], least: number): boolean {
  const accepted = pairs.filter((pair) => pair.isAccepted).length;
  return Math.min(accepted, pairs.length - accepted) >= least;
}

/** A threshold for all, and one of its own for each tag that has enough right and wrong pairs. */
function learn(training: readonly Pair[], ownFrom?: number): { common: number; own: ReadonlyMap<string, number> } {
  const own = new Map<string, number>();
  if (ownFrom !== undefined) {
    for (const [tag, ofTag] of grouped(training, (pair) => pair.tag)) {
      const best = isEnough(ofTag, ownFrom) ? bestThreshold(ofTag) : undefined;
      if (best) own.set(tag, best.threshold);
    }
  }
  return { common: bestThreshold(training)?.threshold ?? 1, own };
}

/**
 * Thresholds chosen where they are not measured: one for all tags, or each tag's own.
 * @param ownFrom right and wrong pairs from which a tag has a threshold of its own; none has unless given
 */
function crossValidated(pairs: readonly Pair[], ownFrom?: number): Counts {
  const counts = noCounts();
  for (let fold = 0; fold < FOLDS; fold++) {
    const training = pairs.filter((pair) => foldOf(pair.text) !== fold);
    const { common, own } = learn(training, ownFrom);
    for (const pair of pairs) {
      if (foldOf(pair.text) === fold) add(counts, pair, pair.score > (own.get(pair.tag) ?? common));
    }
  }
  return counts;
}

/** The same, with the least number of pairs chosen where nothing is measured either: by cross-validation within the training part. */
function nestedCrossValidated(pairs: readonly Pair[]): { counts: Counts; chosen: number[] } {
  const counts = noCounts();
  const chosen: number[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const training = pairs.filter((pair) => foldOf(pair.text) !== fold);
    const inner = LEAST_CHOICES.map((least) => ({ least, value: f1(crossValidated(training, least)) }));
    const { least } = inner.reduce((best, one) => (one.value > best.value ? one : best));
    chosen.push(least);
    const { common, own } = learn(training, least);
    for (const pair of pairs) {
      if (foldOf(pair.text) === fold) add(counts, pair, pair.score > (own.get(pair.tag) ?? common));
    }
  }
  return { counts, chosen };
}

function fixed(pairs: readonly Pair[], threshold: number): Counts {
  const counts = noCounts();
  for (const pair of pairs) add(counts, pair, pair.score > threshold);
  return counts;
}

const row = (name: string, counts: Counts): string =>
  `| ${name} | ${precision(counts).toFixed(3)} | ${recall(counts).toFixed(3)} | ${f1(counts).toFixed(3)} |`;

const gainLine = (name: string, without: Counts, with_: Counts): string =>
  `| ${name} | ${f1(without).toFixed(3)} | ${f1(with_).toFixed(3)} | ${(f1(with_) - f1(without)).toFixed(3)} |`;

async function report(say: (line?: string) => void, pairs: readonly Pair[]): Promise<void> {
  const best = bestThreshold(pairs)?.threshold ?? 1;
  say('| thresholds | precision | recall | F1 |\n|---|---|---|---|');
  say(row('0.4 for all, the default', fixed(pairs, 0.4)));
  say(row(`one for all, cross-validated (${best.toFixed(3)} on all texts)`, crossValidated(pairs)));
  say(row('learnt for each tag, cross-validated', crossValidated(pairs, LEAST_TO_LEARN)));
  say(
    row(
      `learnt for tags with ${LEAST_TO_APPLY} right and wrong pairs, cross-validated`,
      crossValidated(pairs, LEAST_TO_APPLY),
    ),
  );
  const nested = nestedCrossValidated(pairs);
  const shownChoice = nested.chosen.map((least) => (Number.isFinite(least) ? String(least) : 'none')).join(', ');
  say(row(`learnt, the number of pairs chosen within each training part (${shownChoice})`, nested.counts));
  say(
    `\nThat a tag's own threshold is applied from ${LEAST_TO_APPLY} pairs of either sort on was chosen with these very figures in view, so the row`,
  );
  say('before the last flatters it; the last one is what such a choice is worth on texts that it has not seen.');
  say('\nCalibration (Platt scaling, fitted on four fifths, shown for the rest):\n');
  say('| said to be right | pairs | mean probability | right |\n|---|---|---|---|');
  const bins = Array.from({ length: BINS }, () => ({ count: 0, probability: 0, accepted: 0 }));
  let squares = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const calibration = plattScaling(pairs.filter((pair) => foldOf(pair.text) !== fold));
    if (!calibration) continue;
    for (const pair of pairs.filter((one) => foldOf(one.text) === fold)) {
      const probability = probabilityOf(calibration, pair.score);
      const bin = bins[Math.min(BINS - 1, Math.floor(probability * BINS))];
      if (!bin) continue;
      bin.count += 1;
      bin.probability += probability;
      bin.accepted += pair.isAccepted ? 1 : 0;
      squares += (probability - (pair.isAccepted ? 1 : 0)) ** 2;
    }
  }
  for (const [i, bin] of bins.entries()) {
    if (bin.count === 0) continue;
    const range = `${(i / BINS).toFixed(1)}–${((i + 1) / BINS).toFixed(1)}`;
    say(
      `| ${range} | ${bin.count} | ${(bin.probability / bin.count).toFixed(3)} | ${(bin.accepted / bin.count).toFixed(3)} |`,
    );
  }
  const share = pairs.filter((pair) => pair.isAccepted).length / pairs.length;
  say(
    `\nBrier score ${(squares / pairs.length).toFixed(4)}; always saying the share of right pairs would have ${(share * (1 - share)).toFixed(4)}.`,
  );
  await Promise.resolve();
}

/**
 * The scores where tags are embedded by their names alone; descriptions are put back afterwards.
 * @param described the scores with descriptions
 */
async function withoutDescriptions(
  ask: Ask,
  task: TaggingTask,
  tags: readonly TagNode[],
  described: Scores,
): Promise<Scores> {
  for (const { id } of tags) await ask(UPDATE_TAG, { id, input: { description: null } });
  const named = await readChangedScores(ask, task, tags, described);
  for (const { id, description } of tags) await ask(UPDATE_TAG, { id, input: { description } });
  await readChangedScores(ask, task, tags, named);
  return named;
}

/** Waits until every tag with a description has other scores than `before`. One tag's scores change all at once. */
async function readChangedScores(
  ask: Ask,
  task: TaggingTask,
  tags: readonly TagNode[],
  before: Scores,
): Promise<Scores> {
  const changing = tags.flatMap(({ externalId, description }) => (description && externalId ? [externalId] : []));
  const columnOf = (scores: Scores, tag: string): string =>
    JSON.stringify([...scores].map(([text, row]): [string, number?] => [text, row.get(tag)]).sort());
  for (;;) {
    const scores = await readScores(ask, task, tags.length);
    if (changing.every((tag) => columnOf(scores, tag) !== columnOf(before, tag))) break;
    await delay(POLL_MS);
  }
  // Pages of the reading above may be of before the last tag changed.
  return readScores(ask, task, tags.length);
}

/** Broader tags found through the tags below them, beside broader tags found by their own texts. */
async function implication(
  ask: Ask,
  task: TaggingTask,
  tags: readonly TagNode[],
  pairs: readonly Pair[],
  say: (line: string) => void,
): Promise<void> {
  const groupOf = new Map(
    tags.map(({ externalId, name }) => [externalId ?? '', tagGroups.find((g) => g.holds(name))?.name ?? '']),
  );
  const created: string[] = [];
  for (const { name, description } of tagGroups) {
    const { createTag } = await ask<{ createTag: { tag: { id: string } } }>(
      'mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }',
      { input: { name, externalId: `group:${name}`, description, scheme: task.scheme, category: 'eval-group' } },
    );
    created.push(createTag.tag.id);
  }
  const groupTask = { ...task, category: 'eval-group' };
  const direct = await readScores(ask, groupTask, tagGroups.length);
  for (const id of created) await ask('mutation ($id: ID!) { deleteTag(id: $id) { deletedId } }', { id });
  const texts = [...new Set(pairs.map((pair) => pair.text))];
  const right = new Set(pairs.filter((pair) => pair.isAccepted).map((pair) => `${pair.text} ${groupOf.get(pair.tag)}`));
  const groupPairs = (scoreOf: (text: string, group: string) => number): Pair[] =>
    texts.flatMap((text) =>
      tagGroups.map(({ name }) => ({
        text,
        tag: name,
        score: scoreOf(text, name),
        isAccepted: right.has(`${text} ${name}`),
      })),
    );
  const byOwnText = groupPairs((text, name) => direct.get(text)?.get(`group:${name}`) ?? -1);
  const bestBelow = new Map<string, number>();
  for (const pair of pairs) {
    const key = `${pair.text} ${groupOf.get(pair.tag)}`;
    bestBelow.set(key, Math.max(bestBelow.get(key) ?? -1, pair.score));
  }
  const implied = groupPairs((text, name) => bestBelow.get(`${text} ${name}`) ?? -1);
  say(
    gainLine(
      'parents implied by the tags below, instead of by their own text',
      crossValidated(byOwnText),
      crossValidated(implied),
    ),
  );
}
