import type { SqlRunner } from '../../../kernel/db/database';
import type { VectorFilter } from '../../../kernel/vector/vector-filter';
import type { Route } from '../../../kernel/vector/route';
import { DENSE, type Hit, type VectorQuery } from '../../../kernel/vector/vector-store';
import type { Taggable } from '../taggable';
import { SubjectReader, type Subject } from './subject-reader';
import { TagVocabulary, type ComparableTag, type SchemeRules } from './tag-vocabulary';
import { TAG_KIND, type TaggingParts } from './tagging-parts';

/** A tag that is near a text. */
export interface TagCandidate {
  tagId: number;
  /** Cosine. */
  score: number;
  /** Hash of the tag's text that was compared. */
  hash: string;
}

/** The candidates of one subject in one scheme. */
export interface SubjectCandidates {
  scheme: SchemeRules;
  candidates: TagCandidate[];
  /** Whether there may be more above the scheme's floor. */
  hasMore: boolean;
}

/** What is compared with what. */
export interface CandidateQuestion {
  route: Route;
  taggable: Taggable;
  subjects: readonly Subject[];
  schemes: readonly SchemeRules[];
  /** Where it may be less work to ask the tags. */
  tags?: NearbyTags;
}

/** A vocabulary that is short beside the texts. */
export interface NearbyTags {
  /** Every tag of the schemes. */
  list: readonly ComparableTag[];
  /** How many points the records have that the texts are of. */
  pointCount: number;
}

/** More than are assigned: some have thresholds of their own, or have been rejected. */
const CANDIDATES_PER_TAG = 2;
/** Few enough that a busy server answers them within a request's deadline, against a vocabulary of any size. */
const QUERIES_PER_REQUEST = 64;
/** From how many times as many texts as tags on it is less work to ask for the texts near each tag. */
const TEXTS_PER_TAG = 2;
/** As long as the other points of the same records are not more than so many for each that is asked for. */
const POINTS_PER_POINT = 2;
/** However low thresholds are, no more hits than these are in memory together. */
const MOST_HITS = 250_000;

/**
 * The vocabulary, where asking it is less work than asking each text: it is short, and the texts are most of what their
 * records have.
 */
export async function nearbyTags(
  sql: SqlRunner,
  { taggable, subjects, schemes }: CandidateQuestion,
): Promise<NearbyTags | undefined> {
  const most = Math.floor(subjects.length / TEXTS_PER_TAG);
  if (most === 0) return undefined;
  const list = await new TagVocabulary(sql).comparable(schemes, most);
  if (!list) return undefined;
  const recordIds = new Set(subjects.map(({ recordId }) => recordId));
  const pointCount = await new SubjectReader(sql).countPoints(taggable, [...recordIds]);
  const asked = subjects.reduce((sum, { points }) => sum + points.length, 0);
  const isShorter = pointCount <= asked * POINTS_PER_POINT && list.length * pointCount <= MOST_HITS;
  return isShorter ? { list, pointCount } : undefined;
}

/**
 * The tags near each subject, scheme by scheme: batches of queries to the vector server, by stored points, so no vector
 * travels. A cosine is the same from both sides, so the shorter one asks: each text for the tags near it, or each tag for
 * the texts near it, which leaves nothing to ask for.
 * @param deepenedBy a power of it for each time that the candidates were not enough
 * @returns for each subject one entry a scheme
 */
export async function findCandidates(
  parts: TaggingParts,
  question: CandidateQuestion,
  deepenedBy = 1,
): Promise<SubjectCandidates[][]> {
  const { tags } = question;
  const byTag = tags && (await candidatesByTag(parts, { ...question, tags }));
  return byTag ?? candidatesBySubject(parts, question, deepenedBy);
}

