/** Relevance grades by query and document. */
export type Judgements = Map<string, Map<string, number>>;

/** Means over queries, each 0 to 1. */
export interface Scores {
  ndcg: number;
  /** Of the relevant documents, or of ten where there are more, those among the first ten. */
  recall: number;
  /** Whether the first hit is relevant. */
  hit1: number;
  /** Reciprocal rank of the first relevant hit. */
  mrr: number;
}

const gain = (grade: number): number => 2 ** grade - 1;
const discount = (rank: number): number => Math.log2(rank + 2);

/** As the data's `score.py` does: over all judged queries; one that was not run counts 0. Gain is 2^grade − 1. */
export function score(judgements: Judgements, rankings: ReadonlyMap<string, readonly string[]>, depth = 10): Scores {
  const sum = { ndcg: 0, recall: 0, hit1: 0, mrr: 0 };
  for (const [query, relevant] of judgements) {
    const top = (rankings.get(query) ?? []).slice(0, depth);
    const dcg = top.reduce((total, doc, i) => total + gain(relevant.get(doc) ?? 0) / discount(i), 0);
    const best = [...relevant.values()].sort((a, b) => b - a).slice(0, depth);
    const ideal = best.reduce((total, grade, i) => total + gain(grade) / discount(i), 0);
    sum.ndcg += ideal > 0 ? dcg / ideal : 0;
    sum.recall += top.filter((doc) => relevant.has(doc)).length / Math.min(depth, relevant.size);
    const first = top.findIndex((doc) => relevant.has(doc));
    sum.mrr += first < 0 ? 0 : 1 / (first + 1);
    sum.hit1 += top[0] !== undefined && relevant.has(top[0]) ? 1 : 0;
  }
  const queries = judgements.size;
  return {
    ndcg: sum.ndcg / queries,
    recall: sum.recall / queries,
    hit1: sum.hit1 / queries,
    mrr: sum.mrr / queries,
  };
}

/** Reads `query_id <tab> doc_id <tab> grade` lines; a header is passed over. */
export function parseJudgements(text: string): Judgements {
  const judgements: Judgements = new Map();
  for (const line of text.split('\n')) {
    const [query, doc, grade] = line.split('\t');
    if (!query || !doc || grade === undefined || query === 'query_id') continue;
    const relevant = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, relevant.set(doc, Number(grade)));
  }
  return judgements;
}
