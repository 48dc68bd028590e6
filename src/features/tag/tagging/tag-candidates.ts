import { DENSE, type Hit, type VectorQuery } from '../../../kernel/vector/vector-store';
import type { Subject } from './subject-reader';
import type { SchemeRules } from './tag-vocabulary';
import { TAG_KIND, type TaggingParts } from './tagging-parts';

/** A tag that is near a text. */
export interface TagCandidate {
  tagId: number;
  /** Cosine. */
  score: number;
  /** Hash of the tag's text that was compared. */
  hash: string;
}

/** The candidates of one subject in one scheme, best first. */
export interface SubjectCandidates {
  scheme: SchemeRules;
  candidates: TagCandidate[];
  /** Whether there may be more above the scheme's floor. */
  hasMore: boolean;
}

/** More than are assigned: some have thresholds of their own, or have been rejected. */
const CANDIDATES_PER_TAG = 2;
/** Few enough that a busy server answers them within a request's deadline, against a vocabulary of any size. */
const QUERIES_PER_REQUEST = 64;

function queryFor(subject: Subject, scheme: SchemeRules, lookupFrom: string, limit: number): VectorQuery {
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

/**
 * The tags near each subject, scheme by scheme: batches of queries to the vector server, by the subjects' stored
 * points, so no vector travels.
 * @param deepenedBy a power of it for each time that the candidates were not enough
 * @returns for each subject one entry a scheme
 */
export async function findCandidates(
  { store, aliasOf }: TaggingParts,
  kind: string,
  subjects: readonly Subject[],
  schemes: readonly SchemeRules[],
  deepenedBy = 1,
): Promise<SubjectCandidates[][]> {
  if (schemes.length === 0) return subjects.map(() => []);
  const asked = subjects.flatMap((subject) =>
    schemes.map((scheme) => {
      const limit = scheme.maxTags * CANDIDATES_PER_TAG * deepenedBy;
      return { scheme, limit, query: queryFor(subject, scheme, aliasOf(kind), limit) };
    }),
  );
  const answers: Hit[][] = [];
  for (let from = 0; from < asked.length; from += QUERIES_PER_REQUEST) {
    const part = asked.slice(from, from + QUERIES_PER_REQUEST).map(({ query }) => query);
    answers.push(...(await store.queryBatch(aliasOf(TAG_KIND), part)));
  }
  return subjects.map((_, i) =>
    schemes.map((scheme, j) => {
      const at = i * schemes.length + j;
      const hits = answers[at] ?? [];
      return { scheme, candidates: hits.map(candidateOf), hasMore: hits.length >= (asked[at]?.limit ?? 0) };
    }),
  );
}