/** One query a text and scheme. */
async function candidatesBySubject(
  parts: TaggingParts,
  { route, taggable, subjects, schemes }: CandidateQuestion,
  deepenedBy = 1,
): Promise<SubjectCandidates[][]> {
  const lookupFrom = route.collection(taggable.kind.kind);
  const asked = subjects.flatMap((subject) =>
    schemes.map((scheme) => {
      const limit = scheme.maxTags * CANDIDATES_PER_TAG * deepenedBy;
      return { limit, query: tagsNear(subject, scheme, lookupFrom, limit) };
    }),
  );
  const answers = await queryAll(
    parts,
    route.collection(TAG_KIND),
    asked.map(({ query }) => query),
  );
  return subjects.map((_, i) =>
    schemes.map((scheme, j) => {
      const at = i * schemes.length + j;
      const hits = answers[at] ?? [];
      return { scheme, candidates: hits.map(candidateOf), hasMore: hits.length >= (asked[at]?.limit ?? 0) };
    }),
  );
}

/** One query a tag. */
async function candidatesByTag(
  parts: TaggingParts,
  question: CandidateQuestion & { tags: NearbyTags },
): Promise<SubjectCandidates[][] | undefined> {
  const { subjects, schemes, tags } = question;
  const found = subjects.map(() =>
    schemes.map((scheme): SubjectCandidates => ({ scheme, candidates: [], hasMore: false })),
  );
  const byPoint = new Map(
    subjects.flatMap(({ points }, i) => points.map(({ pointId }) => [pointId, found[i] ?? []] as const)),
  );
  const answers = await textsNear(parts, question);
  if (!answers) return undefined;
  for (const [i, tag] of tags.list.entries()) {
    const reached = new Set<SubjectCandidates>();
    for (const { id, score } of answers[i] ?? []) {
      const entry = byPoint.get(id)?.find(({ scheme }) => scheme.name === tag.scheme);
      // Of several chunks the nearest counts, and hits come best first.
      if (!entry || reached.has(entry)) continue;
      reached.add(entry);
      entry.candidates.push({ tagId: tag.id, score, hash: tag.hash });
    }
  }
  return found;
}

/**
 * What is above each tag's threshold among all points of the subjects' records, for these are said in far fewer words than
 * points are.
 * @returns `undefined` when there were more than could be asked for
 */
async function textsNear(
  parts: TaggingParts,
  { route, taggable, subjects, tags }: CandidateQuestion & { tags: NearbyTags },
): Promise<Hit[][] | undefined> {
  const lookupFrom = route.collection(TAG_KIND);
  const limit = tags.pointCount + 1;
  const recordIds = [...new Set(subjects.map(({ recordId }) => recordId))];
  const filter: VectorFilter = { must: [{ key: 'entity_id', match: { any: recordIds } }] };
  const answers = await queryAll(
    parts,
    route.collection(taggable.kind.kind),
    tags.list.map(({ pointId, threshold }) => ({
      targets: [
        { target: { using: DENSE, positive: [pointId], strategy: 'best_score', lookupFrom }, weight: 1, limit },
      ],
      filter,
      limit,
      scoreThreshold: threshold,
      payloadKeys: [],
    })),
  );
  return answers.some((hits) => hits.length >= limit) ? undefined : answers;
}

async function queryAll(
  { store }: TaggingParts,
  collection: string,
  queries: readonly VectorQuery[],
): Promise<Hit[][]> {
  const answers: Hit[][] = [];
  for (let from = 0; from < queries.length; from += QUERIES_PER_REQUEST) {
    answers.push(...(await store.queryBatch(collection, queries.slice(from, from + QUERIES_PER_REQUEST))));
  }
  return answers;
}

function tagsNear(subject: Subject, scheme: SchemeRules, lookupFrom: string, limit: number): VectorQuery {
  return {
    targets: [
      {
        target: {
          using: DENSE,
          positive: subject.points.map((point) => point.pointId),
          // Of several chunks the nearest counts, so that the tag, asked from its side, finds the same.
          strategy: 'best_score',
          lookupFrom,
        },
        weight: 1,
        limit,
      },
    ],
    filter: {
      must: [
        { key: 'scheme', match: { value: scheme.name } },
        { key: 'archived', match: { value: false } },
      ],
    },
    limit,
    scoreThreshold: scheme.floor,
    payloadKeys: ['entity_id', 'content_hash'],
  };
}

const candidateOf = ({ score, payload }: Hit): TagCandidate => ({
  tagId: Number(payload.entity_id),
  score,
  hash: String(payload.content_hash),
});
