import { seeded } from '../support/random';

export const DIMENSIONS = 384;

export interface BenchQuery {
  name: string;
  title: string;
  /** The share of the floor's processor time that is aimed at. */
  target: number;
  document: string;
  /** Variables of the `i`th request. */
  variables(i: number): Record<string, unknown>;
  requestsPerRound: number;
}

const vectors = Array.from({ length: 32 }, (_, i) => {
  const random = seeded(100 + i);
  const vector = Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => Math.fround(value / length));
});

export const queries: readonly BenchQuery[] = [
  {
    name: 'Q1',
    title: '`searchJobs` by vector, 10 hits',
    target: 1.6,
    document: `query Q1($vector: [Float!]!) {
      searchJobs(query: { vector: $vector }, first: 10) {
        edges { score node { id title company location employmentType } }
        pageInfo { hasNextPage }
      }
    }`,
    variables: (i) => ({ vector: vectors[i % vectors.length] }),
    requestsPerRound: 600,
  },
  {
    name: 'Q2',
    title: '20 profiles with embeddings and `matchingJobs(first: 5)`',
    target: 2.1,
    document: `query Q2($after: String) {
      profiles(first: 20, after: $after) {
        nodes {
          id
          name
          headline
          embeddings { id embeddingType chunkIndex text qdrantPointId contentHash }
          matchingJobs(first: 5, mode: SEMANTIC) { edges { score node { id title company } } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    variables: (i) => ({ after: cursor('profile', 20 * (i % 20)) }),
    requestsPerRound: 200,
  },
  {
    name: 'Q3',
    title: '`jobs(first: 100)` with 8 scalars',
    target: 1.5,
    document: `query Q3($after: String) {
      jobs(first: 100, after: $after) {
        nodes { id title company location role industry employmentType createdAt }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    variables: (i) => ({ after: cursor('job_description', 100 * (i % 8)) }),
    requestsPerRound: 400,
  },
];

/** The list's cursor after the row `id`. */
function cursor(kind: string, id: number): string {
  return Buffer.from(JSON.stringify([`${kind}:id:asc`, [String(id), id]])).toString('base64url');
}
